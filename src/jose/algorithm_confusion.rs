//! Every way to get a token past a key that it was not signed with, refused (RFC 8725 §2.1, CVE-2026-11800).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Algorithm, JoseError, Key, KeyType, public_jwk, sign, testing, verify};

fn token_with_header(header: &serde_json::Value, signer: Option<&Key>) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(r#"{"sub":"admin"}"#));
    let signature = signer.map(|key| key.sign_bytes(signed.as_bytes()).unwrap()).unwrap_or_default();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whatever the header says and whatever signed it: only the key's own algorithm and material pass.
#[test]
fn a_token_of_one_algorithm_is_refused_by_the_key_of_every_other() {
    for signed_with in Algorithm::ALL {
        let token = sign(&testing::key(signed_with), "JWT", &json!({})).unwrap();
        for held in Algorithm::ALL {
            let verified = verify(&token, |_| Some(testing::key(held)));
            if held == signed_with {
                assert!(verified.is_ok(), "{held}");
            } else {
                assert!(matches!(verified, Err(JoseError::WrongAlgorithm { token, key }) if token == signed_with && key == held));
            }
        }
    }
}

/// The header names the algorithm of the key that is held, the signature was made with another one.
#[test]
fn a_signature_of_another_algorithm_under_the_right_name_is_refused() {
    for held in Algorithm::ALL {
        for signed_with in Algorithm::ALL.into_iter().filter(|a| *a != held) {
            let token = token_with_header(&json!({ "alg": held, "kid": held }), Some(&testing::key(signed_with)));
            let verified = verify(&token, |_| Some(testing::key(held)));
            assert!(matches!(verified, Err(JoseError::BadSignature)), "{signed_with} as {held}");
        }
    }
}

#[test]
fn a_secret_made_of_a_public_key_signs_for_nobody() {
    for held in Algorithm::ALL.into_iter().filter(|a| !a.is_symmetric()) {
        let key = testing::key(held);
        let spki = key.public().unwrap().spki_der().to_vec();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki));
        let jwk = public_jwk(key.public().unwrap()).to_string();
        for bytes in [spki.clone(), STANDARD.encode(&spki).into_bytes(), pem.into_bytes(), jwk.into_bytes()] {
            for hmac in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
                let forger = Key::from_secret(held.as_str(), hmac, &bytes).unwrap();
                for alg in [hmac, held] {
                    let token = token_with_header(&json!({ "alg": alg, "kid": held }), Some(&forger));
                    assert!(verify(&token, |_| Some(&key)).is_err(), "{hmac} named {alg} with the public key of {held}");
                }
            }
        }
    }
}

#[test]
fn unsigned_tokens_are_refused_however_they_spell_none() {
    for alg in ["none", "None", "nOnE", "NONE", "", " none", "HS256\0"] {
        for signer in [None, Some(testing::key(Algorithm::Hs256))] {
            let token = token_with_header(&json!({ "alg": alg, "typ": "JWT" }), signer.as_ref());
            let verified = verify(&token, |_| -> Option<Key> { panic!("a key was looked up for {alg:?}") });
            assert!(matches!(verified, Err(JoseError::UnknownAlgorithm)), "{alg:?}");
        }
    }
    for held in Algorithm::ALL {
        let token = token_with_header(&json!({ "alg": held, "typ": "JWT" }), None);
        assert!(matches!(verify(&token, |_| Some(testing::key(held))), Err(JoseError::BadSignature)), "{held} unsigned");
    }
}

#[test]
fn a_kid_that_names_another_key_or_none_is_refused() {
    let (ours, other) =
        (Key::from_secret("ours", Algorithm::Hs512, &[1; 64]), Key::from_secret("other", Algorithm::Hs512, &[2; 64]));
    let keys = [ours.unwrap(), other.unwrap()];
    let found = |token: &str| verify(token, |header| keys.iter().find(|key| Some(key.kid()) == header.kid.as_deref()));
    let named = |kid: &str| token_with_header(&json!({ "alg": "HS512", "kid": kid }), Some(&keys[0]));
    assert!(found(&named("ours")).is_ok());
    assert!(matches!(found(&named("other")), Err(JoseError::BadSignature)));
    for kid in ["", "../ours", "ours'--", "ours\0", &"k".repeat(10_240)] {
        assert!(matches!(found(&named(kid)), Err(JoseError::UnknownKey)));
    }
}

/// The key that a token brings along is never the one it is verified with.
#[test]
fn a_key_inside_the_header_is_not_used() {
    let forger = testing::key(Algorithm::Es256);
    let jwk = public_jwk(forger.public().unwrap());
    let trusted = super::generate(Algorithm::Es256, "other", testing::now()).unwrap();
    let trusted = Key::from_pkcs8("trusted", Algorithm::Es256, &trusted.private_pkcs8, None).unwrap();
    let header = json!({ "alg": "ES256", "kid": "trusted", "jwk": jwk, "jku": "https://evil.example/jwks", "x5c": jwk["x5c"] });
    let token = token_with_header(&header, Some(&forger));
    assert!(matches!(verify(&token, |_| Some(&trusted)), Err(JoseError::BadSignature)));
}

/// All-zero and out-of-range ECDSA signatures (CVE-2022-21449), DER where `r || s` belongs, and cut ones.
#[test]
fn ecdsa_signatures_of_another_form_are_refused() {
    for (algorithm, length) in [(Algorithm::Es256, 64), (Algorithm::Es384, 96), (Algorithm::Es512, 132)] {
        assert_eq!(algorithm.key_type(), KeyType::Ec);
        let key = testing::key(algorithm);
        let good = key.sign_bytes(b"message").unwrap();
        assert_eq!(good.len(), length);
        let mut der = vec![0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];
        der.resize(length, 0);
        for signature in [vec![0; length], vec![0xff; length], der, good[1..].to_vec(), [&good[..], &[0]].concat(), vec![]] {
            assert!(key.verify_bytes(b"message", &signature).is_err(), "{algorithm}");
        }
    }
}
