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

const POLICIES: [&str; 3] = ["ENABLED", "ADMIN_EDIT", "ADMIN_VIEW"];

/// The checks that an attribute may name.
const VALIDATORS: [&str; 18] = [
    "length",
    "email",
    "uri",
    "pattern",
    "integer",
    "double",
    "options",
    "local-date",
    "iso-date",
    "multivalued",
    "person-name-prohibited-characters",
    "username-prohibited-characters",
    "up-username-not-idn-homograph",
    "up-immutable-attribute",
    "up-username-mutation",
    "up-email-exists-as-username",
    "up-duplicate-email",
    "up-brokering-federated-username-has-value",
];

/// Why a profile cannot be put in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileProblem {
    /// Not of the shape of a profile.
    Unreadable,
    /// Keycloak's sentence.
    Refused(String),
}

/// Checks a profile that an administrator puts.
pub fn check(profile: &Value) -> Result<(), ProfileProblem> {
    let refused = |text: String| Err(ProfileProblem::Refused(text));
    match profile.get("unmanagedAttributePolicy") {
        None | Some(Value::Null) => {}
        Some(policy) if policy.as_str().is_some_and(|p| POLICIES.contains(&p)) => {}
        Some(_) => return Err(ProfileProblem::Unreadable),
    }
    let attributes = list(profile, "attributes")?;
    let groups: Vec<&str> = list(profile, "groups")?.iter().filter_map(|g| name_of(g)).collect();
    let mut seen: Vec<&str> = Vec::new();
    for attribute in attributes {
        let Some(name) = name_of(attribute).filter(|n| !n.trim().is_empty()) else {
            return refused("Attribute configuration without 'name' is not allowed".to_owned());
        };
        if seen.contains(&name) {
            return refused(format!("Attribute configuration already exists with 'name':'{name}'"));
        }
        seen.push(name);
        let validations = attribute.get("validations").and_then(Value::as_object);
        if let Some(unknown) = validations.and_then(|v| v.keys().find(|k| !VALIDATORS.contains(&k.as_str()))) {
            return refused(format!("Validator '{unknown}' defined for attribute '{name}' doesn't exist"));
        }
        if let Some(group) = attribute.get("group").and_then(Value::as_str).filter(|g| !groups.contains(g)) {
            return refused(format!("Attribute '{name}' references unknown group '{group}'"));
        }
    }
    match ["username", "email"].into_iter().find(|n| !seen.contains(n)) {
        Some(missing) => refused(format!("The attribute '{missing}' can not be removed")),
        None => Ok(()),
    }
}

fn list<'a>(profile: &'a Value, name: &str) -> Result<&'a [Value], ProfileProblem> {
    match profile.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.iter().all(Value::is_object) => Ok(items),
        Some(_) => Err(ProfileProblem::Unreadable),
    }
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Value)) -> String {
        let mut profile = default_profile();
        change(&mut profile);
        match check(&profile) {
            Ok(()) => "none".to_owned(),
            Err(ProfileProblem::Unreadable) => "unreadable".to_owned(),
            Err(ProfileProblem::Refused(text)) => text,
        }
    }

    #[test]
    fn a_profile_is_checked_before_it_is_put_in_place() {
        assert_eq!(refusal(|_| ()), "none");
        assert_eq!(refusal(|p| p["unmanagedAttributePolicy"] = json!("ENABLED")), "none");
        assert_eq!(refusal(|p| p["unmanagedAttributePolicy"] = json!("PERHAPS")), "unreadable");
        assert_eq!(
            refusal(|p| p["attributes"][1]["name"] = json!("username")),
            "Attribute configuration already exists with 'name':'username'"
        );
        assert_eq!(refusal(|p| p["attributes"][0]["name"] = json!("nick")), "The attribute 'username' can not be removed");
        assert_eq!(refusal(|p| p["attributes"][3]["group"] = json!("x")), "Attribute 'lastName' references unknown group 'x'");
    }
}
