//! A realm's keys, parsed once: which one signs, and which ones verify.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::jose::{self, Algorithm, JoseError, Key, PublicKey, Verified};
use crate::model::signing_key::{KeyUse, StoredKey};

/// The parsed keys of a realm.
#[derive(Debug, Default)]
pub struct KeyRing {
    /// One key may serve two algorithms, each by a provider of its own.
    by_id: HashMap<String, Vec<Key>>,
    /// The key that signs, by algorithm.
    active: HashMap<Algorithm, Key>,
    published: Vec<PublicKey>,
}

impl KeyRing {
    /// Parses stored keys, the ones to sign with first. A key that cannot be read is left out and named in the log: the others
    /// go on serving the realm.
    pub fn parse(stored: &[StoredKey]) -> Self {
        let mut ring = Self::default();
        for row in stored.iter().filter(|k| k.enabled) {
            if let Err(error) = ring.add(row) {
                tracing::error!(key.id = %row.id, key.algorithm = row.algorithm, %error, "a key cannot be used");
            }
        }
        ring
    }

    fn add(&mut self, row: &StoredKey) -> Result<(), JoseError> {
        if row.key_use == KeyUse::Encryption {
            if row.algorithm == "RSA-OAEP" {
                self.published.push(encryption_key(row)?);
            }
            return Ok(());
        }
        let algorithm: Algorithm = row.algorithm.parse()?;
        let key = parse_key(row, algorithm)?;
        if let Some(public) = key.public() {
            self.published.push(public.clone());
        }
        self.by_id.entry(row.id.to_string()).or_default().push(key.clone());
        if row.active {
            self.active.entry(algorithm).or_insert(key);
        }
        Ok(())
    }

    pub fn signer(&self, algorithm: Algorithm) -> Option<&Key> {
        self.active.get(&algorithm)
    }

    /// Verifies a token of this realm by the key that its header names.
    pub fn verify(&self, token: &str) -> Result<Verified, JoseError> {
        jose::verify(token, |header| {
            let keys = self.by_id.get(header.kid.as_deref()?)?;
            keys.iter().find(|key| key.algorithm() == header.algorithm).or(keys.first())
        })
    }

    /// The JSON Web Key Set (RFC 7517 §5): public keys only.
    pub fn jwks(&self) -> Value {
        json!({ "keys": self.published.iter().map(jose::public_jwk).collect::<Vec<_>>() })
    }

    pub fn published(&self) -> &[PublicKey] {
        &self.published
    }
}

fn parse_key(row: &StoredKey, algorithm: Algorithm) -> Result<Key, JoseError> {
    if algorithm.is_symmetric() {
        Key::from_secret(row.id.as_str(), algorithm, &row.material)
    } else {
        Key::from_pkcs8(row.id.as_str(), algorithm, &row.material, row.certificate.clone())
    }
}

fn encryption_key(row: &StoredKey) -> Result<PublicKey, JoseError> {
    PublicKey::rsa_encryption_from_pkcs8(row.id.as_str(), &row.material, row.certificate.clone())
}
