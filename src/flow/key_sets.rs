//! Key sets that clients publish, remembered by address; when they are asked for stands in `client_key`.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::jose::{Algorithm, Key, KeySet};

/// How many clients' sets are remembered.
const SETS: u64 = 10_000;

/// Key sets that were fetched, by their address. Each address is asked once at a time.
#[derive(Clone, Debug)]
pub struct KeySets(moka::sync::Cache<String, Arc<tokio::sync::Mutex<Slot>>>);

/// What is remembered of one address.
#[derive(Debug, Default)]
pub struct Slot {
    /// The last good answer, and when it came.
    pub found: Option<(Arc<KeySet>, Timestamp)>,
    /// When it was last asked.
    pub asked_at: Option<Timestamp>,
}

impl Default for KeySets {
    fn default() -> Self {
        Self(moka::sync::Cache::new(SETS))
    }
}

impl KeySets {
    /// What is remembered of this address; whoever holds the lock asks for it.
    pub fn slot(&self, url: &str) -> Arc<tokio::sync::Mutex<Slot>> {
        self.0.get_with(url.to_owned(), Arc::default)
    }
}

impl Slot {
    /// The keys that fit, if what is remembered is not older than this.
    pub fn candidates(&self, kid: Option<&str>, algorithm: Algorithm, age: Duration, now: Timestamp) -> Vec<Key> {
        match &self.found {
            Some((set, at)) if now.since(*at) < age => set.candidates(kid, algorithm),
            _ => Vec::new(),
        }
    }
}
