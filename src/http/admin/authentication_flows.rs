//! `/authentication/flows`: what is asked of whoever signs in, and in which order.

use axum::extract::Path;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Answer, created_uncached, done_uncached, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageRealm, Permission, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::authentication_flow::{self as flows, NewStep};
use crate::flow::admin::{Refusal, settled};
use crate::flow::admin_event::Change;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::path_segment;
use crate::http::representation::authentication_flow::{ExecutionInfo, FlowRepresentation, flattened, flow as shown_flow};
use crate::http::representation::lenient::{Text, put, text};
use crate::model::admin_event::ResourceType;
use crate::model::authentication_flow::AuthenticationFlow;

pub(super) fn routes() -> Routes {
    const PLACE: &str = "/{realm}/authentication/flows";
    let one = |rest: &str| format!("{PLACE}/{{flow}}{rest}");
    Routes::new()
        .route(PLACE, get(list).post(create))
        .route(&one(""), get(read).put(change).delete(delete))
        .route(&one("/copy"), post(copy))
        .route(&one("/executions"), get(executions).put(change_execution))
        .route(&one("/executions/execution"), post(add_execution))
        .route(&one("/executions/flow"), post(add_flow))
}

/// Whoever deals with the realm's settings, or may bind a flow to a client.
#[derive(Debug)]
struct ViewFlows;

impl Permission for ViewFlows {
    const ANY_OF: &'static [&'static str] = &["view-realm", "manage-realm", "query-clients"];
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct NewName {
    new_name: Option<Text>,
}

impl Representation for NewName {
    const NAME: &'static str = "Map";
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    provider: Option<Text>,
    alias: Option<Text>,
    #[serde(rename = "type")]
    kind: Option<Text>,
    description: Option<Text>,
}

impl Representation for Step {
    const NAME: &'static str = "Map";
}

async fn list(admin: Admin<ViewFlows>) -> Answer {
    let all = flows::all(&admin.cx);
    Ok(shown(&Value::from(all.flows.iter().filter(|flow| flow.top_level).map(shown_flow).collect::<Vec<Value>>())))
}

async fn read(admin: Admin<ViewRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let all = flows::all(&admin.cx);
    Ok(shown(&shown_flow(all.by_id(&id).ok_or(AdminError::NotFound("Could not find flow with id"))?)))
}

async fn create(admin: Admin<ManageRealm>, Json(given): Json<FlowRepresentation>) -> Answer {
    let flow = AuthenticationFlow {
        id: admin.cx.entropy().uuid(),
        alias: text(given.alias.as_ref()).unwrap_or_default(),
        description: text(given.description.as_ref()),
        provider_id: text(given.provider_id.as_ref()).unwrap_or_else(|| "basic-flow".to_owned()),
        top_level: given.top_level.is_none_or(|flag| flag.0),
        built_in: given.built_in.is_some_and(|flag| flag.0),
        authentication_executions: Vec::new(),
    };
    let location = admin.below(&flow.id);
    let flow = &flow;
    settled(admin.cx, |cx: Cx| async move { flows::create(&cx, flow).await }).await?;
    Ok(created_uncached(&location))
}

async fn change(
    admin: Admin<ManageRealm>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<FlowRepresentation>,
) -> Answer {
    let (id, alias, description) = (&id, text(given.alias.as_ref()), text(given.description.as_ref()));
    let (alias, description) = (alias.as_deref(), description.as_deref());
    settled(admin.cx, |cx: Cx| async move { flows::update(&cx, id, alias, description).await }).await?;
    Ok(done_uncached())
}

async fn delete(admin: Admin<ManageRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let id = &id;
    settled(admin.cx, |cx: Cx| async move { flows::delete(&cx, id).await }).await?;
    Ok(done_uncached())
}

/// Keycloak names the copy below the address of the copying.
async fn copy(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>, Json(given): Json<NewName>) -> Answer {
    let new_name = text(given.new_name.as_ref()).filter(|name| !name.trim().is_empty());
    let new_name = &new_name.ok_or_else(|| AdminError::conflict("Failed to create flow with empty alias name"))?;
    let alias = &alias;
    let id = settled(admin.cx.clone(), |cx: Cx| async move { flows::copy(&cx, alias, new_name).await }).await?;
    Ok(created_uncached(&admin.below(&id)))
}

async fn executions(admin: Admin<ViewRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    let all = flows::all(&admin.cx);
    let flow = all.by_alias(&alias).ok_or(AdminError::NotFound("Flow not found"))?;
    Ok(shown(&Value::from(flattened(&all, flow))))
}

/// Its requirement and its place; of a flow also its name and what it is for.
async fn change_execution(
    admin: Admin<ManageRealm>,
    Path((_, alias)): Path<(String, String)>,
    Json(given): Json<ExecutionInfo>,
) -> Answer {
    let all = flows::all(&admin.cx);
    all.by_alias(&alias).ok_or(AdminError::NotFound("flow not found"))?;
    let id = text(given.id.as_ref()).unwrap_or_default();
    let (_, execution) = all.execution(&id).ok_or(flows::NO_EXECUTION)?;
    if let Some(requirement) = &given.requirement {
        check_requirement(&requirement.0)?;
    }
    if let Some(below) = execution.flow_alias.as_deref().and_then(|alias| all.by_alias(alias)) {
        let (below, name, about) = (&below.id, text(given.display_name.as_ref()), text(given.description.as_ref()));
        let (name, about) = (name.as_deref(), about.as_deref());
        settled(admin.cx.clone(), |cx: Cx| async move { flows::update(&cx, below, name, about).await }).await?;
    }
    let (id, given) = (&id, &given);
    settled(admin.cx, |cx: Cx| async move {
        flows::change_step(&cx, id, Change::update(ResourceType::AuthExecution), |step, _| {
            put(&mut step.requirement, given.requirement.as_ref());
            put(&mut step.priority, given.priority.as_ref());
            Ok(())
        })
        .await
    })
    .await?;
    Ok(done_uncached())
}

fn check_requirement(requirement: &str) -> Result<(), Refusal> {
    if ["REQUIRED", "ALTERNATIVE", "CONDITIONAL", "DISABLED"].contains(&requirement) {
        return Ok(());
    }
    Err(Refusal::PlainText(format!("Unknown requirement {requirement}")))
}

async fn add_execution(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>, Json(given): Json<Step>) -> Answer {
    let provider = text(given.provider.as_ref()).unwrap_or_default();
    add(admin, &alias, &NewStep::Authenticator(provider), "executions").await
}

async fn add_flow(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>, Json(given): Json<Step>) -> Answer {
    let kind = text(given.kind.as_ref()).unwrap_or_else(|| "basic-flow".to_owned());
    let flow = AuthenticationFlow {
        id: admin.cx.entropy().uuid(),
        alias: text(given.alias.as_ref()).unwrap_or_default(),
        description: text(given.description.as_ref()),
        top_level: false,
        built_in: false,
        authentication_executions: Vec::new(),
        provider_id: kind.clone(),
    };
    // Only a form has a provider of its own.
    let form = text(given.provider.as_ref()).filter(|_| kind == "form-flow");
    add(admin, &alias, &NewStep::Flow { flow, form }, "flows").await
}

async fn add(admin: Admin<ManageRealm>, alias: &str, step: &NewStep, family: &str) -> Answer {
    let place = format!("{}/admin/realms/{}/authentication/{family}", admin.base, path_segment(&admin.cx.snapshot().realm.name));
    let id = settled(admin.cx, |cx: Cx| async move { flows::add_step(&cx, alias, step.clone()).await }).await?;
    Ok(created_uncached(&format!("{place}/{}", path_segment(&id))))
}
