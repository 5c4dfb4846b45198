//! The key of a key provider: made anew, or read from what is configured. Ids are those that tokens in the field name.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use thiserror::Error;
use zeroize::Zeroizing;

use super::catalog;
use super::purpose::Purpose;
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::flow::keys;
use crate::flow::masking::MASK;
use crate::jose::{
    Algorithm, Key, KeyType, MIN_SECRET_BYTES, PublicKey, RsaSize, certificate_for, kid_of_spki, spki_of_certificate,
};
use crate::model::component::{Config, KEY_PROVIDER};
use crate::model::signing_key::{KeyUse, StoredKey};
use crate::model::{Component, KeyId, RealmId};
use crate::store::StoreError;

/// Keycloak writes secrets without padding, and files that people wrote may have it.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const CERTIFICATE: &str = "certificate";

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("Failed to decode private key")]
    Private,
    #[error("Failed to decode certificate")]
    Certificate,
    #[error("Certificate does not match private key")]
    OtherCertificate,
    #[error("'Key size' of 1024 is too small: RSA keys here have 2048, 3072 or 4096 bits")]
    TooSmall,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where each kind of provider keeps the private part.
fn private_name(provider_id: &str) -> &'static str {
    match provider_id {
        "ecdsa-generated" => "ecdsaPrivateKey",
        "eddsa-generated" => "eddsaPrivateKey",
        "hmac-generated" | "aes-generated" => "secret",
        _ => "privateKey",
    }
}

/// The private part that is configured; what stands for one that is not shown is none.
pub fn private(provider: &Component) -> Option<&str> {
    provider.config(private_name(&provider.provider_id)).filter(|private| *private != MASK)
}

/// The key that a provider is configured to have: the one that its configuration brings, or a new one.
pub async fn make(
    server: &Server,
    provider: &Component,
    purpose: Purpose,
    realm: &str,
    now: Timestamp,
) -> Result<StoredKey, KeyError> {
    let key = match private(provider) {
        Some(private) => read(provider, purpose, private)?,
        None => new(server, provider, purpose, realm, now).await?,
    };
    let mut key = configured(key, provider);
    // Keycloak: an imported key gets a certificate where it brings none.
    if ["rsa", "rsa-enc"].contains(&key.provider_id.as_str()) && key.certificate.is_none() {
        key.certificate = Some(certificate_for(&key.material, realm, now).map_err(|_| KeyError::Private)?);
    }
    Ok(key)
}

/// A new key as it is configured.
async fn new(
    server: &Server,
    provider: &Component,
    purpose: Purpose,
    realm: &str,
    now: Timestamp,
) -> Result<StoredKey, KeyError> {
    let size = |name: &str| provider.config(name).and_then(|size| size.parse::<usize>().ok());
    let rsa_size = || RsaSize::of_bits(size("keySize").unwrap_or(2048)).ok_or(KeyError::TooSmall);
    Ok(match purpose {
        Purpose::Sign(algorithm) if algorithm.key_type() == KeyType::Rsa => {
            keys::generate_rsa(&server.entropy, purpose, rsa_size()?, realm, now).await?
        }
        Purpose::Receive => keys::generate_rsa(&server.entropy, purpose, rsa_size()?, realm, now).await?,
        Purpose::Sign(algorithm) if algorithm.is_symmetric() => {
            keys::hmac(&server.entropy, algorithm, size("secretSize").unwrap_or(keys::HMAC_BYTES))
        }
        Purpose::Sign(algorithm) => keys::generate(server, algorithm, realm, now).await?,
        Purpose::Aes => keys::aes(&server.entropy, size("secretSize").unwrap_or(keys::AES_BYTES)),
    })
}

/// The key under its provider's name, with what is configured besides.
fn configured(key: StoredKey, provider: &Component) -> StoredKey {
    let is_on = |name: &str| provider.config(name).is_none_or(|value| value == "true");
    StoredKey {
        component: provider.id.clone(),
        name: provider.name.clone(),
        provider_id: provider.provider_id.clone(),
        priority: provider.config("priority").and_then(|p| p.parse().ok()).unwrap_or(0),
        active: is_on("active"),
        enabled: is_on("enabled"),
        config: open_config(provider),
        ..key
    }
}

/// What of a provider's configuration is kept beside its key: neither the key itself nor its certificate.
fn open_config(provider: &Component) -> Config {
    let Some(known) = catalog::provider(KEY_PROVIDER, &provider.provider_id) else { return Config::new() };
    let is_kept = |name: &str| known.keeps(name) && name != private_name(&provider.provider_id) && name != CERTIFICATE;
    provider.config.iter().filter(|(name, _)| is_kept(name)).map(|(name, values)| (name.clone(), values.clone())).collect()
}

/// The base64 of a text that may be PEM (RFC 7468): keys that people uploaded are kept as they came.
pub fn without_armour(text: &str) -> Zeroizing<String> {
    let lines = text.lines().filter(|line| !line.starts_with("-----"));
    Zeroizing::new(lines.flat_map(|line| line.chars().filter(|c| !c.is_whitespace())).collect())
}

/// A certificate in PEM or bare base64, as DER. It has to be one.
pub fn read_certificate(text: &str) -> Option<Vec<u8>> {
    let der = STANDARD.decode(without_armour(text)).ok()?;
    spki_of_certificate(&der).is_some().then_some(der)
}

/// The key that a configuration brings.
fn read(provider: &Component, purpose: Purpose, private: &str) -> Result<StoredKey, KeyError> {
    let decoded = if purpose.is_secret() { SECRET.decode(private) } else { STANDARD.decode(without_armour(private)) };
    let material = Zeroizing::new(decoded.map_err(|_| KeyError::Private)?);
    let certificate = provider.config(CERTIFICATE).map(|text| read_certificate(text).ok_or(KeyError::Certificate)).transpose()?;
    let own_kid = provider.config("kid").map(str::to_owned);
    let spki = match purpose {
        Purpose::Sign(algorithm) if algorithm.is_symmetric() => {
            Key::from_secret("", algorithm, &material).map_err(|_| KeyError::Private)?;
            None
        }
        Purpose::Sign(algorithm) => {
            let key = Key::from_pkcs8("", algorithm, &material, None).map_err(|_| KeyError::Private)?;
            key.public().map(|public| public.spki_der().to_vec())
        }
        Purpose::Receive => {
            let key = PublicKey::rsa_encryption_from_pkcs8("", &material, None).map_err(|_| KeyError::Private)?;
            Some(key.spki_der().to_vec())
        }
        Purpose::Aes if material.len() < MIN_SECRET_BYTES => return Err(KeyError::Private),
        Purpose::Aes => None,
    };
    if certificate.as_deref().is_some_and(|certificate| spki_of_certificate(certificate) != spki.as_deref()) {
        return Err(KeyError::OtherCertificate);
    }
    let kid = own_kid.or_else(|| spki.as_deref().map(kid_of_spki)).ok_or(KeyError::Private)?;
    Ok(StoredKey {
        id: KeyId::new(kid),
        component: provider.id.clone(),
        name: String::new(),
        provider_id: String::new(),
        priority: 0,
        algorithm: purpose.algorithm().to_owned(),
        key_use: if matches!(purpose, Purpose::Sign(_)) { KeyUse::Signature } else { KeyUse::Encryption },
        active: true,
        enabled: true,
        material,
        certificate,
        config: Config::new(),
    })
}

/// The provider of a key as it is shown. The private part of an imported key has its place there, and is not shown.
pub fn shown(key: &StoredKey, realm: &RealmId) -> Component {
    let mut config = key.config.clone();
    if ["rsa", "rsa-enc"].contains(&key.provider_id.as_str()) {
        config.insert(private_name(&key.provider_id).to_owned(), vec![MASK.to_owned()]);
        if let Some(certificate) = &key.certificate {
            config.insert(CERTIFICATE.to_owned(), vec![STANDARD.encode(certificate)]);
        }
    }
    Component {
        id: key.component.clone(),
        name: key.name.clone(),
        provider_type: KEY_PROVIDER.to_owned(),
        provider_id: key.provider_id.clone(),
        parent: realm.to_string(),
        sub_type: None,
        config,
    }
}

/// The provider of a key with its private part, for a file that has everything: read again it makes the same key, under the same
/// `kid`.
pub fn whole(key: &StoredKey, realm: &RealmId) -> Component {
    let mut component = shown(key, realm);
    let purpose = Purpose::of(&component);
    put_private(key, &mut component, purpose.is_some_and(Purpose::is_secret));
    let public = match (purpose, key.provider_id.as_str()) {
        (Some(Purpose::Sign(algorithm)), "ecdsa-generated") => Some((algorithm, "ecdsaPublicKey")),
        (Some(Purpose::Sign(algorithm)), "eddsa-generated") => Some((algorithm, "eddsaPublicKey")),
        _ => None,
    };
    if ["rsa-generated", "rsa-enc-generated"].contains(&key.provider_id.as_str()) {
        let name = if purpose == Some(Purpose::Receive) { "ENC" } else { "SIG" };
        component.config.insert("keyUse".to_owned(), vec![name.to_owned()]);
    }
    // Keycloak keeps the public half of these beside the private one, and wants both.
    if let Some((algorithm, name)) = public
        && let Ok(pair) = Key::from_pkcs8("", algorithm, &key.material, None)
        && let Some(public) = pair.public()
    {
        component.config.insert(name.to_owned(), vec![STANDARD.encode(public.spki_der())]);
    }
    component
}

fn put_private(key: &StoredKey, component: &mut Component, is_secret: bool) {
    let private = if is_secret { SECRET.encode(&key.material) } else { STANDARD.encode(&key.material) };
    let name = private_name(&component.provider_id).to_owned();
    component.config.insert(name, vec![private]);
    component.config.insert("kid".to_owned(), vec![key.id.to_string()]);
    if let Some(certificate) = key.certificate.as_ref().filter(|_| component.config(CERTIFICATE).is_none()) {
        component.config.insert(CERTIFICATE.to_owned(), vec![STANDARD.encode(certificate)]);
    }
}

/// Puts the present key into a changed configuration, unless that asks for another: a new private part, another type or curve,
/// another size.
pub fn keep(key: &StoredKey, changed: &mut Component, purpose: Purpose) {
    if private(changed).is_some() || !fits(key, purpose) || has_other_size(key, changed) {
        return;
    }
    put_private(key, changed, purpose.is_secret());
}

/// Whether a key can do what is wanted now. One RSA key serves every RSA algorithm, one secret every HMAC.
fn fits(key: &StoredKey, purpose: Purpose) -> bool {
    let present = key.algorithm.parse::<Algorithm>().ok();
    match (present, purpose) {
        (Some(present), Purpose::Sign(wanted)) => {
            present == wanted
                || present.key_type() == wanted.key_type() && matches!(wanted.key_type(), KeyType::Rsa | KeyType::Oct)
        }
        (None, _) => key.algorithm == purpose.algorithm(),
        _ => false,
    }
}

/// Whether a size is named that the key has not. Keycloak takes its default for named: a key of another size than that would go
/// with the first change of its priority.
fn has_other_size(key: &StoredKey, changed: &Component) -> bool {
    let wanted = |name: &str| changed.config(name).and_then(|size| size.parse::<usize>().ok());
    let rsa = || PublicKey::rsa_encryption_from_pkcs8("", &key.material, None).ok().and_then(|public| public.rsa_bits());
    wanted("keySize").is_some_and(|size| rsa() != Some(size)) || wanted("secretSize").is_some_and(|s| s != key.material.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use crate::jose::testing;
    use crate::model::ComponentId;

    fn given(provider_id: &str, curve: Option<&str>, private: &str) -> Component {
        let mut config = Config::from([(private_name(provider_id).to_owned(), vec![private.to_owned()])]);
        if let Some(curve) = curve {
            let name = if provider_id == "eddsa-generated" { "eddsaEllipticCurveKey" } else { "ecdsaEllipticCurveKey" };
            config.insert(name.to_owned(), vec![curve.to_owned()]);
        }
        Component {
            id: ComponentId::new("c1"),
            name: "own".to_owned(),
            provider_type: KEY_PROVIDER.to_owned(),
            provider_id: provider_id.to_owned(),
            parent: "demo".to_owned(),
            sub_type: None,
            config,
        }
    }

    fn read_back(given: &Component) -> Option<StoredKey> {
        read(given, Purpose::of(given)?, private(given)?).ok()
    }

    #[test]
    fn a_key_pair_is_read_under_the_id_of_its_public_half() {
        for (provider, curve, algorithm) in
            [("rsa", None, Algorithm::Rs256), ("ecdsa-generated", Some("P-384"), Algorithm::Es384)]
        {
            let pair = testing::generated(algorithm);
            let encoded = STANDARD.encode(&*pair.private_pkcs8);
            let key = read_back(&given(provider, curve, &encoded)).unwrap();
            assert_eq!((key.id.as_str(), key.algorithm.as_str()), (pair.kid.as_str(), algorithm.as_str()));
            let armoured = format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n");
            assert_eq!(read_back(&given(provider, curve, &armoured)).unwrap().id, key.id, "as PEM too");
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
            ("aes-generated", None, "AAAA"),
        ] {
            assert!(read_back(&given(provider, curve, private)).is_none(), "{provider} {curve:?}");
        }
        let mut short = given("hmac-generated", None, URL_SAFE_NO_PAD.encode("short").as_str());
        short.config.insert("kid".to_owned(), vec!["k".to_owned()]);
        assert!(read_back(&short).is_none());
        assert!(read_back(&given("rsa", None, MASK)).is_none());
    }

    #[test]
    fn keys_of_other_kinds_are_not_understood() {
        for (provider, curve) in [("java-keystore", None), ("eddsa-generated", Some("Ed448")), ("ecdh-generated", None)] {
            assert_eq!(Purpose::of(&given(provider, curve, "")), None, "{provider}");
        }
        let mut confused = given("rsa", None, "");
        for algorithm in ["HS256", "ES256", "none"] {
            confused.config.insert("algorithm".to_owned(), vec![algorithm.to_owned()]);
            assert_eq!(Purpose::of(&confused), None, "{algorithm}");
        }
    }

    #[test]
    fn a_certificate_of_another_key_is_refused() {
        let encoded = STANDARD.encode(&*testing::RSA.private_pkcs8);
        let mut own = given("rsa", None, &encoded);
        let other = STANDARD.encode(testing::ES384.certificate_der.as_ref().unwrap());
        own.config.insert(CERTIFICATE.to_owned(), vec![other]);
        assert!(matches!(read(&own, Purpose::Sign(Algorithm::Rs256), &encoded), Err(KeyError::OtherCertificate)));
        own.config.insert(CERTIFICATE.to_owned(), vec!["AAAA".to_owned()]);
        assert!(matches!(read(&own, Purpose::Sign(Algorithm::Rs256), &encoded), Err(KeyError::Certificate)));
    }

    #[test]
    fn a_key_stays_unless_another_is_asked_for() {
        let encoded = STANDARD.encode(&*testing::RSA.private_pkcs8);
        let key =
            configured(read_back(&given("rsa-generated", None, &encoded)).unwrap(), &given("rsa-generated", None, &encoded));
        let mut changed = shown(&key, &RealmId::new("demo"));
        assert!(private(&changed).is_none(), "{:?}", changed.config);
        keep(&key, &mut changed, Purpose::Sign(Algorithm::Ps256));
        assert_eq!(read_back(&changed).unwrap().material, key.material);
        let mut larger = shown(&key, &RealmId::new("demo"));
        larger.config.insert("keySize".to_owned(), vec!["4096".to_owned()]);
        keep(&key, &mut larger, Purpose::Sign(Algorithm::Rs256));
        assert!(private(&larger).is_none());
    }
}
