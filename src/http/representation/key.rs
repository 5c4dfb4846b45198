//! A realm's keys as Keycloak shows them: what is public of them, and which ones sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::flow::key_ring::KeyRing;
use crate::jose::certificate_valid_to;
use crate::model::signing_key::{KeyUse, StoredKey};

/// `KeysMetadataRepresentation`.
pub(crate) fn keys(stored: &[StoredKey], ring: &KeyRing) -> Value {
    let mut active = Map::new();
    for key in stored.iter().filter(|k| k.active && k.enabled) {
        active.entry(key.algorithm.clone()).or_insert_with(|| json!(key.id));
    }
    let all: Vec<Value> = stored.iter().map(|key| one(key, ring)).collect();
    json!({ "active": active, "keys": all })
}

fn one(key: &StoredKey, ring: &KeyRing) -> Value {
    let status = match (key.enabled, key.active) {
        (false, _) => "DISABLED",
        (true, true) => "ACTIVE",
        (true, false) => "PASSIVE",
    };
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("providerId", json!(key.component));
    put("providerPriority", json!(key.priority));
    put("kid", json!(key.id));
    put("status", json!(status));
    put("type", json!(kind(&key.algorithm)));
    put("algorithm", json!(key.algorithm));
    put("use", json!(if key.key_use == KeyUse::Signature { "SIG" } else { "ENC" }));
    if let Some(public) = ring.published().iter().find(|p| p.kid() == key.id.as_str() && p.algorithm() == key.algorithm) {
        put("publicKey", json!(STANDARD.encode(public.spki_der())));
    }
    if let Some(certificate) = &key.certificate {
        put("certificate", json!(STANDARD.encode(certificate)));
        if let Some(end) = certificate_valid_to(certificate) {
            put("validTo", json!(end));
        }
    }
    Value::from(shown)
}

fn kind(algorithm: &str) -> &'static str {
    match algorithm {
        a if a.starts_with("HS") || a == "AES" => "OCT",
        a if a.starts_with("ES") => "EC",
        "EdDSA" => "OKP",
        _ => "RSA",
    }
}
