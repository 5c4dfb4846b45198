//! A signed JWT by which a client proves who it is (RFC 7523 §3, OpenID Connect Core §9): its claims, in Keycloak's order and words.
//!
//! The signature is looked at elsewhere. The draft RFC 7523bis wants the issuer as the one audience; Keycloak takes the addresses
//! of the token and introspection endpoints too, one at a time.

use serde_json::{Map, Value};

use super::form::Parameters;
use crate::base::Timestamp;
use crate::model::Client;

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far the clocks of client and server may be apart, in seconds.
const CLOCK_SKEW: i64 = 15;
/// For how long an assertion may be used after it was issued, in seconds, unless the client has another limit.
const MAX_LIFESPAN: i64 = 60;
/// No limit of a client makes them last longer: each is remembered until then.
const LONGEST_LIFESPAN: i64 = 3_600;
/// A name for one assertion is no longer than this.
const MAX_JTI: usize = 1_024;

/// The kinds of clients that send assertions (Keycloak: the client's `clientAuthenticatorType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `private_key_jwt`
    PrivateKey,
    /// `client_secret_jwt`
    Secret,
}

impl Kind {
    pub fn of(client: &Client) -> Option<Self> {
        match client.settings.client_authenticator_type.as_str() {
            "client-jwt" => Some(Self::PrivateKey),
            "client-secret-jwt" => Some(Self::Secret),
            _ => None,
        }
    }
}

/// What a request sends of an assertion, not looked at yet.
#[derive(Clone, Default)]
pub struct Sent {
    pub kind: Option<String>,
    pub assertion: Option<String>,
}

impl Sent {
    pub fn read(form: &Parameters) -> Self {
        let text = |name: &str| form.filled(name).map(str::to_owned);
        Self { kind: text("client_assertion_type"), assertion: text("client_assertion") }
    }

    /// The assertion, if it is of the one type that there is.
    pub fn assertion(&self) -> Result<&str, String> {
        match &self.kind {
            None => Err("Parameter client_assertion_type is missing".to_owned()),
            Some(kind) if kind != ASSERTION_TYPE => {
                let kind: String = kind.chars().take(100).collect();
                Err(format!("Parameter client_assertion_type has value '{kind}' but expected is '{ASSERTION_TYPE}'"))
            }
            Some(_) => self.assertion.as_deref().ok_or_else(|| "client_assertion parameter missing".to_owned()),
        }
    }
}

/// Without the assertion: whoever has it may use it once.
impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sent").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Who issued the assertion about itself. Untrusted until the signature is verified.
pub fn client_of(claims: &Map<String, Value>) -> Result<&str, &'static str> {
    let subject = text(claims, "sub").ok_or("Token sub claim is required")?;
    if text(claims, "iss") == Some(subject) { Ok(subject) } else { Err("Invalid token issuer") }
}

/// Whether the assertion is for this server, and for nobody else besides.
pub fn check_audience(claims: &Map<String, Value>, issuer: &str) -> Result<(), &'static str> {
    let audience = match claims.get("aud") {
        Some(Value::String(one)) => one.as_str(),
        Some(Value::Array(list)) => match list.as_slice() {
            [Value::String(one)] => one.as_str(),
            [_, _, ..] => return Err("Multiple audiences not allowed"),
            _ => return Err("Invalid token audience"),
        },
        _ => return Err("Invalid token audience"),
    };
    let is_own = match audience.strip_prefix(issuer) {
        Some(rest) => ["", "/protocol/openid-connect/token", "/protocol/openid-connect/token/introspect"].contains(&rest),
        None => false,
    };
    if is_own { Ok(()) } else { Err("Invalid token audience") }
}

/// What is noted of an assertion that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub jti: String,
    /// From here on it does not work any more by itself.
    pub until: Timestamp,
}

/// Whether the assertion may be used now: it is not too old and not too long-lived, so that used ones are remembered for minutes.
pub fn check_time(claims: &Map<String, Value>, client: &Client, now: Timestamp) -> Result<Use, &'static str> {
    let now = now.unix_seconds();
    let longest = client.positive_seconds("token.endpoint.auth.signing.max.exp").unwrap_or(MAX_LIFESPAN).min(LONGEST_LIFESPAN);
    let expires = seconds(claims, "exp").ok_or("Token exp claim is required")?;
    if expires.saturating_add(CLOCK_SKEW) <= now || seconds(claims, "nbf").is_some_and(|nbf| nbf.saturating_sub(CLOCK_SKEW) > now)
    {
        return Err("Token is not active");
    }
    let last = match seconds(claims, "iat") {
        None if expires.saturating_sub(longest) > now => {
            return Err("Token expiration is too far in the future and iat claim not present in token");
        }
        None => expires,
        Some(issued) if issued.saturating_sub(CLOCK_SKEW) > now => return Err("Token was issued in the future"),
        Some(issued) if issued.saturating_add(longest) < now => {
            return Err("Token was issued too far in the past to be used now");
        }
        Some(issued) => expires.min(issued.saturating_add(longest)),
    };
    let jti = text(claims, "jti").filter(|jti| !jti.is_empty() && jti.len() <= MAX_JTI).ok_or("Token jti claim is required")?;
    // Two seconds more: a second that has begun counts whole, above and here.
    Ok(Use { jti: jti.to_owned(), until: Timestamp::from_unix_seconds(last.saturating_add(CLOCK_SKEW + 2)) })
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// A time in seconds since 1970; a fraction is cut (RFC 7519 §2, NumericDate).
fn seconds(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    let value = claims.get(name)?;
    value.as_i64().or_else(|| value.as_number()?.to_string().split('.').next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientId, ClientSettings, ClientUuid};
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_780_000_000;
    const ISSUER: &str = "https://id.example.org/realms/demo";

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn client(attributes: &[(&str, &str)]) -> Client {
        let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Client {
            uuid: ClientUuid::new("1"),
            client_id: ClientId::new("app"),
            enabled: true,
            not_before: 0,
            secret: None,
            settings: ClientSettings { attributes, ..ClientSettings::default() },
            default_scopes: Vec::new(),
            optional_scopes: Vec::new(),
            mappers: Vec::new(),
            scope_mappings: Vec::new(),
            registration_token: None,
        }
    }

    fn timed(value: Value) -> Result<Use, &'static str> {
        check_time(&claims(value), &client(&[]), Timestamp::from_unix_seconds(NOW))
    }

    #[test]
    fn the_audience_is_this_server_and_nobody_besides() {
        let check = |aud: Value| check_audience(&claims(json!({ "aud": aud })), ISSUER).err().unwrap_or("good");
        assert_eq!(check(json!(ISSUER)), "good");
        assert_eq!(check(json!([ISSUER])), "good");
        assert_eq!(check(json!(format!("{ISSUER}/protocol/openid-connect/token"))), "good");
        for other in ["https://id.example.org/realms/other", "https://id.example.org/realms/demo2", "", "https://id.example.org"]
        {
            assert_eq!(check(json!(other)), "Invalid token audience", "{other}");
        }
        assert_eq!(check(json!([ISSUER, "https://other.example.org"])), "Multiple audiences not allowed");
        assert_eq!(check(json!([])), "Invalid token audience");
        assert_eq!(check(json!(7)), "Invalid token audience");
    }

    #[test]
    fn an_assertion_is_told_what_is_wrong_with_its_times() {
        let good = json!({"exp": NOW + 60, "iat": NOW, "jti": "j"});
        assert_eq!(timed(good).unwrap(), Use { jti: "j".to_owned(), until: Timestamp::from_unix_seconds(NOW + 77) });
        for (value, text) in [
            (json!({"iat": NOW, "jti": "j"}), "Token exp claim is required"),
            (json!({"exp": NOW - 15, "jti": "j"}), "Token is not active"),
            (json!({"exp": NOW + 60, "nbf": NOW + 16, "jti": "j"}), "Token is not active"),
            (
                json!({"exp": NOW + 61, "jti": "j"}),
                "Token expiration is too far in the future and iat claim not present in token",
            ),
            (json!({"exp": NOW + 60, "iat": NOW + 16, "jti": "j"}), "Token was issued in the future"),
            (json!({"exp": NOW + 60, "iat": NOW - 61, "jti": "j"}), "Token was issued too far in the past to be used now"),
            (json!({"exp": NOW + 60, "iat": NOW}), "Token jti claim is required"),
            (json!({"exp": NOW + 60, "iat": NOW, "jti": ""}), "Token jti claim is required"),
        ] {
            assert_eq!(timed(value.clone()).unwrap_err(), text, "{value}");
        }
    }

    /// CVE-2025-2559: what a client chooses does not decide for how long its assertion is remembered.
    #[test]
    fn a_far_expiry_fills_no_memory() {
        let far = timed(json!({"exp": i64::MAX, "iat": NOW, "jti": "j"})).unwrap();
        assert_eq!(far.until, Timestamp::from_unix_seconds(NOW + 77));
        let long = client(&[("token.endpoint.auth.signing.max.exp", "999999999")]);
        let used =
            check_time(&claims(json!({"exp": i64::MAX, "iat": NOW, "jti": "j"})), &long, Timestamp::from_unix_seconds(NOW));
        assert_eq!(used.unwrap().until, Timestamp::from_unix_seconds(NOW + 3_617));
    }

    #[test]
    fn a_client_speaks_for_itself_alone() {
        assert_eq!(client_of(&claims(json!({"iss": "a", "sub": "a"}))), Ok("a"));
        assert_eq!(client_of(&claims(json!({"iss": "a", "sub": "b"}))), Err("Invalid token issuer"));
        assert_eq!(client_of(&claims(json!({"sub": "b"}))), Err("Invalid token issuer"));
        assert_eq!(client_of(&claims(json!({"iss": "a"}))), Err("Token sub claim is required"));
    }

    proptest! {
        /// Whenever it is taken, it is remembered for as long as it would be taken.
        #[test]
        fn what_is_used_is_remembered_while_it_works(exp in -200_i64..200, iat in proptest::option::of(-200_i64..200), later in 0_i64..400) {
            let mut value = json!({"exp": NOW + exp, "jti": "j"});
            if let Some(iat) = iat {
                value["iat"] = json!(NOW + iat);
            }
            if let Ok(used) = timed(value.clone()) {
                let then = Timestamp::from_unix_seconds(NOW + later);
                let again = check_time(&claims(value), &client(&[]), then);
                prop_assert!(again.is_err() || then < used.until);
            }
        }

        #[test]
        fn no_number_makes_the_check_panic(exp in any::<f64>(), iat in any::<i64>(), nbf in any::<u64>()) {
            let _ = timed(json!({"exp": exp, "iat": iat, "nbf": nbf, "jti": "j"}));
        }
    }
}
