//! JSON Object Signing and Encryption: algorithms, parsed keys, signed tokens and published keys.
//!
//! Follows RFC 7515 (JWS), 7517 (JWK), 7518 (JWA), 8037 (Ed25519) and the advice of RFC 8725. Keys are
//! handed in: this layer knows no realm, no store and no claim, and reads no clock. A token that [`verify`] accepts was
//! signed by the key that the caller found, and no more than that is promised: `exp`, `iss`, `aud` and `typ` are judged
//! above.

mod algorithm;
#[cfg(test)]
mod algorithm_confusion;
mod certificate;
mod error;
mod generate;
mod jwk;
mod jws;
mod key;
mod key_set;
mod primitive;
mod public_key;
#[cfg(test)]
pub(crate) mod testing;

pub use algorithm::{Algorithm, KeyType};
pub use certificate::{certificate_valid_to, spki_of_certificate};
pub use error::JoseError;
pub use generate::{Generated, RsaSize, certificate_for, generate, generate_rsa};
pub use jwk::{kid_of_spki, public_jwk};
pub use jws::{Header, MAX_TOKEN_BYTES, Verified, peek, sign, verify};
pub use key::{Key, MIN_SECRET_BYTES};
pub use key_set::KeySet;
pub use public_key::{PublicKey, rsa_pkcs1};
