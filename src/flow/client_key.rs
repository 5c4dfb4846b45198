//! The public keys by which a client's signatures are verified: registered with it, or fetched from where it publishes them.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::component::key::{read_certificate, without_armour};
use super::context::Cx;
use super::outgoing::Outgoing;
use crate::base::Timestamp;
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
/// How many clients' sets are remembered.
const SETS: u64 = 10_000;

/// The keys that may have signed a token with this `kid` and algorithm.
pub async fn candidates(cx: &Cx, client: &Client, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
    if client.flag("use.jwks.url", false) {
        let Some(url) = client.attribute("jwks.url") else { return Vec::new() };
        return cx.server.outgoing.key_sets().candidates(cx, url, kid, algorithm).await;
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

/// Key sets that were fetched, by their address. Each address is asked once at a time.
#[derive(Clone, Debug)]
pub struct KeySets(moka::sync::Cache<String, Arc<tokio::sync::Mutex<Slot>>>);

#[derive(Debug, Default)]
struct Slot {
    /// The last good answer, and when it came.
    found: Option<(Arc<KeySet>, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl Default for KeySets {
    fn default() -> Self {
        Self(moka::sync::Cache::new(SETS))
    }
}

impl KeySets {
    async fn candidates(&self, cx: &Cx, url: &str, kid: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        let slot = self.0.get_with(url.to_owned(), Arc::default);
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
}

impl Slot {
    fn candidates(&self, kid: Option<&str>, algorithm: Algorithm, age: Duration, now: Timestamp) -> Vec<Key> {
        match &self.found {
            Some((set, at)) if now.since(*at) < age => set.candidates(kid, algorithm),
            _ => Vec::new(),
        }
    }
}

async fn fetch(outgoing: &Outgoing, url: &str) -> Result<KeySet, String> {
    let text = outgoing.get_text(url, MAX_BYTES).await.map_err(|error| error.to_string())?;
    KeySet::parse(&text).map_err(|error| error.to_string())
}
