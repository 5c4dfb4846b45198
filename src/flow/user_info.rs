//! The UserInfo endpoint (OIDC Core §5.3): what the scopes of an access token tell of its user.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::Cx;
use super::session_lookup::{self, Dead, LiveToken};
use super::{event, keys};
use crate::model::event::EventKind;
use crate::model::{Client, SessionId};
use crate::oidc::access_token;
use crate::oidc::admission::Refusal;
use crate::oidc::scope::{self, OPENID};
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::StoreError;

/// A refusal, and the client whose origins may read it, where the token told one.
#[derive(Clone, Debug)]
pub struct Refused {
    pub error: OAuthError,
    pub client: Option<Arc<Client>>,
}

impl Refused {
    fn token(description: &'static str) -> Self {
        Self { error: OAuthError::new(401, OAuthErrorCode::InvalidToken, description), client: None }
    }
}

/// What the token tells, and the client that it was issued to.
#[derive(Clone, Debug)]
pub struct Told {
    pub client: Arc<Client>,
    pub claims: Map<String, Value>,
}

/// The client that a verified access token was issued to: its origins may call with it.
pub fn client_of(cx: &Cx, token: &str) -> Option<Arc<Client>> {
    let claims = keys::verified_claims(cx, token)?;
    cx.snapshot().client(claims.get("azp")?.as_str()?).map(Arc::clone)
}

pub async fn run(cx: &Cx, token: &str) -> Result<Result<Told, Refused>, StoreError> {
    let verification_failed = || Refused::token("Token verification failed");
    let Some(claims) = keys::verified_claims(cx, token) else { return Ok(Err(verification_failed())) };
    if !access_token::is_bearer(&claims) {
        return Ok(Err(verification_failed()));
    }
    let Some(kinds) = session_lookup::kinds_of(&claims) else { return Ok(Err(verification_failed())) };
    let scope = claims.get("scope").and_then(Value::as_str);
    if !scope::words(scope.unwrap_or_default()).any(|w| w == OPENID) {
        let error = OAuthError::new(403, OAuthErrorCode::InsufficientScope, "Missing openid scope");
        return Ok(Err(Refused { error, client: None }));
    }
    if !claims.contains_key("sub") {
        return Ok(Err(Refused::token("Lightweight access token not allowed for userinfo endpoint")));
    }
    let live = match session_lookup::look_up(cx, &claims, kinds).await? {
        Ok(live) => live,
        Err(dead) => return Ok(Err(refused(dead))),
    };
    record(cx, &live, claims.get("sid").and_then(Value::as_str)).await?;
    let claims = live.tell(scope, access_token::user_info);
    Ok(Ok(Told { client: Arc::clone(&live.client), claims }))
}

/// Written only where the realm names the type.
async fn record(cx: &Cx, live: &LiveToken, session: Option<&str>) -> Result<(), StoreError> {
    if !EventKind::UserInfoRequest.is_kept(false, cx.settings()) {
        return Ok(());
    }
    let mut asked = event::new(cx, EventKind::UserInfoRequest)
        .detail("auth_method", "validate_access_token")
        .detail("signature_required", "false")
        .detail("username", live.user.username.as_str());
    asked.client_id = Some(live.client.client_id.to_string());
    asked.user_id = Some(live.user.id.clone());
    asked.session_id = session.map(SessionId::new);
    event::record(cx, &asked).await
}

fn refused(dead: Dead) -> Refused {
    let text = match dead {
        Dead::Malformed | Dead::Expired | Dead::Revoked | Dead::ClientGone => "Token verification failed",
        Dead::SessionNotFound => "user_session_not_found",
        Dead::Refused(refusal) => match refusal {
            Refusal::RealmDisabled => {
                return Refused { error: OAuthError::realm_not_enabled(), client: None };
            }
            Refusal::ClientDisabled => "Client disabled",
            Refusal::UserDisabled => "User disabled",
            Refusal::Stale => "Token verification failed",
            Refusal::StaleForUser => "User not valid",
            Refusal::OfflineAccessNotGranted | Refusal::OfflineTokenNotAllowed => "Offline access not granted anymore",
            Refusal::ConsentMissing => "Client no longer has requested consent from user",
        },
    };
    Refused::token(text)
}
