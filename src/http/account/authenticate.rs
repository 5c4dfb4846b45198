//! Who calls the Account REST API: a user, by a live access token that is meant for the account and lets its client do
//! something of it. What a handler needs is the type of its argument.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use crate::flow::session_lookup::{self, LiveToken};
use crate::flow::{Cx, keys};
use crate::http::admin::bearer;
use crate::http::cors::{self, Cors};
use crate::http::error::{AdminError, OAuthFailure};
use crate::http::extract::{BodyError, Caller, RealmCx, read_body};
use crate::http::state::App;
use crate::model::{Client, SessionId, User};
use crate::oidc::access_token;
use crate::oidc::scope::{self, GrantedScopes};

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, POST, PUT";
/// What users send is small.
const MAX_BODY: usize = 64 * 1024;
/// The client whose roles say what a user may do in the account.
const ACCOUNT: &str = "account";

/// The gate before every address of the API: preflights pass, others need a token, and pages need an origin of its client.
pub(super) async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(request.headers(), METHODS);
    }
    let (mut parts, body) = request.into_parts();
    let caller = Caller::of(&app, &parts);
    // The body comes first: who dribbles it is judged as things stand when it is there.
    let body = match read_body(body, MAX_BODY).await {
        Ok(body) => body,
        Err(BodyError::TooSlow) => {
            return AdminError::Plain(StatusCode::REQUEST_TIMEOUT, "HTTP 408 Request Timeout".to_owned()).into_response();
        }
        Err(_) => {
            let text = "HTTP 413 Request Entity Too Large".to_owned();
            return AdminError::Plain(StatusCode::PAYLOAD_TOO_LARGE, text).into_response();
        }
    };
    let RealmCx(cx) = match RealmCx::from_request_parts(&mut parts, &app).await {
        Ok(cx) => cx,
        Err(failure) => return OAuthFailure::into_response(failure),
    };
    let user = match identify(&cx, &parts.headers).await {
        Ok(token) => token,
        Err(error) => return error.into_response(),
    };
    let cors = match Cors::for_client(&parts.headers, &caller.base, &user.token.client) {
        Ok(cors) => cors,
        Err(invalid) => return AdminError::Origin(invalid).into_response(),
    };
    parts.extensions.insert(Arc::new(user));
    let mut response = next.run(Request::from_parts(parts, Body::from(body))).await;
    cors.put_on(&mut response, "");
    response
}

/// A user's live token, with what it says.
struct Identified {
    token: LiveToken,
    claims: Map<String, Value>,
}

async fn identify(cx: &Cx, headers: &HeaderMap) -> Result<Identified, AdminError> {
    let token = bearer(headers).ok_or(AdminError::Unauthorized)?;
    let (cx, claims) = keys::claims_of_any_node(cx, token).await?.ok_or(AdminError::Unauthorized)?;
    if !access_token::is_bearer(&claims) {
        return Err(AdminError::Unauthorized);
    }
    let kinds = session_lookup::kinds_of(&claims).ok_or(AdminError::Unauthorized)?;
    let token = session_lookup::look_up(&cx, &claims, kinds).await?.map_err(|_| AdminError::Unauthorized)?;
    // A token for somebody else opens no account, and a client that acts for itself has none.
    let is_meant = access_token::audience_of(&claims).contains(ACCOUNT);
    if is_meant && token.user.service_account_of.is_none() {
        Ok(Identified { token, claims })
    } else {
        Err(AdminError::Unauthorized)
    }
}

/// Roles of the client `account`, of which one is enough.
pub(super) trait Permission: Send + Sync + 'static {
    const ANY_OF: &'static [&'static str];
}

macro_rules! permissions {
    ($($name:ident = $roles:expr;)+) => {$(
        #[derive(Debug)]
        pub(super) struct $name;
        impl Permission for $name {
            const ANY_OF: &'static [&'static str] = &$roles;
        }
    )+};
}

permissions! {
    ViewProfile = ["view-profile", "manage-account"];
    ManageAccount = ["manage-account"];
    ViewApplications = ["view-applications", "manage-account"];
    ViewConsent = ["view-consent", "manage-consent", "manage-account"];
    ManageConsent = ["manage-consent", "manage-account"];
    ViewGroups = ["view-groups", "manage-account"];
}

/// A user who may do `P` with the own account.
pub(super) struct Own<P> {
    identified: Arc<Identified>,
    permission: PhantomData<P>,
}

impl<P> Own<P> {
    /// The request on the realm that the token was judged on.
    pub(super) fn cx(&self) -> &Cx {
        &self.identified.token.cx
    }

    pub(super) fn user(&self) -> &User {
        &self.identified.token.user
    }

    /// The client that the token was issued to.
    pub(super) fn client(&self) -> &Client {
        &self.identified.token.client
    }

    /// The session that the token is of.
    pub(super) fn session(&self) -> Option<&SessionId> {
        self.identified.token.session.as_ref().map(|s| &s.session.id)
    }
}

impl<P: Permission> FromRequestParts<App> for Own<P> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, AdminError> {
        let identified = parts.extensions.get::<Arc<Identified>>().map(Arc::clone).ok_or(AdminError::Unauthorized)?;
        if may(&identified, P::ANY_OF) { Ok(Self { identified, permission: PhantomData }) } else { Err(AdminError::Forbidden) }
    }
}

/// Whether the user holds one of the roles, and the token carries it.
fn may(Identified { token, claims }: &Identified, any_of: &[&str]) -> bool {
    let snapshot = token.cx.snapshot();
    let Some(account) = snapshot.client(ACCOUNT) else { return false };
    let held = snapshot.roles_of(&token.user);
    let scopes = GrantedScopes::resolve(snapshot, &token.client, claims.get("scope").and_then(Value::as_str), &held);
    let effective = scope::effective_roles(snapshot, &token.client, &scopes.permitted, &held);
    // A lightweight token lists no roles and is not limited by that.
    let is_listed = |name: &str| {
        token.client.uses_lightweight_access_tokens() || access_token::lists_role(claims, &["resource_access", ACCOUNT], name)
    };
    let holds = |name: &str| snapshot.client_role(&account.uuid, name).is_some_and(|r| effective.contains(&r.id));
    any_of.iter().any(|name| holds(name) && is_listed(name))
}
