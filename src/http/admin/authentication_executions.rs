//! `/authentication/executions` and `/authentication/config`: one step of a flow, its place, its settings; and what can be one.

use std::collections::BTreeMap;

use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, created_uncached, done_uncached, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageRealm, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::authentication_flow::{self as flows, NO_CONFIG, NO_EXECUTION};
use crate::flow::admin::settled;
use crate::flow::admin_event::Change;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::authentication_flow::execution as shown_execution;
use crate::http::representation::lenient::{Text, text, text_map};
use crate::model::admin_event::ResourceType;
use crate::model::authentication_flow::{AuthenticatorConfig, type_of, types};

pub(super) fn routes() -> Routes {
    let at = |rest: &str| format!("/{{realm}}/authentication/{rest}");
    Routes::new()
        .route(&at("executions/{id}"), get(read).delete(remove))
        .route(&at("executions/{id}/raise-priority"), post(raise))
        .route(&at("executions/{id}/lower-priority"), post(lower))
        .route(&at("executions/{id}/config"), post(attach_config))
        .route(&at("config/{id}"), get(read_config).put(change_config).delete(remove_config))
        .route(&at("config-description/{provider}"), get(describe_config))
        .route(&at("per-client-config-description"), get(describe_of_clients))
        .route(&at("authenticator-providers"), get(authenticators))
        .route(&at("client-authenticator-providers"), get(client_authenticators))
        .route(&at("form-action-providers"), get(form_actions))
        .route(&at("form-providers"), get(forms))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ConfigRepresentation {
    alias: Option<Text>,
    config: Option<BTreeMap<String, Option<Text>>>,
}

impl Representation for ConfigRepresentation {
    const NAME: &'static str = "AuthenticatorConfigRepresentation";
}

impl ConfigRepresentation {
    fn to_config(&self, id: String) -> Result<AuthenticatorConfig, AdminError> {
        let alias = text(self.alias.as_ref()).filter(|alias| !alias.trim().is_empty());
        let alias = alias.ok_or_else(|| AdminError::bad_request("Alias missing"))?;
        Ok(AuthenticatorConfig { id, alias, config: self.config.as_ref().map(text_map).unwrap_or_default() })
    }
}

async fn read(admin: Admin<ViewRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let all = flows::all(&admin.cx);
    let (flow, execution) = all.execution(&id).ok_or(NO_EXECUTION)?;
    Ok(shown(&shown_execution(flow, execution, &all)))
}

async fn remove(admin: Admin<ManageRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let id = &id;
    settled(admin.cx, |cx: Cx| async move { flows::remove_step(&cx, id).await }).await?;
    Ok(done_uncached())
}

async fn raise(admin: Admin<ManageRealm>, path: Path<(String, String)>) -> Answer {
    shift(admin, path, true).await
}

async fn lower(admin: Admin<ManageRealm>, path: Path<(String, String)>) -> Answer {
    shift(admin, path, false).await
}

async fn shift(admin: Admin<ManageRealm>, Path((_, id)): Path<(String, String)>, to_front: bool) -> Answer {
    let id = &id;
    settled(admin.cx, |cx: Cx| async move { flows::shift_step(&cx, id, to_front).await }).await?;
    Ok(done_uncached())
}

/// Settings take the place of those that the execution has.
async fn attach_config(
    admin: Admin<ManageRealm>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ConfigRepresentation>,
) -> Answer {
    flows::all(&admin.cx).execution(&id).ok_or(NO_EXECUTION)?;
    let config = given.to_config(admin.cx.entropy().uuid())?;
    let location = admin.below(&config.id);
    let (id, config) = (&id, &config);
    settled(admin.cx, |cx: Cx| async move {
        let change = Change::add(ResourceType::AuthenticatorConfig).with("id", config.id.as_str());
        flows::change_step(&cx, id, change, |step, configs| {
            configs.retain(|other| Some(&other.alias) != step.authenticator_config.as_ref());
            flows::refuse_taken_config(configs, config)?;
            step.authenticator_config = Some(config.alias.clone());
            configs.push(config.clone());
            Ok(())
        })
        .await
    })
    .await?;
    Ok(created_uncached(&location))
}

async fn read_config(admin: Admin<ViewRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let all = flows::all(&admin.cx);
    Ok(shown(&json!(all.configs.iter().find(|config| config.id == id).ok_or(NO_CONFIG)?)))
}

async fn change_config(
    admin: Admin<ManageRealm>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ConfigRepresentation>,
) -> Answer {
    flows::all(&admin.cx).configs.iter().find(|config| config.id == id).ok_or(NO_CONFIG)?;
    let (id, config) = (&id, &given.to_config(id.clone())?);
    settled(admin.cx, |cx: Cx| async move { flows::change_config(&cx, id, Some(config.clone())).await }).await?;
    Ok(done_uncached())
}

async fn remove_config(admin: Admin<ManageRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    let id = &id;
    settled(admin.cx, |cx: Cx| async move { flows::change_config(&cx, id, None).await }).await?;
    Ok(done_uncached())
}

async fn describe_config(_: Admin<ViewRealm>, Path((_, provider)): Path<(String, String)>) -> Answer {
    let known = type_of(&provider).ok_or(AdminError::NotFound("Could not find authenticator provider"))?;
    Ok(shown(&json!({"name": known.name, "providerId": known.id, "helpText": "", "properties": known.properties})))
}

/// Client authenticators have no settings of their own.
async fn describe_of_clients(_: Admin<ViewRealm>) -> Answer {
    let of_clients = types().iter().filter(|known| known.kind == "client-authenticator");
    Ok(shown(&Value::from(of_clients.map(|known| (known.id.clone(), json!([]))).collect::<Map<String, Value>>())))
}

fn catalogue(kind: &str) -> Answer {
    let entry = |known: &crate::model::authentication_flow::AuthenticatorType| {
        let mut shown = json!({"id": known.id, "displayName": known.name, "description": ""});
        if let (Some(supports), Some(fields)) = (known.supports_secret, shown.as_object_mut()) {
            fields.insert("supportsSecret".to_owned(), json!(supports));
        }
        shown
    };
    Ok(shown(&Value::from(types().iter().filter(|known| known.kind == kind).map(entry).collect::<Vec<Value>>())))
}

async fn authenticators(_: Admin<ViewRealm>) -> Answer {
    catalogue("authenticator")
}

async fn client_authenticators(_: Admin<ViewRealm>) -> Answer {
    catalogue("client-authenticator")
}

async fn form_actions(_: Admin<ViewRealm>) -> Answer {
    catalogue("form-action")
}

async fn forms(_: Admin<ViewRealm>) -> Answer {
    catalogue("form")
}
