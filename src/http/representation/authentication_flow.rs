//! Authentication flows as Keycloak shows them: each by itself, and flattened with all that stands in it.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Flag, Number, Text};
use crate::http::extract::Representation;
use crate::model::authentication_flow::{AuthenticationFlow, DEEPEST, Execution, Flows, MOST, type_of};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FlowRepresentation {
    pub alias: Option<Text>,
    pub description: Option<Text>,
    pub provider_id: Option<Text>,
    pub top_level: Option<Flag>,
    pub built_in: Option<Flag>,
}

impl Representation for FlowRepresentation {
    const NAME: &'static str = "AuthenticationFlowRepresentation";
}

/// What of an execution can be changed where it stands.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ExecutionInfo {
    pub id: Option<Text>,
    pub requirement: Option<Text>,
    pub priority: Option<Number>,
    pub display_name: Option<Text>,
    pub description: Option<Text>,
}

impl Representation for ExecutionInfo {
    const NAME: &'static str = "AuthenticationExecutionInfoRepresentation";
}

const OF_FORM: [&str; 2] = ["REQUIRED", "DISABLED"];
const OF_FLOW: [&str; 4] = ["REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL"];

/// An execution by itself.
pub(crate) fn execution(flow: &AuthenticationFlow, execution: &Execution, flows: &Flows) -> Value {
    let mut shown = part(execution);
    shown.insert("id".to_owned(), json!(execution.id));
    shown.insert("parentFlow".to_owned(), json!(flow.id));
    shown.remove("flowAlias");
    shown.remove("userSetupAllowed");
    if let Some(below) = execution.flow_alias.as_deref().and_then(|alias| flows.by_alias(alias)) {
        shown.insert("flowId".to_owned(), json!(below.id));
    }
    Value::from(shown)
}

/// An execution as it stands in its flow.
fn part(execution: &Execution) -> Map<String, Value> {
    let is_flow = execution.flow_alias.is_some();
    let mut shown = Map::new();
    for (name, value) in [
        ("authenticatorConfig", &execution.authenticator_config),
        ("authenticator", &execution.authenticator),
        ("flowAlias", &execution.flow_alias),
    ] {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    shown.insert("authenticatorFlow".to_owned(), json!(is_flow));
    shown.insert("requirement".to_owned(), json!(execution.requirement));
    shown.insert("priority".to_owned(), json!(execution.priority));
    // Keycloak's old way to spell it; clients read either.
    shown.insert("autheticatorFlow".to_owned(), json!(is_flow));
    shown.insert("userSetupAllowed".to_owned(), json!(execution.user_setup_allowed));
    shown
}

/// A flow with its executions.
pub(crate) fn flow(flow: &AuthenticationFlow) -> Value {
    let executions: Vec<Value> = flow.authentication_executions.iter().map(|e| Value::from(part(e))).collect();
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(flow.id));
    shown.insert("alias".to_owned(), json!(flow.alias));
    if let Some(description) = &flow.description {
        shown.insert("description".to_owned(), json!(description));
    }
    shown.insert("providerId".to_owned(), json!(flow.provider_id));
    shown.insert("topLevel".to_owned(), json!(flow.top_level));
    shown.insert("builtIn".to_owned(), json!(flow.built_in));
    shown.insert("authenticationExecutions".to_owned(), Value::from(executions));
    Value::from(shown)
}

/// A flow's executions with those of the flows in it, from the first to the last.
pub(crate) fn flattened(flows: &Flows, flow: &AuthenticationFlow) -> Vec<Value> {
    let mut all = Vec::new();
    flatten(flows, flow, 0, &mut all);
    all
}

fn flatten(flows: &Flows, flow: &AuthenticationFlow, level: usize, all: &mut Vec<Value>) {
    for (index, execution) in flow.authentication_executions.iter().enumerate() {
        // A file may have a circle of flows, and two ways to every next one.
        if level > DEEPEST || all.len() >= MOST {
            return;
        }
        let below = execution.flow_alias.as_deref().and_then(|alias| flows.by_alias(alias));
        all.push(info(flows, execution, below, (level, index)));
        if let Some(below) = below {
            flatten(flows, below, level + 1, all);
        }
    }
}

fn info(flows: &Flows, execution: &Execution, below: Option<&AuthenticationFlow>, (level, index): (usize, usize)) -> Value {
    let known = execution.authenticator.as_deref().and_then(type_of);
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("id", json!(execution.id));
    put("requirement", json!(execution.requirement));
    put("level", json!(level));
    put("index", json!(index));
    put("priority", json!(execution.priority));
    if let Some(provider) = &execution.authenticator {
        put("providerId", json!(provider));
    }
    if let Some(below) = below {
        put("displayName", json!(below.alias));
        if let Some(description) = below.description.as_ref().filter(|text| !text.is_empty()) {
            put("description", json!(description));
        }
        put("requirementChoices", if execution.authenticator.is_some() { json!(OF_FORM) } else { json!(OF_FLOW) });
        put("configurable", json!(false));
        put("authenticationFlow", json!(true));
        put("flowId", json!(below.id));
    } else {
        put("displayName", json!(known.map(|known| known.name.as_str())));
        put("requirementChoices", json!(known.map(|known| known.choices.as_slice()).unwrap_or_default()));
        put("configurable", json!(known.is_some_and(|known| !known.properties.is_empty())));
    }
    if let Some(config) = execution.authenticator_config.as_deref().and_then(|alias| flows.config(alias)) {
        put("alias", json!(config.alias));
        put("authenticationConfig", json!(config.id));
    }
    Value::from(shown)
}
