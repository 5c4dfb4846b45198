//! A key of a realm: the material that it is made of, and what it is for. At rest the private part is sealed.

use zeroize::Zeroizing;

use super::component::Config;
use super::{ComponentId, KeyId};

/// What a key is for, as in a JWK's `use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    Signature,
    Encryption,
}

impl KeyUse {
    /// `sig` or `enc` (RFC 7517 §4.2).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "sig",
            Self::Encryption => "enc",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "sig" => Some(Self::Signature),
            "enc" => Some(Self::Encryption),
            _ => None,
        }
    }
}

/// One row of key material. Which keys sign and which only verify follows from `active`, `enabled` and `priority`.
#[derive(Clone)]
pub struct StoredKey {
    /// The `kid`. Two providers may hold the same key, for two algorithms for instance.
    pub id: KeyId,
    /// The key provider that it belongs to: each has one key.
    pub component: ComponentId,
    /// The key provider's name and id in Keycloak's words: `rsa-generated`, `hmac-generated`, …
    pub name: String,
    pub provider_id: String,
    pub priority: i64,
    pub algorithm: String,
    pub key_use: KeyUse,
    /// Signs new tokens. An enabled key that is not active still verifies.
    pub active: bool,
    pub enabled: bool,
    /// PKCS#8 of a key pair, or the bytes of a secret.
    pub material: Zeroizing<Vec<u8>>,
    /// X.509, DER; none for a secret.
    pub certificate: Option<Vec<u8>>,
    /// What is configured of its provider, without key and certificate.
    pub config: Config,
}

impl StoredKey {
    /// The configuration of a provider that says no more than that there is this key.
    pub fn plain_config(&self) -> Config {
        let mut config = Config::new();
        let mut put = |name: &str, value: &str| config.insert(name.to_owned(), vec![value.to_owned()]);
        put("priority", &self.priority.to_string());
        match (self.provider_id.as_str(), self.algorithm.as_str()) {
            ("rsa" | "rsa-generated", "RS256") | ("aes-generated", _) => {}
            ("ecdsa-generated", "ES384") => _ = put("ecdsaEllipticCurveKey", "P-384"),
            ("ecdsa-generated", "ES512") => _ = put("ecdsaEllipticCurveKey", "P-521"),
            ("ecdsa-generated", _) => _ = put("ecdsaEllipticCurveKey", "P-256"),
            ("eddsa-generated", _) => _ = put("eddsaEllipticCurveKey", "Ed25519"),
            (_, algorithm) => _ = put("algorithm", algorithm),
        }
        for (name, is_on) in [("active", self.active), ("enabled", self.enabled)] {
            if !is_on {
                put(name, "false");
            }
        }
        config
    }
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
