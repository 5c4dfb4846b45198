//! The client credentials grant (RFC 6749 §4.4): a client acts as its service account.
//!
//! By default there is no session and no refresh token, and the grant is one read that confirms the versions it was decided on.
//! A client that may use refresh tokens here (`client_credentials.use_refresh_token`) gets a session like anybody else.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::open::{self, Request};
use super::{Granted, Outcome, Rejection, Trace, refused};
use crate::flow::context::Cx;
use crate::flow::issue_tokens::{self, Mint};
use crate::model::session::ClientSessionDetails;
use crate::model::{Client, User};
use crate::oidc::admission::Admitted;
use crate::oidc::token_id::{GrantLetters, TokenSession};
use crate::oidc::{OAuthError, OAuthErrorCode, scope};
use crate::store::{self, StoreError};

/// One attempt; `None` if realm or account have changed since the copies were made.
pub async fn run(cx: &Cx, client: &Client, scope: Option<&str>) -> Result<Option<Outcome>, StoreError> {
    if let Err(error) = check_client(cx, client, scope) {
        return Ok(Some(Err(Rejection::new(error, "invalid_client", Trace::default()))));
    }
    let Some(user) = service_account(cx, client).await? else {
        return Ok(Some(Err(Rejection::new(not_enabled(), "invalid_client", Trace::default()))));
    };
    let outcome = attempt(cx, client, &user, scope).await?;
    if outcome.is_none() {
        cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &user.id).await?;
    }
    Ok(outcome)
}

fn not_enabled() -> OAuthError {
    OAuthError::new(401, OAuthErrorCode::UnauthorizedClient, "Client not enabled to retrieve service account")
}

fn check_client(cx: &Cx, client: &Client, scope: Option<&str>) -> Result<(), OAuthError> {
    if client.settings.bearer_only {
        return Err(OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed"));
    }
    if client.settings.public_client {
        let text = "Public client not allowed to retrieve service account";
        return Err(OAuthError::new(401, OAuthErrorCode::UnauthorizedClient, text));
    }
    if !client.settings.service_accounts_enabled {
        return Err(not_enabled());
    }
    scope::check(cx.snapshot(), client, scope)
}

/// The service account: its id is remembered with the client, the rest with the users.
async fn service_account(cx: &Cx, client: &Client) -> Result<Option<Arc<User>>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    if let Some(user) = cx.server.realms.service_account(realm, &client.uuid) {
        return Ok(Some(user));
    }
    let found = store::user::find_service_account(&mut cx.store().db().await?, realm, &client.uuid).await?;
    Ok(found.map(|user| cx.server.realms.remember(realm, user)))
}

async fn attempt(cx: &Cx, client: &Client, user: &User, scope: Option<&str>) -> Result<Option<Outcome>, StoreError> {
    let refresh_tokens = client.uses_refresh_tokens() && client.flag("client_credentials.use_refresh_token", false);
    let trace = Trace { user: Some(user.id.clone()), ..Trace::default() };
    if !user.enabled {
        if !confirmed(cx, user).await? {
            return Ok(None);
        }
        let text = format!("User '{}' disabled", user.username);
        let error = OAuthError::new(401, OAuthErrorCode::InvalidRequest, text);
        return Ok(Some(Err(Rejection::new(error, "user_disabled", trace))));
    }
    let admitted = match open::admit(cx, client, user, scope, refresh_tokens, None) {
        Ok(admitted) => admitted,
        Err(_) if !confirmed(cx, user).await? => return Ok(None),
        Err(refusal) => {
            return Ok(Some(Err(Rejection::new(refused(refusal), "not_allowed", trace))));
        }
    };
    if refresh_tokens {
        with_session(cx, client, user, scope, &admitted).await
    } else {
        transient(cx, client, user, &admitted).await
    }
}

/// Whether realm and user are still as they were when the decision was taken.
async fn confirmed(cx: &Cx, user: &User) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm;
    let versions = store::user::find_versions(&mut cx.store().db().await?, &realm.id, &user.id).await?;
    Ok(versions == Some((realm.version, user.version)))
}

/// Where the client speaks from, for the mappers of the scope `service_account`.
fn notes(cx: &Cx, client: &Client) -> Map<String, Value> {
    let address = cx.origin.ip_address.as_str();
    let notes = [("client_id", client.client_id.as_str()), ("clientHost", address), ("clientAddress", address)];
    notes.into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

async fn transient(cx: &Cx, client: &Client, user: &User, admitted: &Admitted<'_>) -> Result<Option<Outcome>, StoreError> {
    if !confirmed(cx, user).await? {
        return Ok(None);
    }
    let token_scope = admitted.scopes.token_scope();
    let notes = notes(cx, client);
    let mint = Mint {
        client,
        user,
        scopes: &admitted.scopes.permitted,
        roles: &admitted.effective,
        token_scope: &token_scope,
        answer_scope: &token_scope,
        grant: GrantLetters::ClientCredentials,
        token_session: TokenSession::Transient,
        notes: &notes,
        session: None,
        refresh: None,
        id_token: admitted.scopes.openid,
        nonce: None,
    };
    let tokens = issue_tokens::mint(cx, &mint).await?;
    let details = Map::from_iter([
        ("scope".to_owned(), Value::from(token_scope.as_str())),
        ("username".to_owned(), Value::from(user.username.as_str())),
    ]);
    Ok(Some(Ok(Granted { tokens, trace: Trace { user: Some(user.id.clone()), session: None, details } })))
}

async fn with_session(
    cx: &Cx,
    client: &Client,
    user: &User,
    scope: Option<&str>,
    admitted: &Admitted<'_>,
) -> Result<Option<Outcome>, StoreError> {
    let mut session = open::new_session(cx, user, &user.username);
    session.notes = notes(cx, client);
    let request = Request {
        client,
        user,
        scope,
        grant: GrantLetters::ClientCredentials,
        session,
        details: ClientSessionDetails { level: Some(1), ..ClientSessionDetails::default() },
        refresh_tokens: true,
        nonce: None,
    };
    let trace = Trace { user: Some(user.id.clone()), ..Trace::default() };
    Ok(open::open_alone(cx, &request, admitted, None).await?.outcome(&trace))
}
