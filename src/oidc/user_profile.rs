//! The user profile: which attributes a user may have (Keycloak's declarative user profile).

use serde_json::{Value, json};

/// The profile of a realm that never edited it.
pub fn default_profile() -> Value {
    json!({
        "attributes": [
            {
                "name": "username", "displayName": "${username}", "multivalued": false,
                "validations": {"length": {"min": 3, "max": 255}, "username-prohibited-characters": {}, "up-username-not-idn-homograph": {}},
                "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}
            },
            {
                "name": "email", "displayName": "${email}", "multivalued": false,
                "validations": {"email": {}, "length": {"max": 255}},
                "required": {"roles": ["user"]},
                "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}
            },
            {
                "name": "firstName", "displayName": "${firstName}", "multivalued": false,
                "validations": {"length": {"max": 255}, "person-name-prohibited-characters": {}},
                "required": {"roles": ["user"]},
                "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}
            },
            {
                "name": "lastName", "displayName": "${lastName}", "multivalued": false,
                "validations": {"length": {"max": 255}, "person-name-prohibited-characters": {}},
                "required": {"roles": ["user"]},
                "permissions": {"view": ["admin", "user"], "edit": ["admin", "user"]}
            }
        ],
        "groups": [{"name": "user-metadata", "displayHeader": "User metadata", "displayDescription": "Attributes, which refer to user metadata"}]
    })
}

/// Whether an administrator sees and writes attributes that the profile does not name.
pub fn admits_unmanaged(profile: Option<&Value>) -> bool {
    let policy = profile.and_then(|p| p.get("unmanagedAttributePolicy")).and_then(Value::as_str);
    matches!(policy, Some("ENABLED" | "ADMIN_EDIT"))
}

pub fn shows_unmanaged(profile: Option<&Value>) -> bool {
    let policy = profile.and_then(|p| p.get("unmanagedAttributePolicy")).and_then(Value::as_str);
    matches!(policy, Some("ENABLED" | "ADMIN_EDIT" | "ADMIN_VIEW"))
}

/// Whether the profile names the attribute.
pub fn names(profile: Option<&Value>, attribute: &str) -> bool {
    let listed = profile.and_then(|p| p.get("attributes")).and_then(Value::as_array);
    listed.into_iter().flatten().any(|a| a.get("name").and_then(Value::as_str) == Some(attribute))
}
