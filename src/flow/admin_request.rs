//! The request of an administrator, as far as events tell of it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use zeroize::Zeroizing;

use crate::model::admin_event::AuthDetails;

#[derive(Debug)]
pub struct AdminRequest {
    pub auth: AuthDetails,
    /// Where, below the realm, e.g. `users/<id>`; empty for the realm itself.
    pub path: String,
    pub sent: Sent,
}

/// The body, once somebody has read it. It may hold secrets: it is wiped, and never shown.
#[derive(Clone, Default)]
pub struct Sent(Arc<OnceLock<Zeroizing<Vec<u8>>>>);

impl Sent {
    /// Keeps the body; what was read first stays.
    pub fn put(&self, body: &[u8]) {
        self.0.get_or_init(|| Zeroizing::new(body.to_vec()));
    }

    pub fn get(&self) -> Option<&[u8]> {
        self.0.get().map(|body| body.as_slice())
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("length", &self.get().map(<[u8]>::len)).finish()
    }
}
