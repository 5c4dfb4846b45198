//! Who calls the Admin REST API: a user with a live access token of the addressed realm or of the master realm.
//!
//! The token is looked up like everywhere else, so that what ends a session ends its administration at once. Roles are those of
//! the moment; a token that lists its roles cannot do more than it lists.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::flow::admin_request::{AdminRequest, Sent};
use crate::flow::session_lookup::{self, LiveToken};
use crate::flow::{Cx, keys};
use crate::http::cors::{self, Cors};
use crate::http::error::AdminError;
use crate::http::extract::{Caller, cx_of};
use crate::http::state::App;
use crate::jose;
use crate::model::admin_event::AuthDetails;
use crate::oidc::access_token;
use crate::oidc::admin_roles::{REALM_MANAGEMENT, is_administrative, master_client};
use crate::oidc::scope::{self, GrantedScopes};

const METHODS: &str = "DELETE, GET, POST, PUT";
const EXPOSED: &str = "Location";

/// The administrator of a request.
#[derive(Clone, Debug)]
pub(crate) struct Administrator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    token: LiveToken,
    claims: Map<String, Value>,
}

impl Administrator {
    /// The request in the realm that issued the token.
    pub(crate) fn own_cx(&self) -> &Cx {
        &self.0.token.cx
    }

    pub(crate) fn user(&self) -> &crate::model::User {
        &self.0.token.user
    }

    /// Who asks, as events say it.
    pub(crate) fn auth_details(&self) -> AuthDetails {
        let LiveToken { cx, client, user, .. } = &self.0.token;
        AuthDetails {
            realm: cx.snapshot().realm.id.clone(),
            client: client.uuid.clone(),
            user: user.id.clone(),
            ip_address: cx.origin.ip_address.clone(),
        }
    }

    /// The request in the realm that issued the token, to tell there of a realm that is made or deleted.
    pub(crate) fn telling_of(&self, realm_name: &str) -> Cx {
        let request = AdminRequest { auth: self.auth_details(), path: realm_name.to_owned(), sent: Sent::default() };
        Cx { admin: Some(Arc::new(request)), ..self.own_cx().clone() }
    }

    /// The client that the token was issued to.
    pub(crate) fn client_id(&self) -> &str {
        self.0.token.client.client_id.as_str()
    }

    /// Whether the caller has any administrative role at all.
    pub(crate) fn administers_something(&self) -> bool {
        let snapshot = self.own_cx().snapshot();
        let held = self.effective();
        let mut roles = held.iter().filter_map(|id| snapshot.roles.get(*id));
        roles.any(|role| {
            let client = role.client.as_ref().and_then(|uuid| snapshot.clients.get(uuid));
            is_administrative(snapshot, role)
                && match client {
                    Some(client) => self.listed(&["resource_access", client.client_id.as_str()], &role.name),
                    None => self.listed(&["realm_access"], &role.name),
                }
        })
    }

    /// Whether the token is of the master realm, which administers all others.
    pub(crate) fn is_of_master(&self) -> bool {
        self.own_cx().snapshot().realm.name == MASTER
    }

    /// The names of the administrative roles that the caller has in a realm.
    pub(crate) fn roles_in(&self, realm_name: &str) -> HashSet<String> {
        let own = &self.own_cx().snapshot().realm.name;
        if self.is_of_master() {
            self.client_roles(&master_client(realm_name))
        } else if own == realm_name {
            self.client_roles(REALM_MANAGEMENT)
        } else {
            HashSet::new()
        }
    }

    /// Whether the caller has a role of the realm that issued the token, e.g. `create-realm`.
    pub(crate) fn has_realm_role(&self, name: &str) -> bool {
        let snapshot = self.own_cx().snapshot();
        let listed = self.listed(&["realm_access"], name);
        listed && snapshot.realm_role(name).is_some_and(|role| self.effective().contains(&role.id))
    }

    fn client_roles(&self, client_id: &str) -> HashSet<String> {
        let snapshot = self.own_cx().snapshot();
        let Some(client) = snapshot.client(client_id) else { return HashSet::new() };
        let held = self.effective();
        let roles = held.iter().filter_map(|id| snapshot.roles.get(*id)).filter(|r| r.client.as_ref() == Some(&client.uuid));
        roles.filter(|r| self.listed(&["resource_access", client_id], &r.name)).map(|r| r.name.clone()).collect()
    }

    /// The user's roles of the moment, as far as the client's scope lets them through.
    fn effective(&self) -> HashSet<&crate::model::RoleId> {
        let LiveToken { cx, client, user, .. } = &self.0.token;
        let held = cx.snapshot().roles_of(user);
        let text = self.0.claims.get("scope").and_then(Value::as_str);
        let scopes = GrantedScopes::resolve(cx.snapshot(), client, text, &held);
        scope::effective_roles(cx.snapshot(), client, &scopes.permitted, &held)
    }

    /// Whether the token lists the role. A lightweight token lists none and is not limited by that.
    fn listed(&self, path: &[&str], role: &str) -> bool {
        self.0.token.client.uses_lightweight_access_tokens() || access_token::lists_role(&self.0.claims, path, role)
    }
}

const MASTER: &str = "master";

/// The gate before every address of the API: preflights pass, others need a token, and pages need an origin of its client.
pub(crate) async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(request.headers(), METHODS);
    }
    let mut response = admit(app, request, next).await;
    // No answer is for a frame, or for a search engine.
    for (name, value) in [("x-frame-options", "SAMEORIGIN"), ("x-robots-tag", "none")] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

async fn admit(app: App, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts);
    let administrator = match identify(&app, &caller, &parts.headers).await {
        Ok(administrator) => administrator,
        Err(error) => return error.into_response(),
    };
    let cors = match Cors::for_client(&parts.headers, &caller.base, &administrator.0.token.client) {
        Ok(cors) => cors,
        Err(invalid) => return AdminError::Origin(invalid).into_response(),
    };
    if parts.method == Method::GET && !takes_json(&parts.headers) {
        return AdminError::Plain(StatusCode::NOT_ACCEPTABLE, "HTTP 406 Not Acceptable".to_owned()).into_response();
    }
    parts.extensions.insert(administrator);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    cors.put_on(&mut response, EXPOSED);
    response
}

/// Whether the caller can read what is answered here (RFC 9110 §12.5.1).
fn takes_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else { return true };
    let mut media = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    media.any(|range| ["", "*/*", "application/*", "application/json", "text/*", "text/plain"].contains(&range))
}

/// Whose token this is.
pub(crate) async fn identify(app: &App, caller: &Caller, headers: &HeaderMap) -> Result<Administrator, AdminError> {
    let token = bearer(headers).ok_or(AdminError::Unauthorized)?;
    let unverified = jose::peek(token).and_then(|(_, claims)| claims.get("iss").and_then(Value::as_str).map(str::to_owned));
    let issuer = unverified.ok_or(AdminError::Unauthorized)?;
    let name = issuer.strip_prefix(&format!("{}/realms/", caller.base)).ok_or(AdminError::Unauthorized)?;
    let name = percent_encoding::percent_decode_str(name).decode_utf8().map_err(|_| AdminError::Unauthorized)?;
    let cx = cx_of(app, caller, &name).await?.ok_or(AdminError::Unauthorized)?;
    let (cx, claims) = keys::claims_of_any_node(&cx, token).await?.ok_or(AdminError::Unauthorized)?;
    if !access_token::is_bearer(&claims) {
        return Err(AdminError::Unauthorized);
    }
    let kinds = session_lookup::kinds_of(&claims).ok_or(AdminError::Unauthorized)?;
    match session_lookup::look_up(&cx, &claims, kinds).await? {
        Ok(token) => Ok(Administrator(Arc::new(Inner { token, claims }))),
        Err(_) => Err(AdminError::Unauthorized),
    }
}

/// The token of `Authorization: Bearer` (RFC 6750 §2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|t| !t.is_empty())
}
