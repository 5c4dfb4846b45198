//! Token revocation (RFC 7009): a refresh token takes the client's part of its session along, an access token itself.

use serde_json::{Map, Value};

use super::context::Cx;
use super::grant::Trace;
use super::grant::open::type_name;
use super::{event, keys};
use crate::base::Timestamp;
use crate::model::event::EventKind;
use crate::model::{Client, SessionId, SessionKind};
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::client_session::WhenEmpty;
use crate::store::{self, StoreError};

/// What became of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Revoked,
    /// Nothing to revoke: said, but not with an error status (RFC 7009 §2.2).
    Invalid,
    Refused(OAuthError),
}

pub async fn run(cx: &Cx, client: &Client, token: &str) -> Result<Outcome, StoreError> {
    let Some(claims) = keys::verified_claims(cx, token) else { return Ok(Outcome::Invalid) };
    if claims.get("iss").and_then(Value::as_str) != Some(&cx.issuer) {
        return Ok(Outcome::Invalid);
    }
    let kind = claims.get("typ").and_then(Value::as_str).unwrap_or_default();
    if !matches!(kind, "Refresh" | "Offline" | "Bearer" | "bearer") {
        let error = OAuthError::new(400, OAuthErrorCode::UnsupportedTokenType, "Unsupported token type");
        return Ok(Outcome::Refused(error));
    }
    match claims.get("azp").and_then(Value::as_str) {
        None => return Ok(Outcome::Invalid),
        Some(azp) if azp != client.client_id.as_str() => {
            return Ok(Outcome::Refused(OAuthError::invalid_request("Unmatching clients")));
        }
        Some(_) => {}
    }
    match PresentedRefreshToken::read(&claims) {
        Some(refresh) => revoke_part(cx, client, &refresh).await,
        None => revoke_access(cx, client, &claims).await,
    }
}

/// The client's part of the session goes, and the session with it if that was the last. A revoked offline token takes the
/// client's online part of the same sign-in along (Keycloak).
async fn revoke_part(cx: &Cx, client: &Client, token: &PresentedRefreshToken) -> Result<Outcome, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let rule = (WhenEmpty::End, cx.now);
    let detached = cx.store().in_tx(async |db| {
        let found = store::token_use::find(db, token.kind, realm, &token.session_id, &client.client_id, None).await?;
        let detached = store::client_session::detach(db, token.kind, realm, &token.session_id, &client.uuid, rule).await?;
        if detached && token.kind == SessionKind::Offline {
            store::client_session::detach(db, SessionKind::Online, realm, &token.session_id, &client.uuid, rule).await?;
        }
        Ok(found.filter(|_| detached))
    });
    let Some(found) = detached.await? else { return Ok(Outcome::Invalid) };
    let details = Map::from_iter([
        ("refresh_token_type".to_owned(), Value::from(type_name(token.kind))),
        ("refresh_token_id".to_owned(), Value::from(token.id.as_str())),
    ]);
    let trace = Trace { user: Some(found.session.user_id), session: Some(token.session_id.clone()), details };
    record(cx, client, trace).await?;
    Ok(Outcome::Revoked)
}

/// The token's id is remembered until it would have expired.
async fn revoke_access(cx: &Cx, client: &Client, claims: &Map<String, Value>) -> Result<Outcome, StoreError> {
    let (Some(jti), Some(exp)) = (claims.get("jti").and_then(Value::as_str), claims.get("exp").and_then(Value::as_i64)) else {
        return Ok(Outcome::Invalid);
    };
    let until = Timestamp::from_unix_seconds(exp.max(cx.now.unix_seconds() + 10) + 1);
    let mut db = cx.store().db().await?;
    store::revoked_token::insert_revoked(&mut db, &cx.snapshot().realm.id, jti, until).await?;
    drop(db);
    let session = claims.get("sid").and_then(Value::as_str).map(SessionId::new);
    record(cx, client, Trace { session, ..Trace::default() }).await?;
    Ok(Outcome::Revoked)
}

async fn record(cx: &Cx, client: &Client, trace: Trace) -> Result<(), StoreError> {
    let mut event = event::new(cx, EventKind::RevokeGrant);
    event.client_id = Some(client.client_id.to_string());
    event.user_id = trace.user;
    event.session_id = trace.session;
    event.details = trace.details;
    event.details.insert("revoked_client".to_owned(), Value::from(client.client_id.as_str()));
    event.details.extend([event::client_auth_method(client)]);
    event::record(cx, &event).await
}
