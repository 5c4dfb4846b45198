//! The account API: what users see of their own sessions, and what they agreed to.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::admin::bearer;
use super::cors::{self, Cors};
use super::error::{AdminError, json as json_response};
use super::extract::{Caller, RealmCx, read_json};
use super::state::App;
use crate::flow::session_lookup::{self, LiveToken};
use crate::flow::{Cx, consent, keys};
use crate::model::{ClientScopeId, SessionKind};
use crate::oidc::access_token;
use crate::oidc::scope::{self, GrantedScopes};
use crate::oidc::session_limits;
use crate::store;
use crate::store::session_list::ListedSession;

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST, PUT";

pub(super) fn routes() -> Router<App> {
    let preflight = |headers: HeaderMap| async move { cors::preflight(&headers, METHODS) };
    Router::new()
        .route("/realms/{realm}/account", axum::routing::options(preflight))
        .route("/realms/{realm}/account/sessions", get(sessions).options(preflight))
        .route("/realms/{realm}/account/applications/{client}/consent", put(change_consent).options(preflight))
}

async fn sessions(RealmCx(cx): RealmCx, caller: Caller, headers: HeaderMap) -> Result<Response, AdminError> {
    let token = authenticate(&cx, &headers).await?;
    let cors = Cors::for_client(&headers, &caller.base, &token.client).map_err(AdminError::Origin)?;
    let mut response = list(&token).await.unwrap_or_else(IntoResponse::into_response);
    cors.put_on(&mut response, "");
    Ok(response)
}

/// `PUT /account/applications/{client}/consent`: what the user agrees to from now on.
async fn change_consent(
    RealmCx(cx): RealmCx,
    Path((_, client_id)): Path<(String, String)>,
    caller: Caller,
    headers: HeaderMap,
    body: axum::body::Body,
) -> Result<Response, AdminError> {
    let token = authenticate(&cx, &headers).await?;
    let cors = Cors::for_client(&headers, &caller.base, &token.client).map_err(AdminError::Origin)?;
    let mut response = put_consent(&token, &client_id, &headers, body).await.unwrap_or_else(IntoResponse::into_response);
    cors.put_on(&mut response, "");
    Ok(response)
}

/// A live access token of the realm.
async fn authenticate(cx: &Cx, headers: &HeaderMap) -> Result<LiveToken, AdminError> {
    let token = bearer(headers).ok_or(AdminError::Unauthorized)?;
    let claims = keys::verified_claims(cx, token).filter(access_token::is_bearer).ok_or(AdminError::Unauthorized)?;
    let kinds = session_lookup::kinds_of(&claims).ok_or(AdminError::Unauthorized)?;
    session_lookup::look_up(cx, &claims, kinds).await?.map_err(|_| AdminError::Unauthorized)
}

/// Whether the token lets its client do something of the account: one of these roles of the client `account` is in its scope
/// and held by the user.
fn has_any_of(token: &LiveToken, roles: &[&str]) -> bool {
    let snapshot = token.cx.snapshot();
    let Some(account) = snapshot.client("account") else { return false };
    let held = snapshot.roles_of(&token.user);
    let scopes = GrantedScopes::resolve(snapshot, &token.client, None, &held);
    let effective = scope::effective_roles(snapshot, &token.client, &scopes.permitted, &held);
    roles.iter().any(|name| snapshot.client_role(&account.uuid, name).is_some_and(|r| effective.contains(&r.id)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConsentChange {
    #[serde(default)]
    granted_scopes: Vec<GrantedScope>,
}

#[derive(Deserialize)]
struct GrantedScope {
    id: String,
}

async fn put_consent(
    token: &LiveToken,
    client_id: &str,
    headers: &HeaderMap,
    body: axum::body::Body,
) -> Result<Response, AdminError> {
    if !has_any_of(token, &["manage-account", "manage-consent"]) {
        return Err(AdminError::Forbidden);
    }
    let snapshot = token.cx.snapshot();
    let change: ConsentChange = read_json(headers, body).await.map_err(|_| AdminError::unparsable())?;
    let Some(client) = snapshot.client(client_id) else {
        let text = format!("No client with clientId: {client_id} found.");
        return Err(AdminError::Message(StatusCode::NOT_FOUND, text));
    };
    let mut scopes = Vec::new();
    for granted in &change.granted_scopes {
        let id = ClientScopeId::new(granted.id.as_str());
        let is_of_client = client.default_scopes.contains(&id) || client.optional_scopes.contains(&id);
        let Some(scope) = snapshot.scopes.get(&id).filter(|_| is_of_client) else {
            return Err(AdminError::bad_request(format!("Scope id {} does not exist for client {client_id}.", granted.id)));
        };
        scopes.push(scope);
    }
    let ids: Vec<ClientScopeId> = scopes.iter().map(|s| s.id.clone()).collect();
    consent::replace(&token.cx, client, &token.user, &ids).await?;
    let told: Vec<Value> = scopes.iter().map(|s| json!({"id": s.id.as_str(), "name": s.name})).collect();
    let now = token.cx.now.unix_millis();
    Ok(json_response(StatusCode::OK, &json!({"grantedScopes": told, "lastUpdatedDate": now})))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    id: &'a str,
    ip_address: &'a str,
    started: i64,
    last_access: i64,
    expires: i64,
    clients: Vec<SessionClient<'a>>,
    browser: String,
    current: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionClient<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    user_consent_required: bool,
    in_use: bool,
    offline_access: bool,
}

async fn list(token: &LiveToken) -> Result<Response, AdminError> {
    if !has_any_of(token, &["view-profile", "manage-account"]) {
        return Err(AdminError::Forbidden);
    }
    let cx = &token.cx;
    let alive = session_lookup::live_cutoffs(cx.settings(), None, SessionKind::Online, cx.now);
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let found = store::session_list::of_user(&mut db, SessionKind::Online, realm, &token.user.id, &alive).await?;
    drop(db);
    let sessions: Vec<Session<'_>> = found.iter().map(|listed| session(token, listed)).collect();
    let mut response = json_response(StatusCode::OK, &sessions);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

fn session<'a>(token: &'a LiveToken, listed: &'a ListedSession) -> Session<'a> {
    let cx = &token.cx;
    let limits = session_limits::of_session(cx.settings(), SessionKind::Online, listed.remember_me);
    let started = listed.started_at.unix_seconds();
    let lasts = limits.max.and_then(|max| i64::try_from(max.as_secs()).ok()).unwrap_or_default();
    let known = listed.clients.iter().filter_map(|uuid| cx.snapshot().clients.get(uuid));
    let clients = known.map(|client| SessionClient {
        client_id: client.client_id.as_str(),
        client_name: client.settings.name.as_deref().filter(|n| !n.is_empty()),
        user_consent_required: client.settings.consent_required,
        // Keycloak fills these two in its list of applications only.
        in_use: false,
        offline_access: false,
    });
    Session {
        id: listed.id.as_str(),
        ip_address: &listed.ip_address,
        started,
        last_access: listed.last_access_at.unix_seconds(),
        expires: started.saturating_add(lasts),
        clients: clients.collect(),
        browser: browser(&listed.user_agent),
        current: token.session.as_ref().is_some_and(|s| s.session.id == listed.id),
    }
}

/// The browser's name and version as a `User-Agent` header tells them. Several pretend to be others: the first here wins.
fn browser(user_agent: &str) -> String {
    let named = ["Edg/", "OPR/", "Firefox/", "Chrome/", "Version/"].into_iter().find_map(|name| {
        let (_, rest) = user_agent.split_once(name)?;
        let version: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let shown = match name {
            "Edg/" => "Edge/",
            "OPR/" => "Opera/",
            "Version/" => "Safari/",
            other => other,
        };
        Some(format!("{shown}{version}"))
    });
    named.unwrap_or_else(|| "Other/Unknown".to_owned())
}

#[cfg(test)]
mod tests {
    #[test]
    fn browsers_are_named() {
        let of = super::browser;
        assert_eq!(of("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox/140.0");
        assert_eq!(of("Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36 Edg/141.0.1"), "Edge/141.0.1");
        assert_eq!(of("curl/8"), "Other/Unknown");
    }
}
