//! Authentication flows: what is asked of whoever signs in, in which order, as a realm describes it.
//!
//! Field names are Keycloak's: this is how a realm's document and a realm's file keep them. A realm that never changed its flows
//! has those of a fresh one. Ids that a file does not have follow from the realm and the place, so that every node sees the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Realm, RealmId};
use crate::base::sha256;

/// Where a realm's document keeps its flows, and the settings of what stands in them.
pub const FLOWS: &str = "authenticationFlows";
pub const CONFIGS: &str = "authenticatorConfig";

/// How deep flows may stand in flows before what is below is left alone: no way to sign in comes near.
pub const DEEPEST: usize = 16;
/// How many flows, or rows of a flow with all below it, are made or shown at once.
pub const MOST: usize = 1_000;

/// The flows of a fresh realm (Keycloak 26.7.0).
const FRESH: &str = include_str!("flow_defaults.json");

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuthenticationFlow {
    pub id: String,
    pub alias: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `basic-flow`, `client-flow` or `form-flow`.
    pub provider_id: String,
    pub top_level: bool,
    pub built_in: bool,
    pub authentication_executions: Vec<Execution>,
}

/// One step: an authenticator, or a flow of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Execution {
    pub id: String,
    /// The alias of its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_alias: Option<String>,
    /// `REQUIRED`, `ALTERNATIVE`, `CONDITIONAL` or `DISABLED`.
    pub requirement: String,
    pub priority: i64,
    pub user_setup_allowed: bool,
}

/// Settings of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthenticatorConfig {
    pub id: String,
    pub alias: String,
    pub config: BTreeMap<String, String>,
}

/// All flows of a realm with their settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Flows {
    pub flows: Vec<AuthenticationFlow>,
    pub configs: Vec<AuthenticatorConfig>,
}

/// A setting as a form has to know it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthenticatorType {
    /// `authenticator`, `client-authenticator`, `form` or `form-action`.
    pub kind: String,
    pub id: String,
    pub name: String,
    /// Which requirements it can have.
    pub choices: Vec<String>,
    #[serde(default)]
    pub supports_secret: Option<bool>,
    #[serde(default)]
    pub properties: Vec<Value>,
}

/// What can stand in flows.
pub fn types() -> &'static [AuthenticatorType] {
    static TYPES: std::sync::LazyLock<Vec<AuthenticatorType>> =
        std::sync::LazyLock::new(|| serde_json::from_str(include_str!("authenticators.json")).unwrap_or_default());
    &TYPES
}

pub fn type_of(id: &str) -> Option<&'static AuthenticatorType> {
    types().iter().find(|known| known.id == id)
}

impl Flows {
    /// Those of a realm.
    pub fn of(realm: &Realm) -> Self {
        let document = &realm.document;
        let mut all = match document.get(FLOWS).and_then(Value::as_array).filter(|list| !list.is_empty()) {
            None => fresh(realm.is_master()),
            Some(flows) => Self {
                flows: flows.iter().filter_map(|flow| serde_json::from_value(flow.clone()).ok()).collect(),
                configs: document.get(CONFIGS).and_then(|all| serde_json::from_value(all.clone()).ok()).unwrap_or_default(),
            },
        };
        all.fill_in_ids(&realm.id);
        all
    }

    fn fill_in_ids(&mut self, realm: &RealmId) {
        for flow in &mut self.flows {
            derive(&mut flow.id, &[realm.as_str(), "flow", &flow.alias]);
            for (index, execution) in flow.authentication_executions.iter_mut().enumerate() {
                derive(&mut execution.id, &[realm.as_str(), "execution", &flow.alias, &index.to_string()]);
            }
            flow.authentication_executions.sort_by_key(|execution| execution.priority);
        }
        for config in &mut self.configs {
            derive(&mut config.id, &[realm.as_str(), "config", &config.alias]);
        }
    }

    pub fn by_id(&self, id: &str) -> Option<&AuthenticationFlow> {
        self.flows.iter().find(|flow| flow.id == id)
    }

    pub fn by_alias(&self, alias: &str) -> Option<&AuthenticationFlow> {
        self.flows.iter().find(|flow| flow.alias == alias)
    }

    /// An execution and the flow that it stands in.
    pub fn execution(&self, id: &str) -> Option<(&AuthenticationFlow, &Execution)> {
        self.flows.iter().find_map(|flow| Some((flow, flow.authentication_executions.iter().find(|e| e.id == id)?)))
    }

    pub fn config(&self, alias: &str) -> Option<&AuthenticatorConfig> {
        self.configs.iter().find(|config| config.alias == alias)
    }
}

/// Whether a realm with this document has a flow of this name.
pub fn has_flow(document: &Map<String, Value>, alias: &str) -> bool {
    match document.get(FLOWS).and_then(Value::as_array).filter(|list| !list.is_empty()) {
        Some(flows) => flows.iter().any(|flow| flow.get("alias").and_then(Value::as_str) == Some(alias)),
        None => fresh(false).by_alias(alias).is_some(),
    }
}

/// The names of the flows of a document that are not as in a fresh realm.
pub fn own_flows(document: &Map<String, Value>) -> Vec<String> {
    let fresh = fresh(false);
    let listed = document.get(FLOWS).and_then(Value::as_array).into_iter().flatten();
    let flows = listed.filter_map(|flow| serde_json::from_value::<AuthenticationFlow>(flow.clone()).ok());
    flows
        .filter(|flow| fresh.by_alias(&flow.alias).is_none_or(|known| steps(known) != steps(flow)))
        .map(|flow| flow.alias)
        .collect()
}

/// What is asked in a flow, in which order.
fn steps(flow: &AuthenticationFlow) -> Vec<(Option<&str>, Option<&str>, &str)> {
    let mut executions: Vec<&Execution> = flow.authentication_executions.iter().collect();
    executions.sort_by_key(|execution| execution.priority);
    executions.into_iter().map(|e| (e.authenticator.as_deref(), e.flow_alias.as_deref(), e.requirement.as_str())).collect()
}

/// The master realm has no organizations.
fn fresh(is_master: bool) -> Flows {
    let mut all: Flows = serde_json::from_str(FRESH).unwrap_or_default();
    if is_master {
        let is_of_organizations = |alias: &str| alias.contains("Organization");
        all.flows.retain(|flow| !is_of_organizations(&flow.alias));
        for flow in &mut all.flows {
            flow.authentication_executions.retain(|e| !e.flow_alias.as_deref().is_some_and(is_of_organizations));
        }
    }
    all
}

/// A UUID (RFC 9562, version 8) that is the same wherever it is worked out.
fn derive(id: &mut String, parts: &[&str]) {
    if !id.is_empty() {
        return;
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&sha256(parts.join("|").as_bytes())[..16]);
    *id = uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fresh_realm_has_its_flows_under_ids_of_its_own() {
        let of = |realm: &str| {
            let mut flows = fresh(realm == "master");
            flows.fill_in_ids(&RealmId::new(realm));
            flows
        };
        let flows = of("a");
        assert_eq!((flows.flows.len(), flows.configs.len()), (20, 4));
        assert_eq!(flows, of("a"));
        assert_ne!(flows.flows[0].id, of("b").flows[0].id);
        assert!(of("master").flows.len() < flows.flows.len());
        for execution in
            [of("master"), flows.clone()].iter().flat_map(|all| &all.flows).flat_map(|f| &f.authentication_executions)
        {
            let stands_for = execution.authenticator.as_deref().map(|id| type_of(id).is_some());
            let below = execution.flow_alias.as_deref().map(|alias| flows.by_alias(alias).is_some());
            assert!(stands_for.unwrap_or(true) && below.unwrap_or(true), "{execution:?}");
        }
    }
}
