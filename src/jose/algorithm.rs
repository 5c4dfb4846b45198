//! The signature algorithms of RFC 7518 §3.1 and RFC 8037 §3.1 by their JOSE names, and the types of keys.
//!
//! The set is closed and has no member `none`, so no code further up can take an unsigned token by mistake. Names are
//! compared exactly (RFC 7515 §4.1.1: case-sensitive). Ed448, which Keycloak offers, has no implementation in aws-lc.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::JoseError;

/// A signature algorithm. `EdDsa` is Ed25519.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
    #[serde(rename = "EdDSA")]
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

impl Algorithm {
    pub const ALL: [Self; 13] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    pub fn key_type(self) -> KeyType {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyType::Rsa,
            Self::Es256 | Self::Es384 | Self::Es512 => KeyType::Ec,
            Self::EdDsa => KeyType::Okp,
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyType::Oct,
        }
    }

    pub fn is_symmetric(self) -> bool {
        self.key_type() == KeyType::Oct
    }

    /// `at_hash`, `c_hash` and `s_hash`: the left half of the hash of `text`, in base64url (OpenID Connect Core §3.1.3.6).
    ///
    /// The hash is the one of the signature; for Ed25519 that is SHA-512 (Keycloak: `JavaAlgorithm.getJavaAlgorithmForHash`).
    pub fn half_hash(self, text: &str) -> String {
        match self {
            Self::Rs256 | Self::Ps256 | Self::Es256 | Self::Hs256 => left_half(&Sha256::digest(text)),
            Self::Rs384 | Self::Ps384 | Self::Es384 | Self::Hs384 => left_half(&Sha384::digest(text)),
            Self::Rs512 | Self::Ps512 | Self::Es512 | Self::EdDsa | Self::Hs512 => left_half(&Sha512::digest(text)),
        }
    }
}

fn left_half(hash: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = JoseError;

    fn from_str(text: &str) -> Result<Self, JoseError> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or(JoseError::UnknownAlgorithm)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyType {
    Rsa,
    Ec,
    Okp,
    Oct,
}

impl KeyType {
    /// As Keycloak's Admin API writes it; the JWK `kty` of `Oct` is `oct`, but symmetric keys are never published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa => "RSA",
            Self::Ec => "EC",
            Self::Okp => "OKP",
            Self::Oct => "OCT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm_and_is_its_json_form() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse::<Algorithm>().unwrap(), algorithm);
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.as_str());
            assert_eq!(serde_json::from_value::<Algorithm>(algorithm.as_str().into()).unwrap(), algorithm);
        }
    }

    #[test]
    fn none_and_other_spellings_are_no_algorithms() {
        for name in ["none", "None", "nOnE", "NONE", "", "rs256", "RS256 ", "RS1", "Ed25519", "ES256K", "EDDSA", "RSA-OAEP"] {
            assert!(matches!(name.parse::<Algorithm>(), Err(JoseError::UnknownAlgorithm)), "{name}");
            assert!(serde_json::from_value::<Algorithm>(name.into()).is_err(), "{name}");
        }
    }

    #[test]
    fn half_hash_gives_the_at_hash_and_c_hash_of_openid_connect_core_a_4_and_a_6() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(Algorithm::Rs256.half_hash(access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(Algorithm::Rs256.half_hash(code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn half_hash_is_half_as_long_as_the_hash_of_the_signature() {
        for (algorithm, bytes) in [(Algorithm::Es256, 16), (Algorithm::Ps384, 24), (Algorithm::Hs512, 32), (Algorithm::EdDsa, 32)]
        {
            assert_eq!(URL_SAFE_NO_PAD.decode(algorithm.half_hash("token")).unwrap().len(), bytes, "{algorithm}");
        }
    }
}
