//! Refresh tokens and offline tokens: what they carry, and what a presented one says (RFC 6749 §6; Keycloak: RefreshToken).
//!
//! Both are signed, never stored: the session row decides. An offline token differs by its `typ`, and has no `exp` while
//! Offline Session Max is not limited.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::access_token::put_audience;
use super::error::OAuthError;
use super::token_id;
use crate::model::{ChainId, SessionId, SessionKind, TokenId};

/// A refresh token before it is signed.
#[derive(Clone, Debug)]
pub struct RefreshClaims<'a> {
    pub kind: SessionKind,
    pub issuer: &'a str,
    pub id: &'a TokenId,
    pub issued_at: i64,
    pub expires_at: Option<i64>,
    pub subject: Option<&'a str>,
    pub client_id: &'a str,
    pub session_id: &'a SessionId,
    /// All that was granted, hidden scopes included.
    pub scope: &'a str,
    pub chain: &'a ChainId,
    /// The audience of the access token, kept for later refreshes.
    pub audience: &'a BTreeSet<String>,
    pub nonce: Option<&'a str>,
}

impl RefreshClaims<'_> {
    pub fn to_json(&self) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        if let Some(expires_at) = self.expires_at {
            put("exp", Value::from(expires_at));
        }
        put("iat", Value::from(self.issued_at));
        put("jti", Value::from(self.id.as_str()));
        put("iss", Value::from(self.issuer));
        put("aud", Value::from(self.issuer));
        if let Some(subject) = self.subject {
            put("sub", Value::from(subject));
        }
        put("typ", Value::from(type_of(self.kind)));
        put("azp", Value::from(self.client_id));
        if let Some(nonce) = self.nonce {
            put("nonce", Value::from(nonce));
        }
        put("sid", Value::from(self.session_id.as_str()));
        put("scope", Value::from(self.scope));
        if !self.chain.as_str().is_empty() {
            put("reuse_id", Value::from(self.chain.as_str()));
        }
        put("prov", Value::from("default"));
        let mut audience = Map::new();
        put_audience(&mut audience, self.audience.clone());
        if let Some(audience) = audience.remove("aud") {
            claims.insert("aud_x".to_owned(), audience);
        }
        claims
    }
}

fn type_of(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Online => "Refresh",
        SessionKind::Offline => "Offline",
    }
}

/// A refresh token that came from outside, its signature verified, its claims read.
#[derive(Clone, Debug)]
pub struct PresentedRefreshToken {
    pub kind: SessionKind,
    pub id: TokenId,
    pub generation: i64,
    pub issuer: String,
    pub issued_at: i64,
    pub expires_at: Option<i64>,
    pub subject: Option<String>,
    pub client_id: String,
    pub session_id: SessionId,
    pub scope: Option<String>,
    pub chain: ChainId,
}

impl PresentedRefreshToken {
    /// Reads verified claims; none for a token of another kind.
    pub fn read(claims: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let kind = match claims.get("typ").and_then(Value::as_str)? {
            "Refresh" => SessionKind::Online,
            "Offline" => SessionKind::Offline,
            _ => return None,
        };
        let id = text("jti")?;
        Some(Self {
            kind,
            generation: token_id::generation_of(&id),
            id: TokenId::new(id),
            issuer: text("iss")?,
            issued_at: number("iat")?,
            expires_at: number("exp").filter(|exp| *exp != 0),
            subject: text("sub"),
            client_id: text("azp")?,
            session_id: SessionId::new(text("sid").or_else(|| text("session_state"))?),
            scope: text("scope"),
            chain: ChainId::new(text("reuse_id").unwrap_or_default()),
        })
    }

    /// What can be said without the session: issuer, the realm's not-before, expiry, and the client that it belongs to.
    pub fn check(&self, issuer: &str, realm_not_before: i64, client_id: &str, now: i64) -> Result<(), OAuthError> {
        if self.issuer != issuer {
            return Err(OAuthError::invalid_grant(format!("Invalid token issuer. Expected '{issuer}'")));
        }
        if self.issued_at < realm_not_before {
            return Err(OAuthError::invalid_grant("Stale token"));
        }
        if self.expires_at.is_some_and(|exp| exp <= now) {
            return Err(OAuthError::invalid_grant("Token is not active"));
        }
        if self.client_id != client_id {
            return Err(OAuthError::invalid_grant("Invalid refresh token. Token client and authorized client don't match"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(kind: SessionKind, chain: &str) -> Map<String, Value> {
        RefreshClaims {
            kind,
            issuer: "https://id.example/realms/demo",
            id: &TokenId::new("j"),
            issued_at: 10,
            expires_at: None,
            subject: Some("u"),
            client_id: "backup",
            session_id: &SessionId::new("s"),
            scope: "openid offline_access",
            chain: &ChainId::new(chain),
            audience: &BTreeSet::from(["account".to_owned()]),
            nonce: None,
        }
        .to_json()
    }

    #[test]
    fn an_offline_token_has_no_expiry_and_its_issuer_as_audience() {
        let expected = json!({"iat": 10, "jti": "j", "iss": "https://id.example/realms/demo", "aud": "https://id.example/realms/demo",
            "sub": "u", "typ": "Offline", "azp": "backup", "sid": "s", "scope": "openid offline_access", "prov": "default", "aud_x": "account"});
        assert_eq!(Value::Object(claims(SessionKind::Offline, "")), expected);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let read = PresentedRefreshToken::read(&claims(SessionKind::Online, "chain")).unwrap();
        assert_eq!((read.kind, read.chain.as_str(), read.expires_at), (SessionKind::Online, "chain", None));
    }

    #[test]
    fn cve_2026_101023_an_access_token_is_no_refresh_token() {
        let mut other = claims(SessionKind::Online, "");
        other.insert("typ".to_owned(), json!("Bearer"));
        assert!(PresentedRefreshToken::read(&other).is_none());
    }
}
