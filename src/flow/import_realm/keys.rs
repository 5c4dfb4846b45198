//! The keys of a realm that is made: those that its file brings, under the ids that tokens in the field name, and new ones.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use zeroize::Zeroizing;

use super::writer::ImportError;
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::flow::keys;
use crate::jose::{Algorithm, Key, PublicKey, kid_of_spki};
use crate::model::KeyId;
use crate::model::realm_import::{KeyImport, RealmImport};
use crate::model::signing_key::{KeyUse, StoredKey};

/// Keycloak writes secrets without padding, and files that people wrote may have it.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a key is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Sign(Algorithm),
    /// RSA-OAEP, to this server.
    Receive,
    Aes,
}

/// Every key that the realm begins with. What is not understood of a file's keys is added to `not_taken_over`.
pub(super) async fn keys_of(
    server: &Server,
    import: &RealmImport,
    now: Timestamp,
    not_taken_over: &mut Vec<String>,
) -> Result<Vec<StoredKey>, ImportError> {
    let mut all = Vec::new();
    for given in &import.keys {
        match purpose(given) {
            Some(purpose) => {
                let key = key_of(server, given, purpose, &import.name, now).await?;
                let has_certificate = key.certificate.is_some() || given.certificate.is_none();
                if all.iter().any(|other: &StoredKey| other.id == key.id) || given.private.is_some() && !has_certificate {
                    not_taken_over.push(path(given));
                }
                if all.iter().all(|other| other.id != key.id) {
                    all.push(key);
                }
            }
            None => not_taken_over.push(path(given)),
        }
    }
    for purpose in [Purpose::Sign(Algorithm::Rs256), Purpose::Receive, Purpose::Sign(keys::INTERNAL_ALGORITHM), Purpose::Aes] {
        // A file with keys says which there are (Keycloak); without the internal one there are no refresh tokens.
        let wanted = import.keys.is_empty() || purpose == Purpose::Sign(keys::INTERNAL_ALGORITHM);
        if wanted && !all.iter().any(|key| key.algorithm == algorithm(purpose) && key.active && key.enabled) {
            all.push(new_key(server, purpose, &import.name, now).await?);
        }
    }
    Ok(all)
}

fn path(given: &KeyImport) -> String {
    format!("components.org.keycloak.keys.KeyProvider.{}", given.name)
}

fn purpose(given: &KeyImport) -> Option<Purpose> {
    let named = |default: &'static str| given.algorithm.as_deref().unwrap_or(default);
    let sign = |name: &str| name.parse().ok().map(Purpose::Sign);
    match given.provider_id.as_str() {
        "rsa" | "rsa-generated" => sign(named("RS256")),
        "rsa-enc" | "rsa-enc-generated" => (named("RSA-OAEP") == "RSA-OAEP").then_some(Purpose::Receive),
        "ecdsa-generated" => match given.curve.as_deref().unwrap_or("P-256") {
            "P-256" => Some(Purpose::Sign(Algorithm::Es256)),
            "P-384" => Some(Purpose::Sign(Algorithm::Es384)),
            "P-521" => Some(Purpose::Sign(Algorithm::Es512)),
            _ => None,
        },
        "eddsa-generated" => {
            (given.curve.as_deref().unwrap_or("Ed25519") == "Ed25519").then_some(Purpose::Sign(Algorithm::EdDsa))
        }
        "hmac-generated" => sign(named("HS256")),
        "aes-generated" => Some(Purpose::Aes),
        _ => None,
    }
}

fn algorithm(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Sign(algorithm) => algorithm.as_str(),
        Purpose::Receive => "RSA-OAEP",
        Purpose::Aes => "AES",
    }
}

async fn new_key(server: &Server, purpose: Purpose, realm: &str, now: Timestamp) -> Result<StoredKey, ImportError> {
    Ok(match purpose {
        Purpose::Sign(algorithm) => keys::generate(server, algorithm, realm, now).await?,
        Purpose::Receive => keys::generate_encryption(realm, now).await?,
        Purpose::Aes => keys::aes(&server.entropy),
    })
}

/// The key of a provider; a new one where the file keeps its private part back.
async fn key_of(
    server: &Server,
    given: &KeyImport,
    purpose: Purpose,
    realm: &str,
    now: Timestamp,
) -> Result<StoredKey, ImportError> {
    let made = match &given.private {
        Some(private) => read(given, purpose, private.expose())
            .ok_or_else(|| ImportError::Unknown(format!("The key {} cannot be read as {}", given.name, algorithm(purpose))))?,
        None => new_key(server, purpose, realm, now).await?,
    };
    Ok(StoredKey {
        name: given.name.clone(),
        provider_id: given.provider_id.clone(),
        priority: given.priority,
        active: given.active,
        enabled: given.enabled,
        ..made
    })
}

/// The base64 of a text that may be PEM (RFC 7468): keys that people uploaded are kept as they came.
fn without_armour(text: &str) -> Zeroizing<String> {
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    Zeroizing::new(lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect())
}

/// The key as the file has it; none if that is not one of its kind.
fn read(given: &KeyImport, purpose: Purpose, private: &str) -> Option<StoredKey> {
    let certificate = given.certificate.as_ref().and_then(|text| STANDARD.decode(without_armour(text)).ok());
    let is_secret = match purpose {
        Purpose::Sign(algorithm) => algorithm.is_symmetric(),
        Purpose::Receive => false,
        Purpose::Aes => true,
    };
    let material =
        Zeroizing::new(if is_secret { SECRET.decode(private) } else { STANDARD.decode(without_armour(private)) }.ok()?);
    let kid = match purpose {
        Purpose::Sign(algorithm) if algorithm.is_symmetric() => {
            Key::from_secret("", algorithm, &material).ok()?;
            given.kid.clone()?
        }
        Purpose::Sign(algorithm) => {
            let key = Key::from_pkcs8("", algorithm, &material, certificate.clone()).ok()?;
            given.kid.clone().unwrap_or_else(|| kid_of_spki(key.public().map(PublicKey::spki_der).unwrap_or_default()))
        }
        Purpose::Receive => {
            let key = PublicKey::rsa_encryption_from_pkcs8("", &material, certificate.clone()).ok()?;
            given.kid.clone().unwrap_or_else(|| kid_of_spki(key.spki_der()))
        }
        Purpose::Aes => given.kid.clone()?,
    };
    Some(StoredKey {
        id: KeyId::new(kid),
        name: String::new(),
        provider_id: String::new(),
        priority: 0,
        algorithm: algorithm(purpose).to_owned(),
        key_use: if matches!(purpose, Purpose::Sign(_)) { KeyUse::Signature } else { KeyUse::Encryption },
        active: true,
        enabled: true,
        material,
        certificate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::base::Secret;
    use crate::jose::testing;

    fn given(provider_id: &str, curve: Option<&str>, private: &str) -> KeyImport {
        KeyImport {
            name: "own".to_owned(),
            provider_id: provider_id.to_owned(),
            priority: 7,
            active: true,
            enabled: true,
            algorithm: None,
            curve: curve.map(str::to_owned),
            kid: None,
            private: Some(Secret::new(private)),
            certificate: None,
        }
    }

    #[test]
    fn a_key_pair_is_read_under_the_id_of_its_public_half() {
        for (provider, curve, algorithm) in
            [("rsa", None, Algorithm::Rs256), ("ecdsa-generated", Some("P-384"), Algorithm::Es384)]
        {
            let pair = testing::generated(algorithm);
            let given = given(provider, curve, &STANDARD.encode(&*pair.private_pkcs8));
            let purpose = purpose(&given).unwrap();
            assert_eq!(purpose, Purpose::Sign(algorithm));
            let key = read(&given, purpose, given.private.as_ref().unwrap().expose()).unwrap();
            assert_eq!((key.id.as_str(), key.algorithm.as_str()), (pair.kid.as_str(), algorithm.as_str()));
            let armoured =
                format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", given.private.as_ref().unwrap().expose());
            assert_eq!(read(&given, purpose, &armoured).unwrap().id, key.id, "as PEM too");
        }
    }

    #[test]
    fn what_is_no_key_of_its_kind_is_not_read() {
        let pair = STANDARD.encode(&*testing::generated(Algorithm::Es384).private_pkcs8);
        for (provider, curve, private) in [
            ("rsa", None, pair.as_str()),
            ("ecdsa-generated", Some("P-256"), &pair),
            ("rsa", None, "no base64!"),
            ("rsa-enc", None, "AAAA"),
        ] {
            let given = given(provider, curve, private);
            assert!(read(&given, purpose(&given).unwrap(), private).is_none(), "{provider} {curve:?}");
        }
        let short =
            KeyImport { kid: Some("k".to_owned()), ..given("hmac-generated", None, URL_SAFE_NO_PAD.encode("short").as_str()) };
        assert!(read(&short, purpose(&short).unwrap(), short.private.as_ref().unwrap().expose()).is_none());
    }

    #[test]
    fn keys_of_other_kinds_are_not_understood() {
        for (provider, curve) in [("java-keystore", None), ("eddsa-generated", Some("Ed448")), ("ecdh-generated", None)] {
            assert_eq!(purpose(&given(provider, curve, "")), None, "{provider}");
        }
    }
}
