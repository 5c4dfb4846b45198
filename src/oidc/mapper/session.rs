//! Mappers over the session and the client: audience, origins, level, notes, nonce.

use serde_json::{Map, Value};

use super::Facts;
use super::claim::{put_named, typed};
use crate::model::{Client, ProtocolMapper, RealmSnapshot};
use crate::oidc::web_origin;

/// A client's or a fixed audience.
pub(super) fn audience(mapper: &ProtocolMapper) -> Option<String> {
    let named = |key: &str| mapper.config(key).filter(|v| !v.is_empty());
    named("included.client.audience").or(named("included.custom.audience")).map(str::to_owned)
}

pub(super) fn allowed_origins(facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let origins = web_origin::of_client(facts.client);
    if !origins.is_empty() {
        claims.insert("allowed-origins".to_owned(), Value::from(origins));
    }
}

pub(super) fn acr(facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let names = level_names(facts.realm, facts.client);
    let name = names.into_iter().find(|(_, level)| *level == facts.level).map(|(name, _)| name);
    claims.insert("acr".to_owned(), Value::from(name.unwrap_or_else(|| facts.level.to_string())));
}

/// The names that the client, else the realm, gives to levels (`acr.loa.map`).
pub fn level_names(realm: &RealmSnapshot, client: &Client) -> Vec<(String, i64)> {
    let own = client.attribute("acr.loa.map").filter(|m| *m != "{}");
    let text = own.or_else(|| realm.realm.settings.attributes.get("acr.loa.map").map(String::as_str));
    let map: Map<String, Value> = text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
    map.into_iter().filter_map(|(name, level)| crate::model::realm::whole_number(&level).map(|l| (name, l))).collect()
}

/// A note of the session: a text that the sign-in left there.
pub(super) fn note(mapper: &ProtocolMapper, facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let text = match mapper.config("user.session.note") {
        Some("AUTH_TIME") => facts.auth_time.map(|t| t.to_string()),
        Some(name) => facts.notes.get(name).and_then(Value::as_str).map(str::to_owned),
        None => None,
    };
    if let Some(value) = text.and_then(|t| typed(mapper, &t)) {
        put_named(mapper, value, claims);
    }
}

pub(super) fn nonce(facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    if let Some(nonce) = facts.nonce {
        claims.insert("nonce".to_owned(), Value::from(nonce));
    }
}
