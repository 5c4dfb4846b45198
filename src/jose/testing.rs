//! Keys for tests, each made once: an RSA pair takes a tenth of a second.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::public_key::{INTEGER, SEQUENCE, element};
use super::{Algorithm, Generated, Key, KeyType, generate};
use crate::base::Timestamp;

/// 2026-01-01 00:02:00 UTC.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_720)
}

fn made(algorithm: Algorithm) -> Generated {
    generate(algorithm, "CN-of-test", now()).unwrap()
}

pub(crate) static RSA: LazyLock<Generated> = LazyLock::new(|| made(Algorithm::Rs256));
static ES256: LazyLock<Generated> = LazyLock::new(|| made(Algorithm::Es256));
pub(crate) static ES384: LazyLock<Generated> = LazyLock::new(|| made(Algorithm::Es384));
static ES512: LazyLock<Generated> = LazyLock::new(|| made(Algorithm::Es512));
static ED25519: LazyLock<Generated> = LazyLock::new(|| made(Algorithm::EdDsa));

pub(crate) fn generated(algorithm: Algorithm) -> &'static Generated {
    match algorithm {
        Algorithm::Es256 => &ES256,
        Algorithm::Es384 => &ES384,
        Algorithm::Es512 => &ES512,
        Algorithm::EdDsa => &ED25519,
        _ => &RSA,
    }
}

pub(crate) fn private_der(algorithm: Algorithm) -> Vec<u8> {
    generated(algorithm).private_pkcs8.to_vec()
}

/// A key of every algorithm whose kid is the algorithm's name. All RSA algorithms share one pair.
pub(crate) fn key(algorithm: Algorithm) -> Key {
    let kid = algorithm.as_str();
    if algorithm.key_type() == KeyType::Oct {
        return Key::from_secret(kid, algorithm, &[algorithm as u8; 64]).unwrap();
    }
    let generated = generated(algorithm);
    Key::from_pkcs8(kid, algorithm, &generated.private_pkcs8, generated.certificate_der.clone()).unwrap()
}

/// The RSAPrivateKey inside a PKCS#8 PrivateKeyInfo.
pub(crate) fn pkcs1(pkcs8: &[u8]) -> Vec<u8> {
    let (info, _) = element(SEQUENCE, pkcs8).unwrap();
    let (_version, rest) = element(INTEGER, info).unwrap();
    let (_algorithm, rest) = element(SEQUENCE, rest).unwrap();
    element(0x04, rest).unwrap().0.to_vec()
}

/// The public key of Keycloak's test realm.
pub(crate) fn spki_of_1024_bits() -> Vec<u8> {
    STANDARD
        .decode(concat!(
            "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCrVrCuTtArbgaZzL1hvh0xtL5mc7o0NqPVnYXkLvgcwiC3BjLGw1tGEGoJaXDuSaRllobm53JB",
            "hjx33UNv+5z/UMG4kytBWxheNVKnL6GgqlNabMaFfPLPCF8kAgKnsi79NMo+n6KnSY8YeUmec/p2vjO2NjsSAVcWEQMVhJ31LwIDAQAB"
        ))
        .unwrap()
}

/// The public key of RFC 8037 A.2.
pub(crate) fn rfc8037_jwk() -> Map<String, Value> {
    let jwk = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    jwk.as_object().unwrap().clone()
}
