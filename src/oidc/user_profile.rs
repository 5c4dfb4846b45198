//! The user profile: which attributes a user may have (Keycloak's declarative user profile).

use serde_json::{Map, Value, json};

/// Who writes a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Editor {
    Administrator,
    /// The user whose profile it is.
    User,
}

impl Editor {
    fn role(self) -> &'static str {
        match self {
            Self::Administrator => "admin",
            Self::User => "user",
        }
    }
}

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

/// Whether the editor writes attributes that the profile does not name.
pub fn admits_unmanaged(profile: Option<&Value>, editor: Editor) -> bool {
    let policy = profile.and_then(|p| p.get("unmanagedAttributePolicy")).and_then(Value::as_str);
    match editor {
        Editor::Administrator => matches!(policy, Some("ENABLED" | "ADMIN_EDIT")),
        Editor::User => policy == Some("ENABLED"),
    }
}

pub fn shows_unmanaged(profile: Option<&Value>) -> bool {
    let policy = profile.and_then(|p| p.get("unmanagedAttributePolicy")).and_then(Value::as_str);
    matches!(policy, Some("ENABLED" | "ADMIN_EDIT" | "ADMIN_VIEW"))
}

/// Whether the editor writes this attribute: administrators all that the profile names, users those that it gives them.
pub fn may_edit(profile: Option<&Value>, editor: Editor, attribute: &str) -> bool {
    if !names(profile, attribute) {
        return admits_unmanaged(profile, editor);
    }
    editor == Editor::Administrator || permits(profile, attribute, "edit")
}

/// Whether users see this attribute of their own.
pub fn users_may_view(profile: Option<&Value>, attribute: &str) -> bool {
    if names(profile, attribute) { permits(profile, attribute, "view") } else { admits_unmanaged(profile, Editor::User) }
}

/// Whether the profile permits users to `edit` or `view` an attribute. Whoever edits, views.
fn permits(profile: Option<&Value>, attribute: &str, what: &str) -> bool {
    let listed = profile.and_then(|p| p.get("attributes")).and_then(Value::as_array);
    let found = listed.into_iter().flatten().find(|a| a.get("name").and_then(Value::as_str) == Some(attribute));
    let permissions = found.and_then(|a| a.get("permissions"));
    let is_user = |what: &str| {
        let roles = permissions.and_then(|p| p.get(what)).and_then(Value::as_array);
        roles.is_some_and(|roles| roles.iter().any(|r| r.as_str() == Some(Editor::User.role())))
    };
    is_user("edit") || what == "view" && is_user("view")
}

/// The name that an attribute is shown by.
pub fn display_name<'a>(profile: &'a Value, attribute: &str) -> Option<&'a str> {
    let listed = profile.get("attributes").and_then(Value::as_array);
    let found = listed.into_iter().flatten().find(|a| name_of(a) == Some(attribute))?;
    found.get("displayName").and_then(Value::as_str)
}

/// What a form has to know of the attributes that its reader sees (Keycloak: `UserProfileMetadata`). An address may be changed, a
/// name only where the realm allows it.
pub fn metadata(profile: Option<&Value>, reader: Editor, edits_username: bool) -> Value {
    let default = default_profile();
    let profile = profile.unwrap_or(&default);
    let listed = profile.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let attributes: Vec<Value> = listed
        .filter_map(|attribute| {
            let name =
                name_of(attribute).filter(|name| reader == Editor::Administrator || users_may_view(Some(profile), name))?;
            let mut validators = Map::new();
            for (validator, config) in attribute.get("validations").and_then(Value::as_object).into_iter().flatten() {
                let mut config = config.as_object().cloned().unwrap_or_default();
                config.insert("ignore.empty.value".to_owned(), json!(true));
                validators.insert(validator.clone(), Value::from(config));
            }
            let multivalued = attribute.get("multivalued").and_then(Value::as_bool).unwrap_or(false);
            if !multivalued {
                validators.insert("multivalued".to_owned(), json!({"max": "1"}));
            }
            let locked = name == "username" && !edits_username;
            let mut shown = Map::new();
            if name == "email" && reader == Editor::User {
                // Keycloak shows them there, empty.
                shown.insert("annotations".to_owned(), json!({}));
            }
            for kept in ["displayName", "group", "annotations"] {
                if let Some(value) = attribute.get(kept) {
                    shown.insert(kept.to_owned(), value.clone());
                }
            }
            shown.insert("name".to_owned(), json!(name));
            shown.insert("required".to_owned(), json!(name == "username" || is_required_of(reader, attribute)));
            shown.insert("readOnly".to_owned(), json!(locked || !may_edit(Some(profile), reader, name)));
            shown.insert("validators".to_owned(), Value::from(validators));
            shown.insert("multivalued".to_owned(), json!(multivalued));
            Some(Value::from(shown))
        })
        .collect();
    json!({"attributes": attributes, "groups": profile.get("groups").cloned().unwrap_or_else(|| json!([]))})
}

/// Whether the editor has to fill in the attribute of this name.
pub fn is_required(profile: &Value, editor: Editor, attribute: &str) -> bool {
    let listed = profile.get("attributes").and_then(Value::as_array).into_iter().flatten();
    attribute == "username" || listed.filter(|a| name_of(a) == Some(attribute)).any(|a| is_required_of(editor, a))
}

/// Whether the profile wants the attribute filled in.
pub fn is_required_of(editor: Editor, attribute: &Value) -> bool {
    let roles = attribute.pointer("/required/roles").and_then(Value::as_array);
    roles.is_some_and(|roles| roles.iter().any(|r| r.as_str() == Some(editor.role())))
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
