//! Public keys as JSON Web Keys (RFC 7517, RFC 7518 §6, RFC 8037 §2): written for our JWKS, read from those of clients.
//!
//! Only a [`PublicKey`] can be written, so no secret and no private key can. Members stand in Keycloak's order. Reading
//! binds the key to the one algorithm that the caller expects and believes nothing else about it.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha1::{Digest, Sha1};

use super::public_key::Numbers;
use super::{Algorithm, JoseError, Key, KeyType, PublicKey, primitive};
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

/// The JWK thumbprint (RFC 7638): base64url of the SHA-256 of the required members, sorted by name, without white space.
pub fn thumbprint(key: &PublicKey) -> String {
    let mut required = members(key.numbers());
    required.push(("kty", key.key_type().as_str().to_owned()));
    required.sort_unstable();
    // Names and values are base64url or fixed words: none needs escaping.
    let members: Vec<_> = required.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
    URL_SAFE_NO_PAD.encode(sha256(format!("{{{}}}", members.join(",")).as_bytes()))
}

/// A key of somebody else, from its public JWK, that verifies `algorithm`. Without a `kid` in the JWK its kid is empty.
///
/// Refuses a JWK that says it is for another algorithm or for encryption, and one whose key does not fit the algorithm.
/// Certificates, URLs and private members in it are not looked at.
pub fn key_from_jwk(jwk: &Map<String, Value>, algorithm: Algorithm) -> Result<Key, JoseError> {
    let says = |name: &str| jwk.get(name).and_then(Value::as_str);
    if jwk.contains_key("alg") && says("alg") != Some(algorithm.as_str()) {
        return Err(JoseError::KeyRejected("it is for another algorithm"));
    }
    if jwk.contains_key("use") && says("use") != Some("sig") {
        return Err(JoseError::KeyRejected("it is not for signatures"));
    }
    // A symmetric key in a JWK would be `oct`, which is never what this says.
    if says("kty") != Some(algorithm.key_type().as_str()) {
        return Err(JoseError::KeyRejected("it is of another type"));
    }
    let spki_der = spki_of(jwk, algorithm).ok_or(JoseError::KeyRejected("it is no public key of its algorithm"))?;
    Key::from_spki(says("kid").unwrap_or_default(), algorithm, &spki_der, None)
}

fn spki_of(jwk: &Map<String, Value>, algorithm: Algorithm) -> Option<Vec<u8>> {
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
    let crv = jwk.get("crv").and_then(Value::as_str);
    let verification = primitive::verification(algorithm)?;
    let parsed = match (algorithm.key_type(), coordinate(algorithm)) {
        (KeyType::Rsa, _) => return rsa_spki_of(&bytes("n")?, &bytes("e")?),
        (KeyType::Ec, Some((name, length))) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            if crv != Some(name) || x.len() != length || y.len() != length {
                return None;
            }
            ParsedPublicKey::new(verification, [&[4], &*x, &*y].concat())
        }
        (KeyType::Okp, _) if crv == Some("Ed25519") => ParsedPublicKey::new(verification, bytes("x")?),
        _ => return None,
    };
    Some(parsed.ok()?.as_der().ok()?.as_ref().to_vec())
}

/// Some writers put a zero before the modulus, against RFC 7518 §6.3.1.1; it is dropped.
fn rsa_spki_of(n: &[u8], e: &[u8]) -> Option<Vec<u8>> {
    let n = n.strip_prefix(&[0]).unwrap_or(n);
    let key = RsaPublicKeyComponents { n, e }.to_parsed_public_key(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256);
    Some(key.ok()?.as_der().ok()?.as_ref().to_vec())
}

/// The curve of an EC algorithm and the length of its coordinates in bytes (RFC 7518 §6.2.1).
fn coordinate(algorithm: Algorithm) -> Option<(&'static str, usize)> {
    match algorithm {
        Algorithm::Es256 => Some(("P-256", 32)),
        Algorithm::Es384 => Some(("P-384", 48)),
        Algorithm::Es512 => Some(("P-521", 66)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing;
    use proptest::prelude::*;

    fn names(jwk: &Value) -> Vec<&str> {
        jwk.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn object(jwk: Value) -> Map<String, Value> {
        jwk.as_object().unwrap().clone()
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

    /// RFC 7638 §3.1 and RFC 8037 A.3.
    #[test]
    fn the_thumbprint_is_that_of_the_rfcs() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
                 tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n\
                 91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = object(serde_json::json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" }));
        let rsa = key_from_jwk(&rsa, Algorithm::Rs256).unwrap();
        assert_eq!(thumbprint(rsa.public().unwrap()), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let okp = key_from_jwk(&testing::rfc8037_jwk(), Algorithm::EdDsa).unwrap();
        assert_eq!(thumbprint(okp.public().unwrap()), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn a_published_key_is_read_back_and_verifies() {
        for algorithm in Algorithm::ALL.into_iter().filter(|a| !a.is_symmetric()) {
            let pair = testing::key(algorithm);
            let read = key_from_jwk(&object(public_jwk(pair.public().unwrap())), algorithm).unwrap();
            assert_eq!((read.kid(), read.algorithm()), (pair.kid(), algorithm));
            let signature = pair.sign_bytes(b"message").unwrap();
            assert!(read.verify_bytes(b"message", &signature).is_ok(), "{algorithm}");
        }
    }

    #[test]
    fn a_jwk_for_another_use_algorithm_type_or_curve_is_refused() {
        let good = object(public_jwk(testing::key(Algorithm::Es256).public().unwrap()));
        let with = |name: &str, value: &str| {
            let mut jwk = good.clone();
            jwk.insert(name.to_owned(), value.into());
            key_from_jwk(&jwk, Algorithm::Es256)
        };
        assert!(with("use", "sig").is_ok());
        for (name, value) in [("use", "enc"), ("alg", "ES384"), ("alg", "none"), ("kty", "RSA"), ("kty", "oct"), ("crv", "P-384")]
        {
            assert!(with(name, value).is_err(), "{name}: {value}");
        }
        for (name, value) in [("x", "AAAA"), ("x", "!"), ("y", "")] {
            assert!(with(name, value).is_err(), "{name}: {value}");
        }
        assert!(key_from_jwk(&good, Algorithm::Hs256).is_err());
        let secret = object(serde_json::json!({ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T" }));
        assert!(Algorithm::ALL.into_iter().all(|algorithm| key_from_jwk(&secret, algorithm).is_err()));
        let small = serde_json::json!({ "kty": "RSA", "n": "q1aw", "e": "AQAB" });
        assert!(key_from_jwk(&object(small), Algorithm::Rs256).is_err());
    }

    proptest! {
        #[test]
        fn no_jwk_makes_the_reader_panic(n in ".{0,40}", e in ".{0,8}", kty in "RSA|EC|OKP", crv in "P-256|P-521|Ed25519") {
            let jwk = object(serde_json::json!({ "kty": kty, "crv": crv, "n": n, "e": e, "x": n, "y": e }));
            for algorithm in Algorithm::ALL {
                let _ = key_from_jwk(&jwk, algorithm);
            }
        }
    }
}
