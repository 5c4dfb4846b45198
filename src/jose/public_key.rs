//! The public half of a key pair: what a JWKS and the Admin API show of a signing or an encryption key.
//!
//! Made from a parsed key only, so a [`PublicKey`] is always well-formed; a symmetric key has none. The numbers that a JWK
//! wants are read out of the DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) as aws-lc writes it.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::signature::{KeyPair, RsaKeyPair};

use super::{Algorithm, JoseError, KeyType};

/// A public key with what is published beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    kid: String,
    algorithm: &'static str,
    key_type: KeyType,
    key_use: &'static str,
    spki_der: Vec<u8>,
    certificate_der: Option<Vec<u8>>,
    numbers: Numbers,
}

/// The key itself, big-endian: RSA integers without leading zeros, coordinates in the full length of their curve.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ec { crv: &'static str, x: Vec<u8>, y: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

impl PublicKey {
    pub(super) fn signing(
        kid: String,
        algorithm: Algorithm,
        spki_der: Vec<u8>,
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        Self::new(kid, algorithm.as_str(), (algorithm.key_type(), "sig"), spki_der, certificate_der)
    }

    /// The public half of an RSA encryption key (`RSA-OAEP`), from its private key in DER: PKCS#8, or PKCS#1 as well.
    /// Nothing is encrypted or decrypted in this layer.
    pub fn rsa_encryption_from_pkcs8(
        kid: impl Into<String>,
        private_der: &[u8],
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        let spki_der = rsa_spki(&rsa_pair(private_der)?)?;
        Self::new(kid.into(), "RSA-OAEP", (KeyType::Rsa, "enc"), spki_der, certificate_der)
    }

    fn new(
        kid: String,
        algorithm: &'static str,
        (key_type, key_use): (KeyType, &'static str),
        spki_der: Vec<u8>,
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        let numbers = numbers_of(key_type, &spki_der).ok_or(JoseError::KeyRejected("it has no public part"))?;
        Ok(Self { kid, algorithm, key_type, key_use, spki_der, certificate_der, numbers })
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The JOSE name of the algorithm it is for: of a signature or of an encryption.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// `sig` or `enc` (RFC 7517 §4.2).
    pub fn key_use(&self) -> &'static str {
        self.key_use
    }

    /// The DER SubjectPublicKeyInfo: in base64 the `publicKey` of Keycloak's Admin API.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki_der
    }

    /// How long the modulus of an RSA key is.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.numbers {
            Numbers::Rsa { n, .. } => Some(n.len() * 8),
            _ => None,
        }
    }

    pub fn certificate_der(&self) -> Option<&[u8]> {
        self.certificate_der.as_deref()
    }

    pub(super) fn numbers(&self) -> &Numbers {
        &self.numbers
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({}, {})", self.kid, self.algorithm)
    }
}

/// Parses an RSA private key as Keycloak exports it: PKCS#8, or the PKCS#1 of older releases.
pub(super) fn rsa_pair(private_der: &[u8]) -> Result<RsaKeyPair, JoseError> {
    RsaKeyPair::from_pkcs8(private_der)
        .or_else(|_| RsaKeyPair::from_der(private_der))
        .map_err(|_| JoseError::KeyRejected("it is no RSA private key of 2048 to 8192 bits"))
}

pub(super) fn rsa_spki(pair: &RsaKeyPair) -> Result<Vec<u8>, JoseError> {
    Ok(pair.public_key().as_der().map_err(|_| JoseError::Crypto("encoding a public key"))?.as_ref().to_vec())
}

/// An RSA private key as PKCS#1 (RFC 8017 A.1.2), the form in which Keycloak hands it out, from PKCS#8.
pub fn rsa_pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let (info, _) = element(SEQUENCE, pkcs8)?;
    let (_version, rest) = element(INTEGER, info)?;
    let (_algorithm, rest) = element(SEQUENCE, rest)?;
    Some(element(OCTET_STRING, rest)?.0)
}

/// The key inside a SubjectPublicKeyInfo.
pub(super) fn key_bits(spki_der: &[u8]) -> Option<&[u8]> {
    let (spki, _) = element(SEQUENCE, spki_der)?;
    let (_algorithm, rest) = element(SEQUENCE, spki)?;
    let (bits, _) = element(BIT_STRING, rest)?;
    // The first byte counts the unused bits at the end; keys are whole bytes.
    bits.strip_prefix(&[0])
}

fn numbers_of(key_type: KeyType, spki_der: &[u8]) -> Option<Numbers> {
    let key = key_bits(spki_der)?;
    match key_type {
        KeyType::Rsa => rsa_numbers(key),
        KeyType::Ec => ec_numbers(key),
        KeyType::Okp => (key.len() == 32).then(|| Numbers::Ed25519 { x: key.to_vec() }),
        KeyType::Oct => None,
    }
}

/// RSAPublicKey (RFC 8017 A.1.1). DER puts a zero before integers whose highest bit is set; a JWK does not.
fn rsa_numbers(key: &[u8]) -> Option<Numbers> {
    let (integers, _) = element(SEQUENCE, key)?;
    let (n, rest) = element(INTEGER, integers)?;
    let (e, _) = element(INTEGER, rest)?;
    let magnitude = |integer: &[u8]| integer.strip_prefix(&[0]).unwrap_or(integer).to_vec();
    Some(Numbers::Rsa { n: magnitude(n), e: magnitude(e) })
}

/// An uncompressed point (SEC 1 §2.3.3): the byte 4, then both coordinates.
fn ec_numbers(key: &[u8]) -> Option<Numbers> {
    let point = key.strip_prefix(&[4])?;
    let crv = match point.len() {
        64 => "P-256",
        96 => "P-384",
        132 => "P-521",
        _ => return None,
    };
    let (x, y) = point.split_at(point.len() / 2);
    Some(Numbers::Ec { crv, x: x.to_vec(), y: y.to_vec() })
}

pub(super) const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;

/// The content of the DER element at the head of `der`, if it has this tag, and what follows it.
pub(super) fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    if found == tag { rest.split_at_checked(length) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing;
    use proptest::prelude::*;

    #[test]
    fn a_signing_key_shows_its_type_use_and_algorithm() {
        let key = testing::key(Algorithm::Es384);
        let public = key.public().unwrap();
        assert_eq!((public.kid(), public.algorithm()), (key.kid(), "ES384"));
        assert_eq!((public.key_type(), public.key_use()), (KeyType::Ec, "sig"));
        assert!(matches!(public.numbers(), Numbers::Ec { crv: "P-384", x, y } if x.len() == 48 && y.len() == 48));
    }

    #[test]
    fn an_encryption_key_is_published_from_either_form_of_its_private_key() {
        let generated = &*testing::RSA;
        let pkcs1 = testing::pkcs1(&generated.private_pkcs8);
        for der in [&*generated.private_pkcs8, &*pkcs1] {
            let public = PublicKey::rsa_encryption_from_pkcs8("e1", der, None).unwrap();
            assert_eq!((public.algorithm(), public.key_use()), ("RSA-OAEP", "enc"));
            assert_eq!(public.spki_der(), generated.spki_der);
        }
        assert!(PublicKey::rsa_encryption_from_pkcs8("e1", b"no key", None).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_der_reader_panic(der in proptest::collection::vec(any::<u8>(), 0..80)) {
            for key_type in [KeyType::Rsa, KeyType::Ec, KeyType::Okp, KeyType::Oct] {
                let _ = numbers_of(key_type, &der);
            }
        }
    }
}
