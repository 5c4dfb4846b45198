//! The public keys by which a client's signatures are verified: registered with it, or fetched from where it publishes them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::component::key::{read_certificate, without_armour};
use super::context::Cx;
use super::outgoing::Outgoing;
use crate::jose::{Algorithm, Key, KeySet, spki_of_certificate};
use crate::model::Client;

/// Where a client's key for signed assertions stands among its attributes.
pub const CREDENTIAL: &str = "jwt.credential";

/// A fetched set is asked for again after this time, or when it lacks a key.
const FRESH_FOR: Duration = Duration::from_secs(600);
/// Not sooner than this, whatever kids a stranger makes up.
const PAUSE: Duration = Duration::from_secs(10);
/// While a client's address does not answer, its last set is used for so long.
const KEPT_FOR: Duration = Duration::from_secs(3_600);
/// A key set is some kilobytes.
const MAX_BYTES: usize = 64 * 1024;

/// The keys that may have signed a token with this `kid` and algorithm.
pub async fn candidates(cx: &Cx, client: &Client, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
    if client.flag("use.jwks.url", false) {
        let Some(url) = client.attribute("jwks.url") else { return Vec::new() };
        return fetched(cx, url, kid, algorithm).await;
    }
    if client.flag("use.jwks.string", false) {
        let set = client.attribute("jwks.string").and_then(|set| KeySet::parse(set).ok());
        return set.map(|set| set.candidates(kid, algorithm)).unwrap_or_default();
    }
    registered(client, algorithm).into_iter().collect()
}

/// The one key that was uploaded for the client, whatever `kid` the client calls it by.
fn registered(client: &Client, algorithm: Algorithm) -> Option<Key> {
    let spki = match client.attribute(&format!("{CREDENTIAL}.certificate")) {
        Some(certificate) => spki_of_certificate(&read_certificate(certificate)?)?.to_vec(),
        None => STANDARD.decode(without_armour(client.attribute(&format!("{CREDENTIAL}.public.key"))?)).ok()?,
    };
    Key::from_spki("", algorithm, &spki, None).ok()
}

/// The keys of the set at this address, which is asked where what is remembered is too old or lacks the key.
async fn fetched(cx: &Cx, url: &str, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
    let slot = cx.server.outgoing.key_sets().slot(url);
    let mut slot = slot.lock().await;
    let keys = slot.candidates(kid, algorithm, FRESH_FOR, cx.now);
    if !keys.is_empty() || slot.asked_at.is_some_and(|at| cx.now.since(at) < PAUSE) {
        return if keys.is_empty() { slot.candidates(kid, algorithm, KEPT_FOR, cx.now) } else { keys };
    }
    slot.asked_at = Some(cx.now);
    match fetch(&cx.server.outgoing, url).await {
        Ok(set) => slot.found = Some((Arc::new(set), cx.now)),
        Err(error) => tracing::warn!(realm = cx.snapshot().realm.name, error, "a client's key set cannot be fetched"),
    }
    slot.candidates(kid, algorithm, KEPT_FOR, cx.now)
}

async fn fetch(outgoing: &Outgoing, url: &str) -> Result<KeySet, String> {
    let text = outgoing.get_text(url, MAX_BYTES).await.map_err(|error| error.to_string())?;
    KeySet::parse(&text).map_err(|error| error.to_string())
}
