//! Authentication flows: made, copied, renamed, deleted; and what stands in them added, changed, moved, taken out.
//!
//! A flow that is built in keeps what stands in it; its requirements may change. One that the realm uses stays.

use serde_json::{Value, json};

use super::{Refusal, realm_document};
use crate::flow::Cx;
use crate::flow::admin_event::Change;
use crate::model::admin_event::ResourceType;
use crate::model::authentication_flow::{
    AuthenticationFlow, AuthenticatorConfig, CONFIGS, DEEPEST, Execution, FLOWS, Flows, MOST, type_of,
};

/// The settings of a realm that name a flow.
const BINDINGS: [&str; 7] = [
    "browserFlow",
    "clientAuthenticationFlow",
    "directGrantFlow",
    "dockerAuthenticationFlow",
    "firstBrokerLoginFlow",
    "registrationFlow",
    "resetCredentialsFlow",
];

const FLOW_NOT_FOUND: Refusal = Refusal::NotFound("Flow not found");
pub const NO_EXECUTION: Refusal = Refusal::NotFound("Illegal execution");
pub const NO_CONFIG: Refusal = Refusal::NotFound("Could not find authenticator config");

/// The flows of the realm.
pub fn all(cx: &Cx) -> Flows {
    Flows::of(&cx.snapshot().realm)
}

async fn write(cx: &Cx, flows: &Flows, change: Change) -> Result<(), Refusal> {
    realm_document::put_all(cx, [(FLOWS, json!(flows.flows)), (CONFIGS, json!(flows.configs))], change).await
}

fn is_bound(cx: &Cx, flow: &AuthenticationFlow) -> bool {
    let document = &cx.snapshot().realm.document;
    let by_realm = BINDINGS.iter().any(|name| document.get(*name).and_then(Value::as_str) == Some(&flow.alias));
    by_realm
        || cx
            .snapshot()
            .clients
            .values()
            .any(|client| client.settings.authentication_flow_binding_overrides.values().any(|id| id.as_str() == Some(&flow.id)))
}

fn refuse_taken(flows: &Flows, alias: &str) -> Result<(), Refusal> {
    if flows.by_alias(alias).is_some() { Err(Refusal::Exists(format!("Flow {alias} already exists"))) } else { Ok(()) }
}

pub async fn create(cx: &Cx, flow: &AuthenticationFlow) -> Result<(), Refusal> {
    let mut flows = all(cx);
    if flow.alias.trim().is_empty() {
        return Err(Refusal::Exists("Failed to create flow with empty alias name".to_owned()));
    }
    refuse_taken(&flows, &flow.alias)?;
    flows.flows.push(flow.clone());
    write(cx, &flows, Change::create(ResourceType::AuthFlow, &flow.id).with("id", flow.id.as_str())).await
}

/// Copies a flow with all flows in it, under new ids and names. Answers the copy's id.
pub async fn copy(cx: &Cx, alias: &str, new_alias: &str) -> Result<String, Refusal> {
    let mut flows = all(cx);
    if flows.by_alias(new_alias).is_some() {
        return Err(Refusal::Exists("New flow alias name already exists".to_owned()));
    }
    let original = flows.by_alias(alias).ok_or(FLOW_NOT_FOUND)?.clone();
    let id = copy_below(cx, &mut flows, &original, (new_alias, new_alias), 0);
    write(cx, &flows, Change::add(ResourceType::AuthFlow).with("id", id.as_str())).await?;
    Ok(id)
}

fn copy_below(cx: &Cx, flows: &mut Flows, original: &AuthenticationFlow, (alias, prefix): (&str, &str), level: usize) -> String {
    let id = cx.entropy().uuid();
    let mut copied = AuthenticationFlow { id: id.clone(), alias: alias.to_owned(), built_in: false, ..original.clone() };
    for execution in &mut copied.authentication_executions {
        execution.id = cx.entropy().uuid();
        if let Some(config) = execution.authenticator_config.as_deref().and_then(|alias| flows.config(alias)).cloned() {
            let config = AuthenticatorConfig { id: cx.entropy().uuid(), alias: format!("{prefix} {}", config.alias), ..config };
            execution.authenticator_config = Some(config.alias.clone());
            flows.configs.push(config);
        }
        // A file may hold a circle of flows: what is deeper than any way to sign in stays named as it is.
        let goes_on = level < DEEPEST && flows.flows.len() < MOST;
        let below = execution.flow_alias.as_deref().filter(|_| goes_on).and_then(|alias| flows.by_alias(alias));
        if let Some(below) = below.cloned() {
            let alias = format!("{prefix} {}", below.alias);
            copy_below(cx, flows, &below, (&alias, prefix), level + 1);
            execution.flow_alias = Some(alias);
        }
    }
    flows.flows.push(copied);
    id
}

/// Renames a flow and describes it anew; where it is named, its name follows.
pub async fn update(cx: &Cx, id: &str, alias: Option<&str>, description: Option<&str>) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let before = flows.by_id(id).ok_or(FLOW_NOT_FOUND)?.clone();
    let alias = alias.filter(|alias| !alias.trim().is_empty()).unwrap_or(&before.alias).to_owned();
    if alias != before.alias {
        if before.built_in {
            return Err(Refusal::InvalidRequest("Can't rename built in flow"));
        }
        refuse_taken(&flows, &alias)?;
    }
    for flow in &mut flows.flows {
        if flow.id == id {
            flow.alias.clone_from(&alias);
            flow.description = description.map(str::to_owned).or_else(|| before.description.clone());
        }
        let named = |execution: &&mut Execution| execution.flow_alias.as_deref() == Some(&before.alias);
        for execution in flow.authentication_executions.iter_mut().filter(named) {
            execution.flow_alias = Some(alias.clone());
        }
    }
    let document = &cx.snapshot().realm.document;
    let names_it = |name: &&str| document.get(*name).and_then(Value::as_str) == Some(&before.alias);
    let mut values: Vec<(&str, Value)> = BINDINGS.into_iter().filter(names_it).map(|name| (name, json!(alias))).collect();
    values.extend([(FLOWS, json!(flows.flows)), (CONFIGS, json!(flows.configs))]);
    realm_document::put_all(cx, values, Change::update(ResourceType::AuthFlow)).await
}

/// Deletes a flow with all that stands in it.
pub async fn delete(cx: &Cx, id: &str) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let flow = flows.by_id(id).ok_or(FLOW_NOT_FOUND)?.clone();
    if flow.built_in {
        return Err(Refusal::Plain("Can't delete built in flow"));
    }
    if is_bound(cx, &flow) {
        return Err(Refusal::Plain("Flow is in use and cannot be deleted"));
    }
    remove_below(&mut flows, &flow);
    write(cx, &flows, Change::delete(ResourceType::AuthFlow)).await
}

fn remove_below(flows: &mut Flows, flow: &AuthenticationFlow) {
    flows.flows.retain(|other| other.id != flow.id);
    for execution in &flow.authentication_executions {
        remove_parts(flows, execution);
    }
}

/// What an execution stands for goes with it.
fn remove_parts(flows: &mut Flows, execution: &Execution) {
    if let Some(alias) = &execution.authenticator_config {
        flows.configs.retain(|config| config.alias != *alias);
    }
    if let Some(below) = execution.flow_alias.as_deref().and_then(|alias| flows.by_alias(alias)).cloned() {
        remove_below(flows, &below);
    }
}

/// A step that is to stand at the end of a flow, switched off.
#[derive(Clone, Debug)]
pub enum NewStep {
    Authenticator(String),
    /// A flow of its own, and the form that it shows, if it is one.
    Flow {
        flow: AuthenticationFlow,
        form: Option<String>,
    },
}

/// Adds a step to the flow with this alias; answers its id (of a flow, the flow's).
pub async fn add_step(cx: &Cx, alias: &str, step: NewStep) -> Result<String, Refusal> {
    let mut flows = all(cx);
    let parent = flows.by_alias(alias).ok_or(Refusal::InvalidRequest("Parent flow doesn't exist"))?;
    if parent.built_in {
        return Err(Refusal::Plain("It is illegal to add execution to a built in flow"));
    }
    let parent = parent.id.clone();
    let id = cx.entropy().uuid();
    let mut execution = Execution { id: id.clone(), requirement: "DISABLED".to_owned(), ..Execution::default() };
    let (answer, kind) = match step {
        NewStep::Authenticator(provider) => {
            if type_of(&provider).is_none() {
                return Err(Refusal::PlainText(format!("No authentication provider found for id: {provider}")));
            }
            execution.authenticator = Some(provider);
            (id, ResourceType::AuthExecution)
        }
        NewStep::Flow { flow, form } => {
            refuse_taken(&flows, &flow.alias)?;
            execution.flow_alias = Some(flow.alias.clone());
            execution.authenticator = form;
            let id = flow.id.clone();
            flows.flows.push(flow);
            (id, ResourceType::AuthExecutionFlow)
        }
    };
    for flow in flows.flows.iter_mut().filter(|flow| flow.id == parent) {
        let last = flow.authentication_executions.iter().map(|e| e.priority).max();
        execution.priority = last.map_or(0, |last| last + 1);
        flow.authentication_executions.push(execution.clone());
    }
    write(cx, &flows, Change::add(kind).with("id", answer.as_str())).await?;
    Ok(answer)
}

/// Changes an execution where it stands.
pub async fn change_step(
    cx: &Cx,
    id: &str,
    change: Change,
    edit: impl Fn(&mut Execution, &mut Vec<AuthenticatorConfig>) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let Flows { flows: list, configs } = &mut flows;
    let steps = list.iter_mut().flat_map(|flow| &mut flow.authentication_executions);
    let step = steps.into_iter().find(|execution| execution.id == id).ok_or(NO_EXECUTION)?;
    edit(step, configs)?;
    write(cx, &flows, change).await
}

/// Takes a step out of its flow, with what it stands for.
pub async fn remove_step(cx: &Cx, id: &str) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let (flow, execution) = flows.execution(id).ok_or(NO_EXECUTION)?;
    if flow.built_in {
        return Err(Refusal::Plain("It is illegal to remove execution from a built in flow"));
    }
    let execution = execution.clone();
    for flow in &mut flows.flows {
        flow.authentication_executions.retain(|other| other.id != id);
    }
    remove_parts(&mut flows, &execution);
    write(cx, &flows, Change::delete(ResourceType::AuthExecution)).await
}

/// Changes places with the step before, or the one behind; the first and the last stay where they are.
pub async fn shift_step(cx: &Cx, id: &str, to_front: bool) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let (flow, _) = flows.execution(id).ok_or(NO_EXECUTION)?;
    if flow.built_in {
        return Err(Refusal::Plain("It is illegal to modify execution in a built in flow"));
    }
    let flow_id = flow.id.clone();
    for flow in flows.flows.iter_mut().filter(|flow| flow.id == flow_id) {
        let steps = &mut flow.authentication_executions;
        let Some(at) = steps.iter().position(|execution| execution.id == id) else { continue };
        let other = if to_front { at.checked_sub(1) } else { Some(at + 1).filter(|next| *next < steps.len()) };
        if let Some(other) = other {
            let (one, two) = (steps[at].priority, steps[other].priority);
            (steps[at].priority, steps[other].priority) = (two, one);
            steps.swap(at, other);
        }
    }
    write(cx, &flows, Change::update(ResourceType::AuthExecution).showing_nothing()).await
}

/// Settings are named by their alias: two of one name could not be told apart.
pub fn refuse_taken_config(configs: &[AuthenticatorConfig], new: &AuthenticatorConfig) -> Result<(), Refusal> {
    if configs.iter().any(|other| other.alias == new.alias) {
        return Err(Refusal::Exists(format!("Authentication execution configuration {} already exists", new.alias)));
    }
    Ok(())
}

/// Changes the settings with this id, or takes them away.
pub async fn change_config(cx: &Cx, id: &str, changed: Option<AuthenticatorConfig>) -> Result<(), Refusal> {
    let mut flows = all(cx);
    let at = flows.configs.iter().position(|config| config.id == id).ok_or(NO_CONFIG)?;
    let before = flows.configs.remove(at);
    if let Some(changed) = &changed {
        refuse_taken_config(&flows.configs, changed)?;
    }
    let alias = changed.as_ref().map(|config| config.alias.clone());
    for execution in flows.flows.iter_mut().flat_map(|flow| &mut flow.authentication_executions) {
        if execution.authenticator_config.as_deref() == Some(&before.alias) {
            execution.authenticator_config.clone_from(&alias);
        }
    }
    let kind = ResourceType::AuthenticatorConfig;
    let change = if changed.is_some() { Change::update(kind) } else { Change::delete(kind) };
    flows.configs.extend(changed);
    write(cx, &flows, change).await
}
