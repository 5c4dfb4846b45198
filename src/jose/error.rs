//! Why a key or a token was refused.
//!
//! No variant carries a byte of the key or the token: errors end in logs. A caller that answers a client tells the variants
//! of [`verify`](super::verify) apart for its own records only, and answers them all alike.

use super::Algorithm;

#[derive(Debug, thiserror::Error)]
pub enum JoseError {
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    #[error("the token is too long")]
    TooLong,
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// `none`, and whatever else is no [`Algorithm`].
    #[error("the algorithm is unknown")]
    UnknownAlgorithm,
    /// The header names extensions that must be understood (RFC 7515 §4.1.11); there are none here.
    #[error("the token has critical header parameters")]
    Critical,
    #[error("no key is known for the token")]
    UnknownKey,
    #[error("the token says {token}, its key is for {key}")]
    WrongAlgorithm { token: Algorithm, key: Algorithm },
    #[error("the signature is wrong")]
    BadSignature,
    #[error("the key is refused: {0}")]
    KeyRejected(&'static str),
    /// A key that can only verify was asked to sign.
    #[error("the key has no private part")]
    NoPrivateKey,
    #[error("the claims have no JSON form")]
    Claims(#[source] serde_json::Error),
    /// The cryptographic library failed at what cannot fail with a parsed key.
    #[error("{0} failed")]
    Crypto(&'static str),
    #[error("the certificate could not be made")]
    Certificate(#[source] rcgen::Error),
}
