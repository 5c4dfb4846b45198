//! Keys and certificates of a client: made here, or uploaded. They stand among its attributes, each kind below a prefix.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::client::row_of;
use super::{Refusal, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::component::key::{read_certificate, without_armour};
use crate::flow::keys::off_thread;
use crate::jose::{self, Algorithm, Key, KeySet, RsaSize};
use crate::model::Client;
use crate::model::admin_event::ResourceType;
use crate::store;

/// What a prefix may end in. A pair is made or uploaded whole: what it does not have goes.
const PRIVATE_KEY: &str = "private.key";
const PARTS: [(&str, &str); 4] =
    [(PRIVATE_KEY, "privateKey"), ("public.key", "publicKey"), ("certificate", "certificate"), ("kid", "kid")];

/// What is put in the place of the present key.
#[derive(Clone, Debug)]
pub enum Upload {
    Certificate(String),
    PublicKey(String),
    /// The client's whole key set; Keycloak keeps it as the text that `jwks.string` holds.
    KeySet(String),
}

impl Upload {
    /// Reads a file of one of Keycloak's formats.
    pub fn read(format: &str, file: &str) -> Result<Self, Refusal> {
        let refuse = |text: &str| Refusal::Invalid(text.to_owned());
        match format {
            "Certificate PEM" => {
                let der = read_certificate(file).ok_or_else(|| refuse("Failed to decode certificate"))?;
                Ok(Self::Certificate(STANDARD.encode(der)))
            }
            "Public Key PEM" => {
                let der = STANDARD.decode(without_armour(file)).ok().filter(|der| is_public_key(der));
                Ok(Self::PublicKey(STANDARD.encode(der.ok_or_else(|| refuse("Failed to decode public key"))?)))
            }
            "JSON Web Key Set" => {
                let set = KeySet::parse(file).map_err(|_| refuse("Failed to decode key set"))?;
                let is_usable = Algorithm::ALL.into_iter().any(|algorithm| !set.candidates(None, algorithm).is_empty());
                if is_usable { Ok(Self::KeySet(file.to_owned())) } else { Err(refuse("The key set has no key for signatures")) }
            }
            "JKS" | "PKCS12" | "BCFKS" => Err(Refusal::Invalid(format!("The keystore format {format} is not supported"))),
            _ => Err(refuse("error loading keystore")),
        }
    }
}

fn is_public_key(der: &[u8]) -> bool {
    Algorithm::ALL.into_iter().any(|algorithm| Key::from_spki("", algorithm, der, None).is_ok())
}

/// A prefix of attributes that holds a key: `jwt.credential`, `saml.signing`, or one of somebody's own.
pub fn check_prefix(prefix: &str) -> Result<(), Refusal> {
    let is_name = prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    if is_name && prefix.len() <= 200 { Ok(()) } else { Err(Refusal::Invalid("Invalid attribute".to_owned())) }
}

/// `CertificateRepresentation`: what there is. The private key is the caller's to mask.
pub fn shown(client: &Client, prefix: &str) -> Map<String, Value> {
    let found = PARTS.into_iter().filter_map(|(end, name)| {
        let value = client.attribute(&format!("{prefix}.{end}"))?;
        Some((name.to_owned(), Value::from(value)))
    });
    found.collect()
}

/// Makes a new pair. This answer is the only one that shows its private key.
pub async fn generate(cx: &Cx, client: &Client, prefix: &str) -> Result<Map<String, Value>, Refusal> {
    let (name, now) = (client.client_id.to_string(), cx.now);
    let made = off_thread(move || jose::generate_rsa(RsaSize::Bits2048, &name, now)).await?;
    let mut changed = without_key(client, prefix);
    let mut put = |end: &str, der: &[u8]| {
        changed.settings.attributes.insert(format!("{prefix}.{end}"), STANDARD.encode(der));
    };
    put(PRIVATE_KEY, jose::rsa_pkcs1(&made.private_pkcs8).unwrap_or(&made.private_pkcs8));
    put("certificate", made.certificate_der.as_deref().unwrap_or_default());
    write(cx, &changed, prefix).await?;
    Ok(shown(&changed, prefix))
}

/// Puts what was uploaded in the place of the present key.
pub async fn upload(cx: &Cx, client: &Client, prefix: &str, upload: &Upload) -> Result<Map<String, Value>, Refusal> {
    let mut changed = without_key(client, prefix);
    let attributes = &mut changed.settings.attributes;
    match upload {
        Upload::Certificate(text) => _ = attributes.insert(format!("{prefix}.certificate"), text.clone()),
        Upload::PublicKey(text) => _ = attributes.insert(format!("{prefix}.public.key"), text.clone()),
        Upload::KeySet(text) => {
            attributes.insert("jwks.string".to_owned(), text.clone());
            attributes.insert("use.jwks.string".to_owned(), "true".to_owned());
            attributes.insert("use.jwks.url".to_owned(), "false".to_owned());
        }
    }
    write(cx, &changed, prefix).await?;
    let mut shown = shown(&changed, prefix);
    if let Upload::KeySet(text) = upload {
        shown.insert("jwks".to_owned(), Value::from(text.as_str()));
    }
    Ok(shown)
}

fn without_key(client: &Client, prefix: &str) -> Client {
    let mut changed = client.clone();
    for (end, _) in PARTS {
        changed.settings.attributes.remove(&format!("{prefix}.{end}"));
    }
    changed
}

async fn write(cx: &Cx, changed: &Client, prefix: &str) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        store::client::update_client(db, realm, &row_of(changed)).await?;
        let told = Value::from(shown(changed, prefix));
        Ok(note(cx, db, Change::action(ResourceType::Client).showing(told)).await?)
    })
    .await
}
