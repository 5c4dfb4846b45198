//! The two tokens of client registration (RFC 7591 §3, RFC 7592 §3): an initial access token lets its bearer register clients, a
//! registration access token lets a client read, change and delete itself. Both are for this server alone; claims are Keycloak's.

use serde_json::{Map, Value, json};

use crate::base::Timestamp;
use crate::model::InitialAccessId;
use crate::oidc::registration_policy::Trust;

const INITIAL: &str = "InitialAccessToken";
const REGISTRATION: &str = "RegistrationAccessToken";
const ORIGINS: &str = "allowed-origins";

/// What a verified token of this server is, as far as registration goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// An administrator's access token.
    Bearer,
    Initial {
        id: InitialAccessId,
        web_origins: Vec<String>,
    },
    Registration(RegistrationToken),
    Other,
}

/// A registration access token: `id` is what stands with its client, while it is good.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistrationToken {
    pub id: String,
    /// How the client came to be.
    pub trust: Trust,
    /// Pages of these origins may use it; none where an administrator made it.
    pub web_origins: Option<Vec<String>>,
}

/// What the claims are of a token of this issuer that has not expired; `None` if it has, or is no token of this issuer.
pub fn read(claims: &Map<String, Value>, issuer: &str, now: Timestamp) -> Option<Kind> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let ends = claims.get("exp").and_then(Value::as_i64).filter(|exp| *exp != 0);
    if text("iss") != Some(issuer) || ends.is_some_and(|end| end <= now.unix_seconds()) {
        return None;
    }
    let origins = claims.get(ORIGINS).and_then(Value::as_array);
    let origins: Option<Vec<String>> = origins.map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    let kind = match (text("typ")?, text("jti")) {
        ("Bearer", _) => Kind::Bearer,
        (INITIAL, Some(id)) => Kind::Initial { id: InitialAccessId::new(id), web_origins: origins.unwrap_or_default() },
        (REGISTRATION, Some(id)) => Kind::Registration(RegistrationToken {
            id: id.to_owned(),
            trust: Trust::of_claim(text("registration_auth")),
            web_origins: origins,
        }),
        _ => Kind::Other,
    };
    Some(kind)
}

fn claims(id: &str, kind: &str, issuer: &str, now: Timestamp) -> Map<String, Value> {
    let mut claims = Map::new();
    for (name, value) in [
        ("exp", json!(0)),
        ("iat", json!(now.unix_seconds())),
        ("jti", json!(id)),
        ("iss", json!(issuer)),
        ("aud", json!(issuer)),
        ("typ", json!(kind)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    claims
}

/// The claims of an initial access token; without an end it is good until it is used up.
pub fn initial(
    id: &InitialAccessId,
    web_origins: &[String],
    expires_at: Option<Timestamp>,
    issuer: &str,
    now: Timestamp,
) -> Map<String, Value> {
    let mut claims = claims(id.as_str(), INITIAL, issuer, now);
    if let Some(end) = expires_at {
        claims.insert("exp".to_owned(), json!(end.unix_seconds()));
    }
    if !web_origins.is_empty() {
        claims.insert(ORIGINS.to_owned(), json!(web_origins));
    }
    claims
}

/// The claims of a registration access token. It never expires: a newer one, and the client's end, are the end of it.
pub fn registration(token: &RegistrationToken, issuer: &str, now: Timestamp) -> Map<String, Value> {
    let mut claims = claims(&token.id, REGISTRATION, issuer, now);
    claims.insert("registration_auth".to_owned(), json!(token.trust.as_str()));
    if let Some(origins) = &token.web_origins {
        claims.insert(ORIGINS.to_owned(), json!(origins));
    }
    claims
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example/realms/demo";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let token = RegistrationToken { id: "7".to_owned(), trust: Trust::Anonymous, web_origins: Some(Vec::new()) };
        let claims = registration(&token, ISSUER, at(1_000));
        assert_eq!(read(&claims, ISSUER, at(1_000)), Some(Kind::Registration(token)));
        assert_eq!(read(&claims, "https://id.example/realms/other", at(1_000)), None);
        let origins = vec!["https://app.example".to_owned()];
        let id = InitialAccessId::new("8");
        let claims = initial(&id, &origins, Some(at(1_010)), ISSUER, at(1_000));
        assert_eq!(read(&claims, ISSUER, at(1_000)), Some(Kind::Initial { id, web_origins: origins }));
        assert_eq!(read(&claims, ISSUER, at(1_010)), None);
    }

    #[test]
    fn other_tokens_are_no_such_tokens() {
        for typ in ["Refresh", "Offline", "ID", "Logout"] {
            let claims = json!({"iss": ISSUER, "typ": typ, "jti": "1"});
            assert_eq!(read(claims.as_object().unwrap(), ISSUER, at(1_000)), Some(Kind::Other), "{typ}");
        }
        let nameless = json!({"iss": ISSUER, "typ": "RegistrationAccessToken"});
        assert_eq!(read(nameless.as_object().unwrap(), ISSUER, at(1_000)), Some(Kind::Other));
    }
}
