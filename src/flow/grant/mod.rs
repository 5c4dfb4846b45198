//! The grants of the token endpoint. Each is a straight line: load, decide, apply, answer.

pub mod authorization_code;
pub mod client_credentials;
pub mod open;
pub mod password;
mod refresh_event;
pub mod refresh_token;

use serde_json::{Map, Value};

use super::context::Cx;
use super::event;
use super::issue_tokens::Tokens;
use crate::model::event::EventKind;
use crate::model::{Client, SessionId, UserId};
use crate::oidc::OAuthError;
use crate::oidc::admission::Refusal;
use crate::oidc::token_request::GrantType;
use crate::store::StoreError;

/// What a grant leaves behind for the event log.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    pub details: Map<String, Value>,
}

/// A refusal: what the client hears, and what administrators read.
#[derive(Clone, Debug)]
pub struct Rejection {
    pub error: OAuthError,
    /// Keycloak's word for the cause.
    pub event_error: &'static str,
    pub trace: Trace,
}

impl Rejection {
    pub fn new(error: OAuthError, event_error: &'static str, trace: Trace) -> Self {
        Self { error, event_error, trace }
    }
}

/// Tokens, and what to note about them.
#[derive(Clone, Debug)]
pub struct Granted {
    pub tokens: Tokens,
    pub trace: Trace,
}

pub type Outcome = Result<Granted, Rejection>;

/// What admission's refusal means to a client of the token endpoint.
pub fn refused(refusal: Refusal) -> OAuthError {
    match refusal {
        Refusal::RealmDisabled => OAuthError::realm_not_enabled(),
        Refusal::ClientDisabled => OAuthError::invalid_client(),
        Refusal::UserDisabled => OAuthError::invalid_grant("User disabled"),
        Refusal::Stale | Refusal::StaleForUser => OAuthError::invalid_grant("Stale token"),
        Refusal::OfflineAccessNotGranted => {
            OAuthError::invalid_grant("Offline session invalid because offline access not granted anymore")
        }
        Refusal::OfflineTokenNotAllowed => OAuthError::offline_not_allowed(),
        Refusal::ConsentMissing => {
            OAuthError::new(400, crate::oidc::OAuthErrorCode::InvalidScope, "Client no longer has requested consent from user")
        }
    }
}

fn event_kind(grant: GrantType) -> EventKind {
    match grant {
        GrantType::AuthorizationCode => EventKind::CodeToToken,
        GrantType::RefreshToken => EventKind::RefreshToken,
        GrantType::Password => EventKind::Login,
        GrantType::ClientCredentials => EventKind::ClientLogin,
    }
}

/// Notes that a client did not prove who it is; `claimed` is the id that the request gave.
pub async fn record_refused_client(cx: &Cx, grant: GrantType, claimed: Option<&str>) -> Result<(), StoreError> {
    let client = claimed.and_then(|id| cx.snapshot().client(id));
    let mut refused = event::new(cx, event_kind(grant));
    refused.error = Some(if client.is_some() { "invalid_client_credentials" } else { "client_not_found" }.to_owned());
    // No client has such an id, and a database does not keep every character.
    let is_plausible = |id: &&str| id.len() <= 255 && !id.contains(char::is_control);
    refused.client_id = claimed.filter(is_plausible).map(str::to_owned);
    refused.details.insert("grant_type".to_owned(), Value::from(grant.as_str()));
    event::record(cx, &refused).await
}

fn put_token_ids(details: &mut Map<String, Value>, grant: GrantType, tokens: &Tokens) {
    details.insert("token_id".to_owned(), Value::from(tokens.access_token_id.as_str()));
    // A refresh names the token that it used, and beside it the one that it gave.
    let name = if grant == GrantType::RefreshToken { "updated_refresh_token_id" } else { "refresh_token_id" };
    event::put(details, name, tokens.refresh_token_id.as_deref());
    if grant == GrantType::RefreshToken {
        details.insert("access_token_expiration_time".to_owned(), Value::from(tokens.expires_in.to_string()));
    }
}

/// Notes the outcome of a grant in the realm's events.
pub async fn record(cx: &Cx, grant: GrantType, client: &Client, outcome: &Outcome) -> Result<(), StoreError> {
    let mut event = event::new(cx, event_kind(grant));
    let trace = match outcome {
        Ok(granted) => &granted.trace,
        Err(rejection) => {
            event.error = Some(rejection.event_error.to_owned());
            &rejection.trace
        }
    };
    if !event::is_kept(cx, &event) {
        return Ok(());
    }
    event.client_id = Some(client.client_id.to_string());
    event.user_id = trace.user.clone();
    event.session_id = trace.session.clone();
    event.details = trace.details.clone();
    if let Ok(granted) = outcome {
        put_token_ids(&mut event.details, grant, &granted.tokens);
    }
    event.details.insert("grant_type".to_owned(), Value::from(grant.as_str()));
    event.details.extend([event::client_auth_method(client)]);
    // Of wrong credentials the error word says it all.
    if let Err(rejection) = outcome
        && !matches!(rejection.event_error, "invalid_user_credentials" | "user_not_found")
    {
        let reason = rejection.error.description.clone().map(std::borrow::Cow::into_owned);
        event::put(&mut event.details, "reason", reason);
    }
    event::record(cx, &event).await
}
