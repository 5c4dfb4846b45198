//! Client scopes as Keycloak shows them, and as it reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Text, put, text, text_map};
use super::protocol_mapper::{ProtocolMapperRepresentation, protocol_mapper};
use crate::base::Entropy;
use crate::http::extract::Representation;
use crate::model::realm_import::ClientScopeImport;
use crate::model::{ClientScope, ClientScopeId};

/// Fields that it does not know are passed over, as in Keycloak.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClientScopeRepresentation {
    pub id: Option<Text>,
    pub name: Option<Text>,
    pub description: Option<Text>,
    pub protocol: Option<Text>,
    pub attributes: Option<BTreeMap<String, Option<Text>>>,
    pub protocol_mappers: Option<Vec<ProtocolMapperRepresentation>>,
}

impl Representation for ClientScopeRepresentation {
    const NAME: &'static str = "ClientScopeRepresentation";
}

impl ClientScopeRepresentation {
    pub(crate) fn to_new(&self, entropy: &Entropy) -> ClientScope {
        ClientScope {
            id: ClientScopeId::new(text(self.id.as_ref()).unwrap_or_else(|| entropy.uuid())),
            name: text(self.name.as_ref()).unwrap_or_default(),
            description: text(self.description.as_ref()),
            protocol: text(self.protocol.as_ref()).unwrap_or_default(),
            attributes: self.attributes.as_ref().map(text_map).unwrap_or_default(),
            mappers: self.protocol_mappers.iter().flatten().map(|m| m.to_model(entropy)).collect(),
            role_mappings: Vec::new(),
        }
    }

    pub(crate) fn to_import(&self, entropy: &Entropy) -> ClientScopeImport {
        let scope = self.to_new(entropy);
        ClientScopeImport {
            id: text(self.id.as_ref()),
            name: scope.name,
            description: scope.description,
            protocol: if scope.protocol.is_empty() { "openid-connect".to_owned() } else { scope.protocol },
            attributes: scope.attributes,
            mappers: scope.mappers,
        }
    }

    /// What of the scope is lost.
    pub(super) fn report(&self, report: &mut Vec<String>) {
        let path = format!("clientScopes.{}", text(self.name.as_ref()).unwrap_or_default());
        for mapper in self.protocol_mappers.iter().flatten() {
            mapper.report(&path, report);
        }
    }

    /// The scope with what this names; its mappers have addresses of their own.
    pub(crate) fn put_on(&self, scope: &ClientScope) -> ClientScope {
        let mut changed = scope.clone();
        put(&mut changed.name, self.name.as_ref());
        put(&mut changed.description, self.description.as_ref());
        put(&mut changed.protocol, self.protocol.as_ref());
        for (key, value) in self.attributes.iter().flatten() {
            match value {
                Some(value) => changed.attributes.insert(key.clone(), value.0.clone()),
                None => changed.attributes.remove(key),
            };
        }
        changed
    }
}

pub(crate) fn client_scope(scope: &ClientScope) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(scope.id));
    shown.insert("name".to_owned(), json!(scope.name));
    if let Some(description) = &scope.description {
        shown.insert("description".to_owned(), json!(description));
    }
    shown.insert("protocol".to_owned(), json!(scope.protocol));
    shown.insert("attributes".to_owned(), json!(scope.attributes));
    if !scope.mappers.is_empty() {
        let mappers: Vec<Value> = scope.mappers.iter().map(protocol_mapper).collect();
        shown.insert("protocolMappers".to_owned(), Value::from(mappers));
    }
    Value::from(shown)
}
