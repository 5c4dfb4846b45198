//! Roles as Keycloak shows them, and as it reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Ignored, Names, Text, lists, text, texts};
use crate::http::extract::Representation;
use crate::model::realm_import::{RoleImport, RoleRef};
use crate::model::{RealmSnapshot, Role, RoleId};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RoleRepresentation {
    pub id: Option<Text>,
    pub name: Option<Text>,
    pub description: Option<Text>,
    pub composites: Option<Composites>,
    pub attributes: Option<BTreeMap<String, Vec<Text>>>,
    #[serde(flatten)]
    pub(super) ignored: Ignored<RoleFields>,
}

/// The roles that a composite holds, by name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Composites {
    pub realm: Option<Vec<Text>>,
    pub client: Option<BTreeMap<String, Vec<Text>>>,
    application: Option<BTreeMap<String, Vec<Text>>>,
}

#[derive(Clone, Debug)]
pub(super) struct RoleFields;

impl Names for RoleFields {
    const NAMES: &'static [&'static str] = &["scopeParamRequired"];
    const DERIVED: &'static [&'static str] = &["clientRole", "composite", "containerId"];
}

impl Representation for RoleRepresentation {
    const NAME: &'static str = "RoleRepresentation";
}

/// Roles by name, as users, groups and composites list them.
pub(crate) fn role_refs(realm: Option<&[Text]>, clients: Option<&BTreeMap<String, Vec<Text>>>) -> Vec<RoleRef> {
    let of_realm = realm.into_iter().flatten().map(|n| RoleRef { client: None, name: n.0.clone() });
    let of_clients = clients
        .into_iter()
        .flatten()
        .flat_map(|(client, names)| texts(names).into_iter().map(|name| RoleRef { client: Some(client.clone()), name }));
    of_realm.chain(of_clients).collect()
}

impl RoleRepresentation {
    pub(crate) fn to_import(&self, client: Option<&str>) -> RoleImport {
        let composites = self.composites.clone().unwrap_or_default();
        let clients = composites.client.as_ref().or(composites.application.as_ref());
        RoleImport {
            id: text(self.id.as_ref()).map(RoleId::new),
            role: RoleRef { client: client.map(str::to_owned), name: text(self.name.as_ref()).unwrap_or_default() },
            description: text(self.description.as_ref()),
            attributes: self.attributes.as_ref().map(lists).unwrap_or_default(),
            composites: role_refs(composites.realm.as_deref(), clients),
        }
    }

    /// The role with what this names: a description that is missing goes, attributes stay.
    pub(crate) fn put_on(&self, role: &Role) -> Role {
        let mut changed = role.clone();
        if let Some(name) = &self.name {
            changed.name.clone_from(&name.0);
        }
        changed.description = text(self.description.as_ref());
        if let Some(attributes) = &self.attributes {
            changed.attributes = lists(attributes);
        }
        changed
    }
}

/// A role without its attributes.
pub(crate) fn brief_role(snapshot: &RealmSnapshot, role: &Role) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(role.id));
    shown.insert("name".to_owned(), json!(role.name));
    if let Some(description) = &role.description {
        shown.insert("description".to_owned(), json!(description));
    }
    shown.insert("composite".to_owned(), json!(!role.children.is_empty()));
    shown.insert("clientRole".to_owned(), json!(role.client.is_some()));
    let container = role.client.as_ref().map_or(snapshot.realm.id.as_str(), |c| c.as_str());
    shown.insert("containerId".to_owned(), json!(container));
    shown
}

pub(crate) fn role(snapshot: &RealmSnapshot, role: &Role) -> Value {
    let mut shown = brief_role(snapshot, role);
    shown.insert("attributes".to_owned(), json!(role.attributes));
    Value::from(shown)
}
