//! Groups as Keycloak shows them, and as it reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Ignored, Names, Text, lists, text};
use crate::http::extract::Representation;
use crate::model::{Group, RealmSnapshot};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct GroupRepresentation {
    /// Where a new group is made: one that is there moves.
    pub id: Option<Text>,
    pub name: Option<Text>,
    pub description: Option<Text>,
    pub attributes: Option<BTreeMap<String, Vec<Text>>>,
    #[serde(flatten)]
    _ignored: Ignored<GroupFields>,
}

#[derive(Clone, Debug)]
struct GroupFields;

/// Roles and the groups below have addresses of their own.
impl Names for GroupFields {
    const NAMES: &'static [&'static str] =
        &["access", "clientRoles", "parentId", "path", "realmRoles", "subGroupCount", "subGroups"];
}

impl Representation for GroupRepresentation {
    const NAME: &'static str = "GroupRepresentation";
}

impl GroupRepresentation {
    /// The group with what this names: a name has to be there, a description that is missing goes, attributes stay.
    pub(crate) fn put_on(&self, group: &Group) -> Group {
        let mut changed = group.clone();
        changed.name = text(self.name.as_ref()).unwrap_or_default();
        changed.description = text(self.description.as_ref());
        if let Some(attributes) = &self.attributes {
            changed.attributes = lists(attributes);
        }
        changed
    }
}

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
