//! The account API: what users see of their own sessions.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::admin::bearer;
use super::cors::{self, Cors};
use super::error::{AdminError, json};
use super::extract::{Caller, RealmCx};
use super::state::App;
use crate::flow::session_lookup::{self, LiveToken};
use crate::flow::{Cx, keys};
use crate::model::SessionKind;
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
}

async fn sessions(
    State(_): State<App>,
    RealmCx(cx): RealmCx,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, AdminError> {
    let token = authenticate(&cx, &headers).await?;
    let cors = Cors::for_client(&headers, &caller.base, &token.client).map_err(AdminError::Origin)?;
    let mut response = match list(&token).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    cors.put_on(&mut response, "");
    Ok(response)
}

/// A live access token of the realm with a right on the account.
async fn authenticate(cx: &Cx, headers: &HeaderMap) -> Result<LiveToken, AdminError> {
    let token = bearer(headers).ok_or(AdminError::Unauthorized)?;
    let claims = keys::verified_claims(cx, token).ok_or(AdminError::Unauthorized)?;
    if !access_token::is_bearer(&claims) {
        return Err(AdminError::Unauthorized);
    }
    let kinds = session_lookup::kinds_of(&claims).ok_or(AdminError::Unauthorized)?;
    let live = session_lookup::look_up(cx, &claims, kinds).await?.map_err(|_| AdminError::Unauthorized)?;
    Ok(live)
}

/// The roles of the client `account` of which one lets its holder see the account.
const ROLES: [&str; 2] = ["view-profile", "manage-account"];

fn may_see(token: &LiveToken) -> bool {
    let snapshot = token.cx.snapshot();
    let Some(account) = snapshot.client("account") else { return false };
    let held = snapshot.roles_of(&token.user);
    let scopes = GrantedScopes::resolve(snapshot, &token.client, None, &held);
    let effective = scope::effective_roles(snapshot, &token.client, &scopes.permitted, &held);
    let is_there = |name: &&str| snapshot.client_role(&account.uuid, name).is_some_and(|r| effective.contains(&r.id));
    ROLES.iter().any(|name| is_there(name))
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
    if !may_see(token) {
        return Err(AdminError::Forbidden);
    }
    let cx = &token.cx;
    let alive = session_lookup::live_cutoffs(cx.settings(), None, SessionKind::Online, cx.now);
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let found = store::session_list::of_user(&mut db, SessionKind::Online, realm, &token.user.id, &alive).await?;
    drop(db);
    let sessions: Vec<Session<'_>> = found.iter().map(|listed| session(token, listed)).collect();
    let mut response = json(StatusCode::OK, &sessions);
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
