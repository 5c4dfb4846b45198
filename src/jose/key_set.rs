//! JSON Web Key Sets of others (RFC 7517): the public keys by which a client's signatures are verified.
//!
//! A set is a stranger's text. Of its keys those are taken that are for signatures and of a kind known here; private members are
//! not looked at. Keys are parsed for the algorithm of one token, and only for one that the key says or that fits its type.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{ParsedPublicKey, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{Algorithm, JoseError, Key, KeyType, primitive};

/// More keys than any client has.
const MAX_KEYS: usize = 50;

/// The keys of a set that may verify a signature.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

/// The members of a public key. `d`, `k` and the like are not read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    key_use: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a set. Keys that cannot be read are passed over (RFC 7517 §5).
    pub fn parse(json: &str) -> Result<Self, JoseError> {
        let document: Document = serde_json::from_str(json).map_err(|_| JoseError::Malformed("it is no key set"))?;
        if document.keys.len() > MAX_KEYS {
            return Err(JoseError::Malformed("the key set has too many keys"));
        }
        let keys = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(Self(keys.filter(|key| key.key_use.as_deref().is_none_or(|purpose| purpose == "sig")).collect()))
    }

    /// The keys that may have signed a token of this header, parsed.
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        let named = |key: &&Jwk| kid.is_none() || key.kid.as_deref() == kid;
        self.0.iter().filter(named).filter_map(|key| key.parse(algorithm)).collect()
    }
}

impl Jwk {
    fn parse(&self, algorithm: Algorithm) -> Option<Key> {
        if self.alg.as_deref().is_some_and(|alg| alg != algorithm.as_str()) {
            return None;
        }
        let verification = primitive::verification(algorithm)?;
        let parsed = |key: Vec<u8>| ParsedPublicKey::new(verification, key).ok();
        let key = match (algorithm.key_type(), self.kty.as_str()) {
            (KeyType::Rsa, "RSA") => {
                let components = RsaPublicKeyComponents { n: bytes(self.n.as_ref())?, e: bytes(self.e.as_ref())? };
                components.to_parsed_public_key(&aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256).ok()
            }
            (KeyType::Ec, "EC") if self.crv.as_deref() == Some(curve(algorithm)) => {
                parsed([&[4], &*bytes(self.x.as_ref())?, &*bytes(self.y.as_ref())?].concat())
            }
            (KeyType::Okp, "OKP") if self.crv.as_deref() == Some("Ed25519") => parsed(bytes(self.x.as_ref())?),
            _ => None,
        }?;
        let spki = key.as_der().ok()?;
        Key::from_spki(self.kid.clone().unwrap_or_default(), algorithm, spki.as_ref(), None).ok()
    }
}

fn curve(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Es384 => "P-384",
        Algorithm::Es512 => "P-521",
        _ => "P-256",
    }
}

fn bytes(text: Option<&String>) -> Option<Vec<u8>> {
    let text = text?;
    URL_SAFE_NO_PAD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{public_jwk, testing};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(&json!({ "keys": keys }).to_string()).unwrap()
    }

    #[test]
    fn a_published_key_is_read_for_its_own_algorithm_only() {
        for made_for in Algorithm::ALL.into_iter().filter(|a| !a.is_symmetric()) {
            let pair = testing::key(made_for);
            let keys = set(&[public_jwk(pair.public().unwrap())]);
            for used_for in Algorithm::ALL {
                assert_eq!(keys.candidates(None, used_for).len(), usize::from(made_for == used_for), "{made_for} as {used_for}");
            }
            let signature = pair.sign_bytes(b"message").unwrap();
            let found = keys.candidates(Some(pair.kid()), made_for);
            assert!(found[0].verify_bytes(b"message", &signature).is_ok(), "{made_for}");
            assert!(keys.candidates(Some("other"), made_for).is_empty());
        }
    }

    #[test]
    fn a_key_without_an_algorithm_serves_those_of_its_type_and_curve() {
        let without = |algorithm: Algorithm| {
            let mut key = public_jwk(testing::key(algorithm).public().unwrap());
            key.as_object_mut().unwrap().remove("alg");
            key
        };
        let keys = set(&[without(Algorithm::Rs256), without(Algorithm::Es384)]);
        let fits: Vec<&str> =
            Algorithm::ALL.into_iter().filter(|a| !keys.candidates(None, *a).is_empty()).map(Algorithm::as_str).collect();
        assert_eq!(fits, ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384"]);
    }

    #[test]
    fn keys_for_encryption_symmetric_ones_and_garbage_are_passed_over() {
        let mut encryption = public_jwk(testing::key(Algorithm::Rs256).public().unwrap());
        encryption["use"] = json!("enc");
        let keys =
            set(&[encryption, json!({"kty": "oct", "k": "AAAA"}), json!(7), json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"})]);
        assert!(Algorithm::ALL.into_iter().all(|a| keys.candidates(None, a).is_empty()));
        assert!(KeySet::parse("[]").is_err() && KeySet::parse("{}").is_err() && KeySet::parse("").is_err());
        let many = json!({"keys": vec![json!({}); MAX_KEYS + 1]}).to_string();
        assert!(KeySet::parse(&many).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(n in "[A-Za-z0-9_-]{0,40}", crv in "P-256|P-384|P-521|Ed25519|x", kty in "RSA|EC|OKP") {
            let keys = set(&[json!({"kty": kty, "crv": crv, "n": n, "e": n, "x": n, "y": n})]);
            for algorithm in Algorithm::ALL {
                let _ = keys.candidates(None, algorithm);
            }
        }
    }
}
