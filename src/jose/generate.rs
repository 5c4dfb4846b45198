//! New key pairs with self-signed certificates, as a realm gets them when it is made or its keys are rotated.
//!
//! Private keys and serial numbers come from aws-lc's own generator: its key generation takes no other source, so this is
//! the one place whose randomness a test cannot seed. Time is handed in. Certificates (RFC 5280) vouch for nothing; they
//! are there because clients expect an `x5c`.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{encoding::AsDer, rand};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, RsaKeySize, SerialNumber, SignatureAlgorithm,
    SigningKey,
};
use zeroize::Zeroizing;

use super::public_key::key_bits;
use super::{Algorithm, JoseError, Key, kid_of_spki};
use crate::base::Timestamp;

/// Keycloak: 100 s before now, so that clocks that run behind accept the certificate at once.
const BACKDATED: time::Duration = time::Duration::seconds(100);

/// Ten years.
const VALID_FOR: time::Duration = time::Duration::days(3652);

/// A new key pair, in the forms in which it is stored and published.
pub struct Generated {
    /// [`kid_of_spki`].
    pub kid: String,
    /// PKCS#8 version 1, unencrypted: to be sealed.
    pub private_pkcs8: Zeroizing<Vec<u8>>,
    pub spki_der: Vec<u8>,
    /// Self-signed, `CN={common_name}`; none for Ed25519.
    pub certificate_der: Option<Vec<u8>>,
    /// The end of the certificate's validity.
    pub valid_to: Option<Timestamp>,
}

impl std::fmt::Debug for Generated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Generated({})", self.kid)
    }
}

/// Generates a key pair for a signature algorithm: RSA of 2048 bits, the algorithm's curve, or Ed25519.
///
/// RSA takes 60 to 110 ms of CPU: call it off the async threads (`spawn_blocking`). Refuses symmetric algorithms, whose
/// secrets are plain random bytes.
pub fn generate(algorithm: Algorithm, common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => certified(&rcgen::PKCS_RSA_SHA256, common_name, now),
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => certified(&rcgen::PKCS_RSA_SHA256, common_name, now),
        Algorithm::Es256 => certified(&rcgen::PKCS_ECDSA_P256_SHA256, common_name, now),
        Algorithm::Es384 => certified(&rcgen::PKCS_ECDSA_P384_SHA384, common_name, now),
        Algorithm::Es512 => certified(&rcgen::PKCS_ECDSA_P521_SHA512, common_name, now),
        Algorithm::EdDsa => ed25519(),
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => Err(JoseError::KeyRejected("its algorithm is symmetric")),
    }
}

/// How long the modulus of a new RSA key is. Shorter ones sign nothing here, and longer ones are too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaSize {
    Bits2048,
    Bits3072,
    Bits4096,
}

impl RsaSize {
    pub fn of_bits(bits: usize) -> Option<Self> {
        match bits {
            2048 => Some(Self::Bits2048),
            3072 => Some(Self::Bits3072),
            4096 => Some(Self::Bits4096),
            _ => None,
        }
    }
}

/// Generates an RSA key pair, for signatures or for encryption. One of 4096 bits takes seconds of CPU; see [`generate`].
pub fn generate_rsa(size: RsaSize, common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    let size = match size {
        RsaSize::Bits2048 => RsaKeySize::_2048,
        RsaSize::Bits3072 => RsaKeySize::_3072,
        RsaSize::Bits4096 => RsaKeySize::_4096,
    };
    let pair = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).map_err(JoseError::Certificate)?;
    with_certificate(&pair, common_name, now)
}

/// A self-signed certificate, in DER, for an RSA key that was made elsewhere: PKCS#8 or PKCS#1.
pub fn certificate_for(private_der: &[u8], common_name: &str, now: Timestamp) -> Result<Vec<u8>, JoseError> {
    let key = Key::from_pkcs8("", Algorithm::Rs256, private_der, None)?;
    let spki = key.public().map(|public| public.spki_der().to_vec()).unwrap_or_default();
    let public = key_bits(&spki).ok_or(JoseError::KeyRejected("it has no public part"))?.to_vec();
    Ok(certificate(&Signer { key, public }, common_name, now)?.0)
}

/// A key of ours as rcgen wants to see it.
struct Signer {
    key: Key,
    public: Vec<u8>,
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key.sign_bytes(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn certified(algorithm: &'static SignatureAlgorithm, common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    with_certificate(&KeyPair::generate_for(algorithm).map_err(JoseError::Certificate)?, common_name, now)
}

fn with_certificate(pair: &KeyPair, common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    let (certificate_der, valid_to) = certificate(pair, common_name, now)?;
    let spki_der = pair.subject_public_key_info();
    Ok(Generated {
        kid: kid_of_spki(&spki_der),
        private_pkcs8: Zeroizing::new(pair.serialize_der()),
        spki_der,
        certificate_der: Some(certificate_der),
        valid_to: Some(valid_to),
    })
}

/// A certificate that the key signs for itself, and when it ends.
fn certificate(key: &impl SigningKey, common_name: &str, now: Timestamp) -> Result<(Vec<u8>, Timestamp), JoseError> {
    let valid_to = now.to_offset().saturating_add(VALID_FOR);
    let mut params = CertificateParams::default();
    params.not_before = now.to_offset().saturating_sub(BACKDATED);
    params.not_after = valid_to;
    params.serial_number = Some(serial_number()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let certificate = params.self_signed(key).map_err(JoseError::Certificate)?;
    Ok((certificate.der().to_vec(), Timestamp::from_unix_seconds(valid_to.unix_timestamp())))
}

/// 127 random bits: positive and within the 20 bytes of RFC 5280 §4.1.2.2.
fn serial_number() -> Result<SerialNumber, JoseError> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| JoseError::Crypto("drawing a serial number"))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

/// Version 1 of PKCS#8, without the public key: what other programs read without fail.
fn ed25519() -> Result<Generated, JoseError> {
    let failed = |_| JoseError::Crypto("generating a key");
    let pair = Ed25519KeyPair::generate().map_err(failed)?;
    let spki_der = pair.public_key().as_der().map_err(failed)?.as_ref().to_vec();
    Ok(Generated {
        kid: kid_of_spki(&spki_der),
        private_pkcs8: Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()),
        spki_der,
        certificate_der: None,
        valid_to: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::public_key::{SEQUENCE, element};
    use crate::jose::{Key, testing};

    /// The SubjectPublicKeyInfo and the signed bytes are read out of the certificate, and the key verifies its own name.
    #[test]
    fn a_certificate_holds_the_key_and_is_signed_by_it() {
        for (algorithm, generated) in [(Algorithm::Rs256, &*testing::RSA), (Algorithm::Es384, &*testing::ES384)] {
            let certificate = generated.certificate_der.as_deref().unwrap();
            let holds = |bytes: &[u8]| certificate.windows(bytes.len()).any(|window| window == bytes);
            assert!(holds(&generated.spki_der) && holds("CN-of-test".as_bytes()), "{algorithm}");
            let (outer, rest) = element(SEQUENCE, certificate).unwrap();
            let (_, after) = element(SEQUENCE, outer).unwrap();
            let signed = &outer[..outer.len() - after.len()];
            assert!(rest.is_empty() && signed.len() < outer.len());
            if algorithm == Algorithm::Rs256 {
                let key = Key::from_spki("k1", algorithm, &generated.spki_der, None).unwrap();
                assert!(key.verify_bytes(signed, &outer[outer.len() - 256..]).is_ok());
            }
        }
    }

    #[test]
    fn a_certificate_is_valid_from_just_before_now_for_ten_years() {
        let certificate = testing::ES384.certificate_der.as_deref().unwrap();
        let holds = |text: &str| certificate.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(holds("260101000020Z") && holds("360101000200Z"), "2026-01-01 00:02:00, less 100 s, and ten years more");
        assert_eq!(testing::ES384.valid_to, Some(testing::now() + std::time::Duration::from_secs(3652 * 86_400)));
    }

    #[test]
    fn a_generated_pair_is_read_back_under_its_kid() {
        for algorithm in [Algorithm::Rs256, Algorithm::Es384, Algorithm::Es512, Algorithm::EdDsa] {
            let generated = testing::generated(algorithm);
            let key = Key::from_pkcs8(&generated.kid, algorithm, &generated.private_pkcs8, None).unwrap();
            assert_eq!(key.public().unwrap().spki_der(), generated.spki_der, "{algorithm}");
            assert_eq!(generated.kid, kid_of_spki(&generated.spki_der));
            assert_eq!(generated.certificate_der.is_none(), algorithm == Algorithm::EdDsa);
        }
    }

    #[test]
    fn a_key_that_was_made_elsewhere_gets_a_certificate_of_its_own() {
        let made = &*testing::RSA;
        for der in [&*made.private_pkcs8, &*testing::pkcs1(&made.private_pkcs8)] {
            let certificate = certificate_for(der, "CN-of-test", testing::now()).unwrap();
            assert_eq!(crate::jose::spki_of_certificate(&certificate), Some(&*made.spki_der));
        }
        assert!(certificate_for(&testing::ES384.private_pkcs8, "test", testing::now()).is_err());
    }

    #[test]
    fn a_longer_rsa_key_is_made_on_request() {
        let made = generate_rsa(RsaSize::Bits3072, "test", testing::now()).unwrap();
        let key = Key::from_pkcs8("k1", Algorithm::Ps256, &made.private_pkcs8, None).unwrap();
        assert_eq!(key.public().unwrap().rsa_bits(), Some(3072));
    }

    #[test]
    fn symmetric_algorithms_have_no_pair() {
        assert!(generate(Algorithm::Hs512, "test", testing::now()).is_err());
    }

    #[test]
    fn the_ends_of_time_and_odd_names_make_certificates_too() {
        for now in [Timestamp::EARLIEST, Timestamp::LATEST, testing::now()] {
            assert!(generate(Algorithm::Es256, "\0é, CN=x \u{1F511}", now).is_ok(), "{now:?}");
        }
    }
}
