//! How a realm differs from a file, thing by thing: by name, never by value, since secrets are among them.
//!
//! What the file does not say counts as it is. Lists of names count as sets, and ids not at all: a realm that was made from the
//! file has its own.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Lists of things, by the field that names each.
const LISTS: [(&str, &str); 7] = [
    ("clients", "clientId"),
    ("clientScopes", "name"),
    ("users", "username"),
    ("authenticationFlows", "alias"),
    ("authenticatorConfig", "alias"),
    ("requiredActions", "alias"),
    ("identityProviders", "alias"),
];
/// Fields of things that differ in each realm, or are said elsewhere as well. Settings and attributes of such a name count.
const PASSED_OVER: [&str; 14] = [
    "access",
    "composite",
    "containerId",
    "createdTimestamp",
    "credentials",
    "defaultRole",
    "disableableCredentialTypes",
    "id",
    "internalId",
    "keycloakVersion",
    "path",
    "realm",
    "subGroupCount",
    "totp",
];

/// One line for each thing that is in one of them only (`+` in the file, `-` in the realm), or differs (`~`).
pub(super) fn difference(file: &Map<String, Value>, realm: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, wanted) in file {
        let found = realm.get(name).unwrap_or(&Value::Null);
        match (name.as_str(), LISTS.iter().find(|(list, _)| list == name)) {
            (_, Some((_, key))) => things(name, &by_key(wanted, key), &by_key(found, key), &mut lines),
            ("roles", _) => roles(wanted, found, &mut lines),
            ("groups", _) => groups("groups", wanted, found, &mut lines),
            ("components", _) => components(wanted, found, &mut lines),
            _ if PASSED_OVER.contains(&name.as_str()) || same(wanted, found) => {}
            (_, None) => match (wanted, found) {
                (Value::Object(wanted), Value::Object(found)) => {
                    let changed: Vec<&str> = differing(wanted, found).collect();
                    lines.push(format!("~ {name}: {}", changed.join(", ")));
                }
                _ => lines.push(format!("~ {name}")),
            },
        }
    }
    lines
}

type Things<'a> = BTreeMap<String, &'a Value>;

fn by_key<'a>(list: &'a Value, key: &str) -> Things<'a> {
    let named = |thing: &'a Value| Some((thing.get(key)?.as_str()?.to_owned(), thing));
    list.as_array().into_iter().flatten().filter_map(named).collect()
}

fn things(place: &str, wanted: &Things<'_>, found: &Things<'_>, lines: &mut Vec<String>) {
    let names: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for name in names {
        match (wanted.get(name), found.get(name)) {
            (Some(_), None) => lines.push(format!("+ {place}.{name}")),
            (None, Some(_)) => lines.push(format!("- {place}.{name}")),
            (Some(Value::Object(wanted)), Some(Value::Object(found))) => {
                let changed = fields(wanted, found);
                if !changed.is_empty() {
                    lines.push(format!("~ {place}.{name}: {}", changed.join(", ")));
                }
            }
            _ => {}
        }
    }
}

/// The fields of an object that differ.
fn fields<'a>(wanted: &'a Map<String, Value>, found: &Map<String, Value>) -> Vec<&'a str> {
    let is_shown = |name: &&str| !PASSED_OVER.contains(name) && *name != "subGroups" && *name != "subComponents";
    differing(wanted, found).filter(is_shown).collect()
}

fn differing<'a>(wanted: &'a Map<String, Value>, found: &Map<String, Value>) -> impl Iterator<Item = &'a str> {
    let differs = |(name, value): &(&String, &Value)| !same(value, found.get(*name).unwrap_or(&Value::Null));
    wanted.iter().filter(differs).map(|(name, _)| name.as_str())
}

fn roles(wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    let clients = wanted["client"].as_object().into_iter().flatten().map(|(client, _)| Some(client.as_str()));
    for client in std::iter::once(None).chain(clients) {
        let place = client.map_or_else(|| "roles".to_owned(), |client| format!("clients.{client}.roles"));
        things(&place, &by_key(roles_at(wanted, client), "name"), &by_key(roles_at(found, client), "name"), lines);
    }
}

fn roles_at<'a>(roles: &'a Value, client: Option<&str>) -> &'a Value {
    match client {
        None => &roles["realm"],
        Some(client) => &roles["client"][client],
    }
}

fn groups(place: &str, wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    let (wanted, found) = (by_key(wanted, "name"), by_key(found, "name"));
    things(place, &wanted, &found, lines);
    for (name, group) in &wanted {
        if let Some(other) = found.get(name) {
            groups(&format!("{place}.{name}"), &group["subGroups"], &other["subGroups"], lines);
        }
    }
}

/// Providers of one type may share a name, and stand apart by their sub-type.
fn components(wanted: &Value, found: &Value, lines: &mut Vec<String>) {
    for (kind, list) in wanted.as_object().into_iter().flatten() {
        let short = kind.rsplit('.').next().unwrap_or(kind);
        things(&format!("components.{short}"), &by_name_and_sub_type(list), &by_name_and_sub_type(&found[kind]), lines);
    }
}

fn by_name_and_sub_type(list: &Value) -> Things<'_> {
    let named = list.as_array().into_iter().flatten().filter_map(|one| {
        let sub_type = one.get("subType").and_then(Value::as_str).map(|kind| format!(" ({kind})")).unwrap_or_default();
        Some((format!("{}{sub_type}", one.get("name")?.as_str()?), one))
    });
    named.collect()
}

/// Whether two values mean the same. A mask stands for any secret; nothing, an empty list and an empty object are alike.
fn same(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(text), _) if text == "**********" => true,
        (Value::Array(a), Value::Array(b)) => {
            let set = |list: &[Value]| list.iter().map(thing).collect::<BTreeSet<String>>();
            set(a) == set(b)
        }
        (Value::Object(a), Value::Object(b)) => differing(a, b).next().is_none(),
        _ if is_empty(wanted) && is_empty(found) => true,
        _ => wanted == found,
    }
}

/// One of a list as text, without ids.
fn thing(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            text(&fields.iter().filter(|(name, _)| !PASSED_OVER.contains(&name.as_str())).collect::<Vec<_>>())
        }
        other => plain(other),
    }
}

/// A value as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Object(fields) => text(&fields.iter().collect::<Vec<_>>()),
        Value::Array(items) => items.iter().map(thing).collect::<BTreeSet<_>>().into_iter().collect(),
        other => other.to_string(),
    }
}

fn text(fields: &[(&String, &Value)]) -> String {
    let texts: BTreeSet<String> = fields.iter().map(|(name, value)| format!("{name}:{};", plain(value))).collect();
    texts.into_iter().collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(file: Value, realm: Value) -> Vec<String> {
        difference(file.as_object().unwrap(), realm.as_object().unwrap())
    }

    #[test]
    fn a_realm_is_no_different_from_its_own_file() {
        let realm = json!({"realm": "r", "id": "1", "clients": [{"id": "2", "clientId": "c", "redirectUris": ["b", "a"]}],
            "groups": [{"name": "g", "subGroups": [{"name": "h"}]}], "attributes": {"a": "1"}, "roles": {"realm": [{"name": "x"}]}});
        let mut file = realm.clone();
        (file["id"], file["clients"][0]["redirectUris"]) = (json!("9"), json!(["a", "b"]));
        assert_eq!(lines(file, realm), [""; 0]);
    }

    #[test]
    fn what_differs_is_named_and_never_shown() {
        let realm = json!({"enabled": true, "attributes": {"a": "1", "path": "x"}, "clients": [{"clientId": "c", "secret": "old"}, {"clientId": "d"}],
            "roles": {"realm": [{"name": "x"}], "client": {"c": []}}, "groups": [{"name": "g", "subGroups": [{"name": "h"}]}],
            "components": {"org.x.Key": [{"name": "rsa", "config": {"priority": ["1"]}}]}});
        let file = json!({"enabled": false, "attributes": {"a": "2", "path": "y"}, "clients": [{"clientId": "c", "secret": "new"}, {"clientId": "e"}],
            "roles": {"realm": [{"name": "x", "description": "d"}], "client": {"c": [{"name": "y"}]}},
            "groups": [{"name": "g", "subGroups": [{"name": "i"}]}],
            "components": {"org.x.Key": [{"name": "rsa", "config": {"priority": ["2"]}}]}});
        // In the order of the file.
        assert_eq!(
            lines(file, realm),
            [
                "~ enabled",
                "~ attributes: a, path",
                "~ clients.c: secret",
                "- clients.d",
                "+ clients.e",
                "~ roles.x: description",
                "+ clients.c.roles.y",
                "- groups.g.h",
                "+ groups.g.i",
                "~ components.Key.rsa: config",
            ]
        );
    }
}
