//! A realm's keys as Keycloak shows them: what is public of them, and which ones sign.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::flow::key_ring::KeyRing;
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
    put("providerId", json!(key.provider_id));
    put("providerPriority", json!(key.priority));
    put("kid", json!(key.id));
    put("status", json!(status));
    put("type", json!(kind(&key.algorithm)));
    put("algorithm", json!(key.algorithm));
    put("use", json!(if key.key_use == KeyUse::Signature { "SIG" } else { "ENC" }));
    if let Some(public) = ring.published().iter().find(|p| p.kid() == key.id.as_str()) {
        put("publicKey", json!(STANDARD.encode(public.spki_der())));
    }
    if let Some(certificate) = &key.certificate {
        put("certificate", json!(STANDARD.encode(certificate)));
        if let Some(end) = valid_to(certificate) {
            put("validTo", json!(end));
        }
    }
    Value::from(shown)
}

/// When a certificate ends, in milliseconds since 1970: the second time of its `validity` (RFC 5280 §4.1).
fn valid_to(certificate: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // Version (tagged 0, may be missing), serial number, signature algorithm, issuer.
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (_, validity, _) = element(rest)?;
    let (tag, text, _) = element(element(validity)?.2)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    // A UTCTime has two digits of the year, which end in 2049.
    let (year, rest) = if tag == 0x17 { text.split_at_checked(2)? } else { text.split_at_checked(4)? };
    let year: i32 = year.parse().ok()?;
    let year = if tag == 0x17 { year + if year < 50 { 2000 } else { 1900 } } else { year };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let month = time::Month::try_from(part(0)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, part(2)?).ok()?;
    let end = date.with_hms(part(4)?, part(6)?, part(8)?).ok()?.assume_utc();
    Some(end.unix_timestamp() * 1000)
}

/// The first DER element: its tag, what it holds, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (bytes.iter().fold(0_usize, |length, b| length << 8 | usize::from(*b)), rest)
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

fn kind(algorithm: &str) -> &'static str {
    match algorithm {
        a if a.starts_with("HS") || a == "AES" => "OCT",
        a if a.starts_with("ES") => "EC",
        "EdDSA" => "OKP",
        _ => "RSA",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::jose::{self, Algorithm};

    #[test]
    fn a_certificate_ends_in_the_years_to_come() {
        let now = Timestamp::from_unix_seconds(1_800_000_000);
        let made = jose::generate(Algorithm::Rs256, "demo", now).unwrap();
        let end = valid_to(&made.certificate_der.unwrap()).unwrap();
        assert!(end > now.unix_millis(), "{end}");
        assert_eq!(valid_to(&[0x30, 0x82]), None);
    }
}
