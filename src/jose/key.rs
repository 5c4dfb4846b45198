//! One parsed key: made once from stored material, then shared and used without another look at its encoding.
//!
//! Parsing an RSA private key costs more than signing with it, so [`Key`] holds the key pairs of aws-lc and hands out cheap
//! clones. It also holds the public half parsed for verification. What a key may do is fixed by its one algorithm
//! (RFC 8725 §3.1); no key is ever used for another.

use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair};

use super::jws::encode_header;
use super::public_key::{Numbers, PublicKey, rsa_pair, rsa_spki};
use super::{Algorithm, JoseError, KeyType, primitive};

/// The shortest secret taken: the smallest `secretSize` of Keycloak. RFC 7518 §3.2 wants as many bytes as the hash has, and
/// secrets that are generated have them; imported ones and client secrets may be shorter.
pub const MIN_SECRET_BYTES: usize = 16;

/// A key that verifies and, unless it was made from a public key, signs.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    kid: String,
    algorithm: Algorithm,
    material: Material,
    /// The encoded header for `typ: JWT`, which nearly every token has.
    jwt_header: String,
}

#[expect(clippy::large_enum_variant, reason = "it is made once per key and stands behind an Arc")]
enum Material {
    Secret(hmac::Key),
    Asymmetric { private: Option<Private>, verifier: ParsedPublicKey, public: PublicKey },
}

enum Private {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    /// A key pair from its private key in DER: PKCS#8, for RSA also PKCS#1.
    ///
    /// Refuses what does not fit the algorithm: another type of key, another curve, an RSA modulus of less than 2048 bits.
    pub fn from_pkcs8(
        kid: impl Into<String>,
        algorithm: Algorithm,
        private_der: &[u8],
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        let (private, spki_der) = Private::parse(algorithm, private_der)?;
        Self::asymmetric(kid.into(), algorithm, Some(private), spki_der, certificate_der)
    }

    /// A key that only verifies, from a DER SubjectPublicKeyInfo.
    pub fn from_spki(
        kid: impl Into<String>,
        algorithm: Algorithm,
        spki_der: &[u8],
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        let verifier = parse_public(algorithm, spki_der)?;
        let spki_der = verifier.as_der().map_err(|_| JoseError::Crypto("encoding a public key"))?.as_ref().to_vec();
        Self::asymmetric(kid.into(), algorithm, None, spki_der, certificate_der)
    }

    /// A symmetric key. The secret has at least [`MIN_SECRET_BYTES`].
    pub fn from_secret(kid: impl Into<String>, algorithm: Algorithm, secret: &[u8]) -> Result<Self, JoseError> {
        let hash = primitive::hmac(algorithm).ok_or(JoseError::KeyRejected("a secret is for HS256, HS384 and HS512"))?;
        if secret.len() < MIN_SECRET_BYTES {
            return Err(JoseError::KeyRejected("the secret is shorter than 16 bytes"));
        }
        Self::new(kid.into(), algorithm, Material::Secret(hmac::Key::new(hash, secret)))
    }

    fn asymmetric(
        kid: String,
        algorithm: Algorithm,
        private: Option<Private>,
        spki_der: Vec<u8>,
        certificate_der: Option<Vec<u8>>,
    ) -> Result<Self, JoseError> {
        let verifier = parse_public(algorithm, &spki_der)?;
        let public = PublicKey::signing(kid.clone(), algorithm, spki_der, certificate_der)?;
        // aws-lc looks at the size of an RSA public key at each verification; a key that can verify nothing is no key.
        if matches!(public.numbers(), Numbers::Rsa { n, .. } if !(256..=1024).contains(&n.len())) {
            return Err(JoseError::KeyRejected("its modulus has not 2048 to 8192 bits"));
        }
        Self::new(kid, algorithm, Material::Asymmetric { private, verifier, public })
    }

    fn new(kid: String, algorithm: Algorithm, material: Material) -> Result<Self, JoseError> {
        let jwt_header = encode_header(algorithm, "JWT", &kid)?;
        Ok(Self(Arc::new(Inner { kid, algorithm, material, jwt_header })))
    }

    pub fn kid(&self) -> &str {
        &self.0.kid
    }

    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// What may be published of it; nothing of a symmetric key.
    pub fn public(&self) -> Option<&PublicKey> {
        match &self.0.material {
            Material::Secret(_) => None,
            Material::Asymmetric { public, .. } => Some(public),
        }
    }

    /// The encoded protected header of a token of this type.
    pub(super) fn header(&self, typ: &str) -> Result<String, JoseError> {
        if typ == "JWT" { Ok(self.0.jwt_header.clone()) } else { encode_header(self.algorithm(), typ, self.kid()) }
    }

    pub(super) fn sign_bytes(&self, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        match &self.0.material {
            Material::Secret(secret) => Ok(hmac::sign(secret, message).as_ref().to_vec()),
            Material::Asymmetric { private: Some(private), .. } => private.sign(self.algorithm(), message),
            Material::Asymmetric { private: None, .. } => Err(JoseError::NoPrivateKey),
        }
    }

    pub(super) fn verify_bytes(&self, message: &[u8], signature: &[u8]) -> Result<(), JoseError> {
        match &self.0.material {
            Material::Secret(secret) => hmac::verify(secret, message, signature),
            Material::Asymmetric { verifier, .. } => verifier.verify_sig(message, signature),
        }
        .map_err(|_| JoseError::BadSignature)
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {})", self.kid(), self.algorithm())
    }
}

fn parse_public(algorithm: Algorithm, spki_der: &[u8]) -> Result<ParsedPublicKey, JoseError> {
    let verification = primitive::verification(algorithm).ok_or(JoseError::KeyRejected("its algorithm is symmetric"))?;
    ParsedPublicKey::new(verification, spki_der).map_err(|_| JoseError::KeyRejected("it is no public key of its algorithm"))
}

impl Private {
    /// The key pair, and its public half as DER SubjectPublicKeyInfo.
    fn parse(algorithm: Algorithm, der: &[u8]) -> Result<(Self, Vec<u8>), JoseError> {
        let encoding = |_| JoseError::Crypto("encoding a public key");
        match algorithm.key_type() {
            KeyType::Rsa => {
                let pair = rsa_pair(der)?;
                let spki_der = rsa_spki(&pair)?;
                Ok((Self::Rsa(pair), spki_der))
            }
            KeyType::Ec => {
                let curve = primitive::ecdsa(algorithm).expect("every EC algorithm has a curve");
                let pair = EcdsaKeyPair::from_pkcs8(curve, der)
                    .map_err(|_| JoseError::KeyRejected("it is no private key of its algorithm's curve"))?;
                let spki_der = pair.public_key().as_der().map_err(encoding)?.as_ref().to_vec();
                Ok((Self::Ecdsa(pair), spki_der))
            }
            KeyType::Okp => {
                let pair = Ed25519KeyPair::from_pkcs8(der).map_err(|_| JoseError::KeyRejected("it is no Ed25519 private key"))?;
                let spki_der = pair.public_key().as_der().map_err(encoding)?.as_ref().to_vec();
                Ok((Self::Ed25519(pair), spki_der))
            }
            KeyType::Oct => Err(JoseError::KeyRejected("its algorithm is symmetric")),
        }
    }

    /// aws-lc takes its own randomness for PSS salts and ECDSA nonces and ignores the generator it is given.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, JoseError> {
        let failed = |_| JoseError::Crypto("signing");
        match self {
            Self::Rsa(pair) => {
                let encoding = primitive::rsa(algorithm).expect("an RSA pair is only made for an RSA algorithm");
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Self::Ecdsa(pair) => Ok(pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec()),
            Self::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing;

    #[test]
    fn a_key_shows_no_more_than_its_kid_and_algorithm() {
        let key = Key::from_secret("k1", Algorithm::Hs512, &[7; 64]).unwrap();
        assert_eq!(format!("{key:?}"), "Key(k1, HS512)");
        assert!(key.public().is_none());
        assert_eq!(format!("{:?}", testing::key(Algorithm::EdDsa)), "Key(EdDSA, EdDSA)");
    }

    #[test]
    fn an_rsa_key_is_taken_as_pkcs1_too() {
        let pkcs1 = testing::pkcs1(&testing::RSA.private_pkcs8);
        let key = Key::from_pkcs8("k1", Algorithm::Rs256, &pkcs1, None).unwrap();
        assert_eq!(key.public().unwrap().spki_der(), testing::RSA.spki_der);
    }

    #[test]
    fn a_private_key_is_refused_for_an_algorithm_of_another_type_or_curve() {
        let asymmetric = || Algorithm::ALL.into_iter().filter(|a| !a.is_symmetric());
        for made_for in asymmetric() {
            let der = testing::private_der(made_for);
            for used_for in Algorithm::ALL {
                let both_rsa = made_for.key_type() == KeyType::Rsa && used_for.key_type() == KeyType::Rsa;
                let taken = Key::from_pkcs8("k1", used_for, &der, None).is_ok();
                assert_eq!(taken, made_for == used_for || both_rsa, "{made_for} as {used_for}");
            }
        }
    }

    #[test]
    fn a_public_key_is_refused_for_an_algorithm_of_another_type_or_curve() {
        for made_for in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa] {
            let spki = testing::key(made_for).public().unwrap().spki_der().to_vec();
            for used_for in Algorithm::ALL {
                let both_rsa = made_for.key_type() == KeyType::Rsa && used_for.key_type() == KeyType::Rsa;
                let taken = Key::from_spki("k1", used_for, &spki, None).is_ok();
                assert_eq!(taken, made_for == used_for || both_rsa, "{made_for} as {used_for}");
            }
        }
    }

    #[test]
    fn a_key_without_a_private_part_verifies_and_does_not_sign() {
        let pair = testing::key(Algorithm::Es256);
        let public = Key::from_spki("k1", Algorithm::Es256, pair.public().unwrap().spki_der(), None).unwrap();
        let signature = pair.sign_bytes(b"message").unwrap();
        assert!(public.verify_bytes(b"message", &signature).is_ok());
        assert!(matches!(public.sign_bytes(b"message"), Err(JoseError::NoPrivateKey)));
    }

    #[test]
    fn short_secrets_and_small_rsa_keys_are_refused() {
        assert!(Key::from_secret("k1", Algorithm::Hs256, &[7; 15]).is_err());
        assert!(Key::from_secret("k1", Algorithm::Rs256, &[7; 64]).is_err());
        assert!(Key::from_spki("k1", Algorithm::Rs256, &testing::spki_of_1024_bits(), None).is_err());
    }
}
