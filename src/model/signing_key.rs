//! A key of a realm: the material that it is made of, and what it is for. At rest the private part is sealed.

use zeroize::Zeroizing;

use super::KeyId;

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
    pub id: KeyId,
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
}

impl std::fmt::Debug for StoredKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredKey").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}
