//! Groups as Keycloak shows them in the list of a user's groups.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{Group, RealmSnapshot};

pub(crate) fn brief_group(snapshot: &RealmSnapshot, group: &Group) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(group.id));
    shown.insert("name".to_owned(), json!(group.name));
    if let Some(description) = &group.description {
        shown.insert("description".to_owned(), json!(description));
    }
    shown.insert("path".to_owned(), json!(snapshot.group_path(&group.id)));
    if let Some(parent) = &group.parent {
        shown.insert("parentId".to_owned(), json!(parent));
    }
    shown.insert("subGroups".to_owned(), json!([]));
    shown
}

pub(crate) fn group(snapshot: &RealmSnapshot, group: &Group) -> Map<String, Value> {
    let mut shown = brief_group(snapshot, group);
    let mut of_realm: Vec<&str> = Vec::new();
    let mut of_clients: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for role in group.roles.iter().filter_map(|id| snapshot.roles.get(id)) {
        match role.client.as_ref().map(|uuid| snapshot.clients.get(uuid)) {
            None => of_realm.push(&role.name),
            Some(Some(client)) => of_clients.entry(client.client_id.as_str()).or_default().push(&role.name),
            Some(None) => {}
        }
    }
    of_realm.sort_unstable();
    shown.insert("attributes".to_owned(), json!(group.attributes));
    shown.insert("realmRoles".to_owned(), json!(of_realm));
    shown.insert("clientRoles".to_owned(), json!(of_clients));
    shown
}
