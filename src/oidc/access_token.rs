//! What stands in access tokens and ID tokens, and in the answers of userinfo and introspection.
//!
//! RFC 9068 is followed as far as Keycloak's clients allow: claims and their absence are Keycloak's. Lists that would be empty
//! are absent; an audience of one is a text.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::mapper::{self, Facts, Place};

/// What a token says besides what mappers say.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub issuer: &'a str,
    pub id: &'a str,
    /// Seconds since 1970.
    pub issued_at: i64,
    pub expires_at: i64,
    /// None for the token of a service account without session.
    pub session_id: Option<&'a str>,
}

/// The claims of an access token. `kind` is `Bearer`, or in small letters for clients that want it so.
pub fn access_claims(facts: &Facts<'_>, envelope: &Envelope<'_>, scope: &str, kind: &str) -> Map<String, Value> {
    let lightweight = facts.client.uses_lightweight_access_tokens();
    let place = if lightweight { Place::LightweightAccessToken } else { Place::AccessToken };
    let mapped = mapper::run(facts, place);
    let mut claims = base(envelope, kind, facts.client.client_id.as_str());
    claims.insert("scope".to_owned(), Value::from(scope));
    put_audience(&mut claims, mapped.audience);
    claims.extend(mapped.claims);
    claims
}

/// The claims of an ID token (OIDC Core §2). `at_hash` is put in by the caller, who has the access token.
pub fn id_claims(facts: &Facts<'_>, envelope: &Envelope<'_>, nonce: Option<&str>) -> Map<String, Value> {
    let mut mapped = mapper::run(facts, Place::IdToken);
    let client_id = facts.client.client_id.as_str();
    let mut claims = base(envelope, "ID", client_id);
    claims.insert("sub".to_owned(), Value::from(facts.user.id.as_str()));
    mapped.audience.insert(client_id.to_owned());
    put_audience(&mut claims, mapped.audience);
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), Value::from(nonce));
    }
    claims.extend(mapped.claims);
    claims
}

/// The answer of userinfo (OIDC Core §5.3.2).
pub fn user_info(facts: &Facts<'_>) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("sub".to_owned(), Value::from(facts.user.id.as_str()));
    answer.extend(mapper::run(facts, Place::UserInfo).claims);
    answer
}

/// Claims that only the server, only the client, or only the moment of issue has a use for.
const NOT_TOLD: [&str; 6] = ["aud_x", "prov", "reuse_id", "at_hash", "clientAddress", "clientHost"];

/// Whether a token's `typ` is that of an access token.
pub fn is_bearer(claims: &Map<String, Value>) -> bool {
    claims.get("typ").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer"))
}

/// The answer of introspection for a token that is active (RFC 7662 §2.2): its claims, what mappers add for this place, and
/// who it belongs to.
pub fn introspection(facts: &Facts<'_>, token: &Map<String, Value>) -> Map<String, Value> {
    let mapped = mapper::run(facts, Place::Introspection);
    let mut answer = token.clone();
    for inner in NOT_TOLD {
        answer.remove(inner);
    }
    let mut audience = audience_of(token);
    audience.extend(mapped.audience);
    answer.remove("aud");
    put_audience(&mut answer, audience);
    answer.extend(mapped.claims);
    let kind = token.get("typ").cloned().unwrap_or_default();
    answer.insert("client_id".to_owned(), Value::from(facts.client.client_id.as_str()));
    answer.insert("username".to_owned(), Value::from(facts.user.username.as_str()));
    answer.insert("token_type".to_owned(), kind);
    answer.insert("active".to_owned(), Value::from(true));
    answer
}

/// The audience of a token, whether a text or a list.
/// Whether the token lists a role at this place: `realm_access`, or `resource_access` and a client.
pub fn lists_role(claims: &Map<String, Value>, path: &[&str], role: &str) -> bool {
    let mut steps = path.iter();
    let mut place = steps.next().and_then(|first| claims.get(*first));
    for step in steps {
        place = place.and_then(|p| p.get(step));
    }
    let roles = place.and_then(|p| p.get("roles")).and_then(Value::as_array);
    roles.is_some_and(|roles| roles.iter().any(|r| r.as_str() == Some(role)))
}

pub fn audience_of(claims: &Map<String, Value>) -> BTreeSet<String> {
    match claims.get("aud") {
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

fn base(envelope: &Envelope<'_>, kind: &str, client_id: &str) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("exp".to_owned(), Value::from(envelope.expires_at));
    claims.insert("iat".to_owned(), Value::from(envelope.issued_at));
    claims.insert("jti".to_owned(), Value::from(envelope.id));
    claims.insert("iss".to_owned(), Value::from(envelope.issuer));
    claims.insert("typ".to_owned(), Value::from(kind));
    claims.insert("azp".to_owned(), Value::from(client_id));
    if let Some(sid) = envelope.session_id {
        claims.insert("sid".to_owned(), Value::from(sid));
    }
    claims
}

pub(super) fn put_audience(claims: &mut Map<String, Value>, audience: BTreeSet<String>) {
    let mut list: Vec<Value> = audience.into_iter().map(Value::from).collect();
    match list.len() {
        0 => {}
        1 => {
            claims.insert("aud".to_owned(), list.remove(0));
        }
        _ => {
            claims.insert("aud".to_owned(), Value::Array(list));
        }
    }
}
