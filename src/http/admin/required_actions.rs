//! `/authentication/required-actions`: what users of the realm can be asked to do.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, done, done_uncached, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageRealm, Permission, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::required_action::{self as actions, find};
use crate::flow::admin::{Refusal, settled};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::lenient::{Flag, Number, Text, put, text, text_map};
use crate::model::required_action::RequiredAction;

pub(super) fn routes() -> Routes {
    const PLACE: &str = "/{realm}/authentication/required-actions";
    let one = |rest: &str| format!("{PLACE}/{{alias}}{rest}");
    Routes::new()
        .route(PLACE, get(list))
        .route(&one(""), get(read).put(change).delete(remove))
        .route(&one("/config"), get(read_config).put(put_config).delete(remove_config))
        .route(&one("/config-description"), get(describe_config))
        .route(&one("/raise-priority"), post(raise))
        .route(&one("/lower-priority"), post(lower))
        .route("/{realm}/authentication/unregistered-required-actions", get(unregistered))
        .route("/{realm}/authentication/register-required-action", post(register))
        .route("/{realm}/credential-registrators", get(registrators))
}

/// Whoever deals with users or with the realm's settings.
#[derive(Debug)]
struct ViewActions;

impl Permission for ViewActions {
    const ANY_OF: &'static [&'static str] = &["view-realm", "manage-realm", "query-users"];
}

/// Those of a realm by which a user sets a credential up.
const REGISTRATORS: [&str; 4] =
    ["CONFIGURE_RECOVERY_AUTHN_CODES", "CONFIGURE_TOTP", "webauthn-register", "webauthn-register-passwordless"];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct RequiredActionRepresentation {
    #[serde(rename = "alias")]
    _alias: Option<Text>,
    name: Option<Text>,
    provider_id: Option<Text>,
    enabled: Option<Flag>,
    default_action: Option<Flag>,
    priority: Option<Number>,
    config: Option<BTreeMap<String, Option<Text>>>,
}

impl Representation for RequiredActionRepresentation {
    const NAME: &'static str = "RequiredActionProviderRepresentation";
}

impl RequiredActionRepresentation {
    /// The action with what this names; what it does stays what it is, and so does the alias, by which users are asked for it.
    fn put_on(&self, action: &RequiredAction) -> RequiredAction {
        let mut changed = action.clone();
        put(&mut changed.name, self.name.as_ref());
        put(&mut changed.enabled, self.enabled.as_ref());
        put(&mut changed.default_action, self.default_action.as_ref());
        put(&mut changed.priority, self.priority.as_ref());
        if let Some(config) = &self.config {
            changed.config = text_map(config);
        }
        changed
    }
}

async fn list(admin: Admin<ViewActions>) -> Answer {
    Ok(shown(&json!(admin.cx.settings().required_actions)))
}

async fn read(admin: Admin<ViewRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    Ok(shown(&json!(find(&admin.cx, &alias)?)))
}

async fn change(
    admin: Admin<ManageRealm>,
    Path((_, alias)): Path<(String, String)>,
    Json(given): Json<RequiredActionRepresentation>,
) -> Answer {
    let (alias, given) = (&alias, &given);
    settled(admin.cx, |cx: Cx| async move { actions::update(&cx, alias, given.put_on(find(&cx, alias)?)).await }).await?;
    Ok(done())
}

async fn remove(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    let alias = &alias;
    settled(admin.cx, |cx: Cx| async move { actions::remove(&cx, alias).await }).await?;
    Ok(done())
}

async fn raise(admin: Admin<ManageRealm>, path: Path<(String, String)>) -> Answer {
    shift(admin, path, true).await
}

async fn lower(admin: Admin<ManageRealm>, path: Path<(String, String)>) -> Answer {
    shift(admin, path, false).await
}

async fn shift(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>, to_front: bool) -> Answer {
    let alias = &alias;
    settled(admin.cx, |cx: Cx| async move { actions::shift(&cx, alias, to_front).await }).await?;
    Ok(done_uncached())
}

async fn unregistered(admin: Admin<ViewRealm>) -> Answer {
    let listed = actions::unregistered(&admin.cx);
    let entry = |action: &RequiredAction| json!({"providerId": action.provider_id, "name": action.name});
    Ok(shown(&Value::from(listed.iter().map(entry).collect::<Vec<Value>>())))
}

async fn register(admin: Admin<ManageRealm>, Json(given): Json<RequiredActionRepresentation>) -> Answer {
    let provider = text(given.provider_id.as_ref()).unwrap_or_default();
    let name = text(given.name.as_ref()).unwrap_or_else(|| provider.clone());
    let (provider, name) = (&provider, &name);
    settled(admin.cx, |cx: Cx| async move { actions::register(&cx, provider, name).await }).await?;
    Ok(done_uncached())
}

async fn registrators(admin: Admin<ViewRealm>) -> Answer {
    let registered = admin.cx.settings().required_actions.iter().map(|action| action.provider_id.as_str());
    let mut found: Vec<&str> = registered.filter(|id| REGISTRATORS.contains(id)).collect();
    found.sort_unstable();
    Ok(shown(&json!(found)))
}

fn configurable<'a>(cx: &'a Cx, alias: &str) -> Result<&'a RequiredAction, AdminError> {
    let found = find(cx, alias)?;
    let refused = || AdminError::Plain(StatusCode::BAD_REQUEST, "RequiredAction is not configurable".to_owned());
    if found.is_configurable() { Ok(found) } else { Err(refused()) }
}

async fn read_config(admin: Admin<ViewRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    Ok(shown(&json!({"config": configurable(&admin.cx, &alias)?.config})))
}

async fn put_config(
    admin: Admin<ManageRealm>,
    Path((_, alias)): Path<(String, String)>,
    Json(given): Json<RequiredActionRepresentation>,
) -> Answer {
    configure(admin, &alias, given.config.as_ref().map(text_map).unwrap_or_default()).await
}

async fn remove_config(admin: Admin<ManageRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    configure(admin, &alias, BTreeMap::new()).await
}

async fn configure(admin: Admin<ManageRealm>, alias: &str, config: BTreeMap<String, String>) -> Answer {
    configurable(&admin.cx, alias)?;
    let config = &config;
    settled(admin.cx, |cx: Cx| async move {
        let changed = RequiredAction { config: config.clone(), ..find(&cx, alias)?.clone() };
        actions::update(&cx, alias, changed).await
    })
    .await?;
    Ok(done())
}

async fn describe_config(admin: Admin<ViewRealm>, Path((_, alias)): Path<(String, String)>) -> Answer {
    if !find(&admin.cx, &alias)?.is_configurable() {
        return Err(Refusal::NotFound("Could not find configurable RequiredAction provider").into());
    }
    let age = json!({"name": "max_auth_age", "label": "Maximum Age of Authentication", "type": "String", "defaultValue": "300"});
    Ok(shown(&json!({"properties": [age]})))
}
