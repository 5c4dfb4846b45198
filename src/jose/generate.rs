//! New key pairs with self-signed certificates, as a realm gets them when it is made or its keys are rotated.
//!
//! Private keys and serial numbers come from aws-lc's own generator: its key generation takes no other source, so this is
//! the one place whose randomness a test cannot seed. Time is handed in. Certificates (RFC 5280) vouch for nothing; they
//! are there because clients expect an `x5c`.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{encoding::AsDer, rand};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PublicKeyData, SerialNumber, SignatureAlgorithm};
use zeroize::Zeroizing;

use super::{Algorithm, JoseError, kid_of_spki};
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

/// Generates an RSA key pair of 2048 bits for encryption (`RSA-OAEP`); see [`generate`] for what it costs.
pub fn generate_rsa_encryption(common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    certified(&rcgen::PKCS_RSA_SHA256, common_name, now)
}

fn certified(algorithm: &'static SignatureAlgorithm, common_name: &str, now: Timestamp) -> Result<Generated, JoseError> {
    let pair = KeyPair::generate_for(algorithm).map_err(JoseError::Certificate)?;
    let valid_to = now.to_offset().saturating_add(VALID_FOR);
    let mut params = CertificateParams::default();
    params.not_before = now.to_offset().saturating_sub(BACKDATED);
    params.not_after = valid_to;
    params.serial_number = Some(serial_number()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    let certificate = params.self_signed(&pair).map_err(JoseError::Certificate)?;
    let spki_der = pair.subject_public_key_info();
    Ok(Generated {
        kid: kid_of_spki(&spki_der),
        private_pkcs8: Zeroizing::new(pair.serialize_der()),
        spki_der,
        certificate_der: Some(certificate.der().to_vec()),
        valid_to: Some(Timestamp::from_unix_seconds(valid_to.unix_timestamp())),
    })
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
