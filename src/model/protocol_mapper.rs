//! A protocol mapper: one rule that puts something into tokens. What the rules do stands in `oidc::mapper`.

use std::collections::BTreeMap;

use super::ProtocolMapperId;

#[derive(Clone, Debug)]
pub struct ProtocolMapper {
    pub id: ProtocolMapperId,
    pub name: String,
    pub protocol: String,
    /// Which rule, by Keycloak's provider id, e.g. `oidc-usermodel-attribute-mapper`.
    pub mapper_type: String,
    pub config: BTreeMap<String, String>,
}

impl ProtocolMapper {
    pub fn config(&self, key: &str) -> Option<&str> {
        self.config.get(key).map(String::as_str)
    }

    pub fn is_set(&self, key: &str) -> bool {
        self.config(key) == Some("true")
    }
}
