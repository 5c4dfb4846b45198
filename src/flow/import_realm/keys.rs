//! The keys of a realm that is made: those that its file brings, under the ids that tokens in the field name, and new ones.

use super::writer::ImportError;
use crate::base::Timestamp;
use crate::flow::component::key::{KeyError, make};
use crate::flow::component::purpose::Purpose;
use crate::flow::context::Server;
use crate::flow::keys::{self, INTERNAL_ALGORITHM};
use crate::jose::{Algorithm, RsaSize};
use crate::model::Component;
use crate::model::component::KEY_PROVIDER;
use crate::model::realm_import::RealmImport;
use crate::model::signing_key::StoredKey;

/// Every key that the realm begins with. What is not understood of a file's keys is added to `not_taken_over`.
pub(super) async fn keys_of(
    server: &Server,
    import: &RealmImport,
    now: Timestamp,
    not_taken_over: &mut Vec<String>,
) -> Result<Vec<StoredKey>, ImportError> {
    let mut all: Vec<StoredKey> = Vec::new();
    let mut brings_none = true;
    for provider in import.components.iter().filter(|component| component.is_key()) {
        brings_none = false;
        let Some(purpose) = Purpose::of(provider) else {
            not_taken_over.push(path(provider));
            continue;
        };
        let made = match make(server, provider, purpose, &import.name, now).await {
            Err(KeyError::Certificate | KeyError::OtherCertificate) => {
                not_taken_over.push(path(provider));
                make(server, &without_certificate(provider), purpose, &import.name, now).await
            }
            made => made,
        };
        let key = made.map_err(|error| explain(error, provider, purpose))?;
        if all.iter().any(|other| other.id == key.id && other.algorithm == key.algorithm) {
            not_taken_over.push(path(provider));
        } else {
            all.push(key);
        }
    }
    for purpose in [Purpose::Sign(Algorithm::Rs256), Purpose::Receive, Purpose::Sign(INTERNAL_ALGORITHM), Purpose::Aes] {
        // A file with keys says which there are (Keycloak); without the internal one there are no refresh tokens.
        let wanted = brings_none || purpose == Purpose::Sign(INTERNAL_ALGORITHM);
        if wanted && !all.iter().any(|key| key.algorithm == purpose.algorithm() && key.active && key.enabled) {
            all.push(new_key(server, purpose, &import.name, now).await?);
        }
    }
    Ok(all)
}

fn path(provider: &Component) -> String {
    format!("components.{KEY_PROVIDER}.{}", provider.name)
}

fn without_certificate(provider: &Component) -> Component {
    let mut provider = provider.clone();
    provider.config.remove("certificate");
    provider
}

fn explain(error: KeyError, provider: &Component, purpose: Purpose) -> ImportError {
    match error {
        KeyError::Store(error) => error.into(),
        KeyError::TooSmall => ImportError::Unknown(format!("The key {}: {error}", provider.name)),
        _ => ImportError::Unknown(format!("The key {} cannot be read as {}", provider.name, purpose.algorithm())),
    }
}

async fn new_key(server: &Server, purpose: Purpose, realm: &str, now: Timestamp) -> Result<StoredKey, ImportError> {
    Ok(match purpose {
        Purpose::Sign(algorithm) => keys::generate(server, algorithm, realm, now).await?,
        Purpose::Receive => keys::generate_rsa(&server.entropy, purpose, RsaSize::Bits2048, realm, now).await?,
        Purpose::Aes => keys::aes(&server.entropy, keys::AES_BYTES),
    })
}
