//! Keys for tests, each made once: an RSA pair takes a tenth of a second.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::public_key::{INTEGER, SEQUENCE, element};
use super::{Algorithm, Generated, Key, KeyType, generate, primitive};
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

/// A key that verifies, from a public JWK: the way the examples in RFCs are written.
pub(crate) fn from_jwk(jwk: &Value, algorithm: Algorithm) -> Key {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let parsed = |bytes: Vec<u8>| ParsedPublicKey::new(primitive::verification(algorithm).unwrap(), bytes);
    let key = match algorithm.key_type() {
        KeyType::Rsa => {
            let components = RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") };
            components.to_parsed_public_key(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256)
        }
        KeyType::Ec => parsed([&[4], &*bytes("x"), &*bytes("y")].concat()),
        KeyType::Okp | KeyType::Oct => parsed(bytes("x")),
    };
    Key::from_spki("", algorithm, key.unwrap().as_der().unwrap().as_ref(), None).unwrap()
}
