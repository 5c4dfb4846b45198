//! Protocol mappers as Keycloak shows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient::{Ignored, Names, Text, put, text, text_map};
use crate::base::Entropy;
use crate::http::extract::Representation;
use crate::model::{ProtocolMapper, ProtocolMapperId};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ProtocolMapperRepresentation {
    pub id: Option<Text>,
    pub name: Option<Text>,
    pub protocol: Option<Text>,
    pub protocol_mapper: Option<Text>,
    pub config: Option<BTreeMap<String, Option<Text>>>,
    #[serde(flatten)]
    ignored: Ignored<MapperFields>,
}

#[derive(Clone, Debug)]
struct MapperFields;

impl Names for MapperFields {
    const NAMES: &'static [&'static str] = &["consentRequired", "consentText"];
}

impl Representation for ProtocolMapperRepresentation {
    const NAME: &'static str = "ProtocolMapperRepresentation";
}

impl ProtocolMapperRepresentation {
    /// What of the mapper is lost; `path` is its owner's.
    pub(super) fn report(&self, path: &str, report: &mut Vec<String>) {
        let name = text(self.name.as_ref()).unwrap_or_default();
        self.ignored.report(&format!("{path}.protocolMappers.{name}"), report);
    }

    /// The mapper with what this names; its name stays, and its configuration is replaced (Keycloak).
    pub(crate) fn put_on(&self, mapper: &ProtocolMapper) -> ProtocolMapper {
        let mut changed = mapper.clone();
        put(&mut changed.protocol, self.protocol.as_ref());
        put(&mut changed.mapper_type, self.protocol_mapper.as_ref());
        changed.config = self.config();
        changed
    }

    /// The mapper; one without an id gets one.
    pub(crate) fn to_model(&self, entropy: &Entropy) -> ProtocolMapper {
        ProtocolMapper {
            id: ProtocolMapperId::new(text(self.id.as_ref()).unwrap_or_else(|| entropy.uuid())),
            name: text(self.name.as_ref()).unwrap_or_default(),
            protocol: text(self.protocol.as_ref()).unwrap_or_else(|| "openid-connect".to_owned()),
            mapper_type: text(self.protocol_mapper.as_ref()).unwrap_or_default(),
            config: self.config(),
        }
    }

    /// What says nothing is not kept.
    fn config(&self) -> BTreeMap<String, String> {
        let mut config = self.config.as_ref().map(text_map).unwrap_or_default();
        config.retain(|_, value| !value.is_empty());
        config
    }
}

/// What a mapper is shown as.
pub(crate) fn protocol_mapper(mapper: &ProtocolMapper) -> Value {
    json!({
        "id": mapper.id,
        "name": mapper.name,
        "protocol": mapper.protocol,
        "protocolMapper": mapper.mapper_type,
        "consentRequired": false,
        "config": mapper.config,
    })
}
