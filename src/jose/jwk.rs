//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2): written for our JWKS.
//!
//! Only a [`PublicKey`] can be written, so no secret and no private key can. Members stand in Keycloak's order.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

use super::PublicKey;
use super::public_key::Numbers;
use crate::base::sha256;

/// One entry of a JWKS: `kid, kty, alg, use`, the certificate if there is one (`x5c, x5t, x5t#S256`), and the key.
pub fn public_jwk(key: &PublicKey) -> Value {
    let mut jwk = Map::new();
    jwk.insert("kid".into(), key.kid().into());
    jwk.insert("kty".into(), key.key_type().as_str().into());
    jwk.insert("alg".into(), key.algorithm().into());
    jwk.insert("use".into(), key.key_use().into());
    if let Some(certificate) = key.certificate_der() {
        jwk.insert("x5c".into(), vec![STANDARD.encode(certificate)].into());
        jwk.insert("x5t".into(), URL_SAFE_NO_PAD.encode(Sha1::digest(certificate)).into());
        jwk.insert("x5t#S256".into(), URL_SAFE_NO_PAD.encode(sha256(certificate)).into());
    }
    for (name, value) in members(key.numbers()) {
        jwk.insert(name.into(), value.into());
    }
    Value::Object(jwk)
}

fn members(numbers: &Numbers) -> Vec<(&'static str, String)> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match numbers {
        Numbers::Rsa { n, e } => vec![("n", encode(n)), ("e", encode(e))],
        Numbers::Ec { crv, x, y } => vec![("crv", (*crv).to_owned()), ("x", encode(x)), ("y", encode(y))],
        Numbers::Ed25519 { x } => vec![("crv", "Ed25519".to_owned()), ("x", encode(x))],
    }
}

/// The `kid` of an asymmetric key: base64url of the SHA-256 of its DER SubjectPublicKeyInfo (Keycloak: `KeyUtils.createKeyId`).
pub fn kid_of_spki(spki_der: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha256(spki_der))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Algorithm, testing};

    fn names(jwk: &Value) -> Vec<&str> {
        jwk.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn a_jwk_has_the_members_of_keycloak_in_its_order() {
        let jwk = public_jwk(testing::key(Algorithm::Rs256).public().unwrap());
        assert_eq!(names(&jwk), ["kid", "kty", "alg", "use", "x5c", "x5t", "x5t#S256", "n", "e"]);
        assert_eq!(
            (&jwk["kty"], &jwk["alg"], &jwk["use"], &jwk["e"]),
            (&"RSA".into(), &"RS256".into(), &"sig".into(), &"AQAB".into())
        );
        let jwk = public_jwk(testing::key(Algorithm::Es512).public().unwrap());
        assert_eq!(names(&jwk), ["kid", "kty", "alg", "use", "x5c", "x5t", "x5t#S256", "crv", "x", "y"]);
        assert_eq!((&jwk["crv"], jwk["x"].as_str().unwrap().len()), (&"P-521".into(), 88));
        let jwk = public_jwk(testing::key(Algorithm::EdDsa).public().unwrap());
        assert_eq!(names(&jwk), ["kid", "kty", "alg", "use", "crv", "x"]);
        assert_eq!((&jwk["kty"], &jwk["crv"]), (&"OKP".into(), &"Ed25519".into()));
    }

    #[test]
    fn an_encryption_key_is_published_for_encryption() {
        let generated = &*testing::RSA;
        let certificate = generated.certificate_der.clone();
        let der = &generated.private_pkcs8;
        let key = PublicKey::rsa_encryption_from_pkcs8("e1", der, certificate.clone()).unwrap();
        let jwk = public_jwk(&key);
        assert_eq!((&jwk["alg"], &jwk["use"], &jwk["kid"]), (&"RSA-OAEP".into(), &"enc".into(), &"e1".into()));
        let certificate = certificate.unwrap();
        assert_eq!(jwk["x5c"], serde_json::json!([STANDARD.encode(&certificate)]));
        assert_eq!(jwk["x5t"].as_str().unwrap().len(), 27);
        assert_eq!(jwk["x5t#S256"], kid_of_spki(&certificate), "both are unpadded base64url of a SHA-256");
    }

    /// The realm key of Keycloak's own test suite, whose kid stands in many of its documents.
    #[test]
    fn the_kid_of_an_asymmetric_key_is_keycloaks() {
        assert_eq!(kid_of_spki(&testing::spki_of_1024_bits()), "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE");
    }

    #[test]
    fn a_published_key_is_read_back_and_verifies() {
        for algorithm in Algorithm::ALL.into_iter().filter(|a| !a.is_symmetric()) {
            let pair = testing::key(algorithm);
            let read = testing::from_jwk(&public_jwk(pair.public().unwrap()), algorithm);
            let signature = pair.sign_bytes(b"message").unwrap();
            assert!(read.verify_bytes(b"message", &signature).is_ok(), "{algorithm}");
        }
    }
}
