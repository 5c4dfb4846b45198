//! What a key of a provider is made for.

use crate::jose::{Algorithm, KeyType};
use crate::model::Component;

/// What a key is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Sign(Algorithm),
    /// RSA-OAEP, to this server.
    Receive,
    Aes,
}

impl Purpose {
    /// What a provider's key is for; `None` where this server knows no such keys.
    pub fn of(provider: &Component) -> Option<Self> {
        let named = |default: &'static str| provider.config("algorithm").unwrap_or(default);
        let sign = |name: &str, kind: KeyType| name.parse().ok().filter(|a: &Algorithm| a.key_type() == kind).map(Self::Sign);
        match provider.provider_id.as_str() {
            "rsa" | "rsa-generated" => sign(named("RS256"), KeyType::Rsa),
            "rsa-enc" | "rsa-enc-generated" => (named("RSA-OAEP") == "RSA-OAEP").then_some(Self::Receive),
            "ecdsa-generated" => match provider.config("ecdsaEllipticCurveKey").unwrap_or("P-256") {
                "P-256" => Some(Self::Sign(Algorithm::Es256)),
                "P-384" => Some(Self::Sign(Algorithm::Es384)),
                "P-521" => Some(Self::Sign(Algorithm::Es512)),
                _ => None,
            },
            "eddsa-generated" => {
                let curve = provider.config("eddsaEllipticCurveKey").unwrap_or("Ed25519");
                (curve == "Ed25519").then_some(Self::Sign(Algorithm::EdDsa))
            }
            "hmac-generated" => sign(named("HS256"), KeyType::Oct),
            "aes-generated" => Some(Self::Aes),
            _ => None,
        }
    }

    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Sign(algorithm) => algorithm.as_str(),
            Self::Receive => "RSA-OAEP",
            Self::Aes => "AES",
        }
    }

    /// Whether it is a secret that both sides share.
    pub fn is_secret(self) -> bool {
        match self {
            Self::Sign(algorithm) => algorithm.is_symmetric(),
            Self::Receive => false,
            Self::Aes => true,
        }
    }
}
