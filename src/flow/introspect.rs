//! Token introspection (RFC 7662).
//!
//! A client is told of tokens that have it in their audience, its own not excepted, unless it is allowed all. Whatever is wrong
//! with a token, the answer is the same two words.

use serde_json::{Map, Value};

use super::context::Cx;
use super::keys;
use super::session_lookup::{self, LiveToken};
use crate::jose;
use crate::model::{Client, SessionKind};
use crate::oidc::access_token;
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::rotation::RotationMode;
use crate::store::{self, StoreError};

/// What kind of token the caller says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    None,
    AccessToken,
    RefreshToken,
}

impl Hint {
    /// None for a hint that is not known.
    pub fn parse(parameter: Option<&str>) -> Option<Self> {
        match parameter {
            None | Some("") => Some(Self::None),
            Some("access_token") => Some(Self::AccessToken),
            Some("refresh_token") => Some(Self::RefreshToken),
            Some(_) => None,
        }
    }
}

/// The claims of an active token; `None` if it is not active, or not for this caller.
pub async fn run(cx: &Cx, caller: &Client, token: &str, hint: Hint) -> Result<Option<Map<String, Value>>, StoreError> {
    let Some(claims) = keys::verified_claims(cx, token) else { return Ok(None) };
    let kind = claims.get("typ").and_then(Value::as_str).unwrap_or_default();
    let is_refresh = matches!(kind, "Refresh" | "Offline");
    let fits_hint = match hint {
        Hint::RefreshToken => is_refresh,
        Hint::None | Hint::AccessToken => true,
    };
    let known = matches!(kind, "Bearer" | "bearer" | "ID") || is_refresh;
    if !fits_hint || !known || !may_see(caller, &claims, hint) {
        return Ok(None);
    }
    let kinds: &[SessionKind] = match kind {
        "Refresh" => &[SessionKind::Online],
        "Offline" => &[SessionKind::Offline],
        "ID" if claims.contains_key("sid") => &[SessionKind::Online, SessionKind::Offline],
        "ID" => &[],
        _ => match session_lookup::kinds_of(&claims) {
            Some(kinds) => kinds,
            None => return Ok(None),
        },
    };
    match session_lookup::look_up(cx, &claims, kinds).await? {
        Ok(live) if is_refresh && is_superseded(&live, &claims).await? => Ok(None),
        Ok(live) => {
            let scope = claims.get("scope").and_then(Value::as_str);
            Ok(Some(live.tell(scope, |facts| access_token::introspection(facts, &claims))))
        }
        Err(_) => Ok(None),
    }
}

/// The same answer as a token of its own, which the caller can hand on: without what is said of the token rather than in it.
pub async fn as_token(cx: &Cx, caller: &Client, answer: &Map<String, Value>) -> Result<String, StoreError> {
    let mut claims = answer.clone();
    for said in ["active", "client_id", "username", "token_type"] {
        claims.shift_remove(said);
    }
    let key = keys::signing_key(cx, keys::algorithm_for(cx, caller, "access.token.signed.response.alg")).await?;
    jose::sign(&key, "JWT", &claims).map_err(|e| StoreError::Inconsistent(format!("a token could not be signed: {e}")))
}

/// Whether the caller is in the token's audience (CVE-2026-37979). A refresh token named as such belongs to its own client.
fn may_see(caller: &Client, claims: &Map<String, Value>, hint: Hint) -> bool {
    if caller.settings.bearer_only || caller.flag("allow.token.introspection.without.audience.check", false) {
        return true;
    }
    let name = caller.client_id.as_str();
    if hint == Hint::RefreshToken {
        return claims.get("azp").and_then(Value::as_str) == Some(name);
    }
    access_token::audience_of(claims).contains(name)
}

/// Whether the refresh token has been used up: another one of its chain is the current one.
async fn is_superseded(live: &LiveToken, claims: &Map<String, Value>) -> Result<bool, StoreError> {
    let cx = &live.cx;
    let RotationMode::On(rules) = RotationMode::of(cx.settings(), &live.client) else { return Ok(false) };
    let Some(token) = PresentedRefreshToken::read(claims) else { return Ok(true) };
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let client = &live.client.uuid;
    let chain = store::chain_rows::find(&mut db, token.kind, realm, &token.session_id, client, &token.chain).await?;
    Ok(chain.is_none_or(|chain| rules.standing((&token.id, token.generation), &chain, cx.now).refusal().is_some()))
}
