//! What use cases work with: the server's parts, shared by all requests, and what is known of one request.

use std::sync::Arc;

use super::admin_request::AdminRequest;
use super::outgoing::Outgoing;
use super::password::Passwords;
use super::realms::{Held, LoadedRealm, Realms};
use crate::base::{Clock, Entropy, Timestamp};
use crate::model::RealmSnapshot;
use crate::store::{Store, StoreError};

/// The parts of a running server. Cloning shares them.
#[derive(Clone, Debug)]
pub struct Server {
    pub store: Store,
    pub clock: Clock,
    pub entropy: Entropy,
    pub realms: Arc<Realms>,
    pub passwords: Arc<Passwords>,
    pub outgoing: Outgoing,
}

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub ip_address: String,
    pub user_agent: String,
}

/// One request to a realm: `now` is read once and travels with it.
#[derive(Clone, Debug)]
pub struct Cx {
    pub server: Server,
    pub realm: Arc<LoadedRealm>,
    pub now: Timestamp,
    /// The realm's issuer: its address, which tokens carry as `iss`.
    pub issuer: String,
    pub origin: Origin,
    /// Only where an administrator asks, at the Admin REST API.
    pub admin: Option<Arc<AdminRequest>>,
}

impl Cx {
    pub fn snapshot(&self) -> &RealmSnapshot {
        &self.realm.snapshot
    }

    pub fn settings(&self) -> &crate::model::RealmSettings {
        &self.realm.snapshot.realm.settings
    }

    pub fn entropy(&self) -> &Entropy {
        &self.server.entropy
    }

    pub fn store(&self) -> &Store {
        &self.server.store
    }

    /// The address of the server, without a slash at the end: the issuer without its realm.
    pub fn server_url(&self) -> &str {
        self.issuer.rsplit_once("/realms/").map_or("", |(server, _)| server)
    }

    /// For the last of several attempts: the realm stays as it is while what this returns is there.
    pub async fn hold_if(&self, is_last: bool) -> Result<Option<Held>, StoreError> {
        match is_last {
            true => Ok(Some(self.server.realms.hold(&self.server.store, &self.snapshot().realm.id).await?)),
            false => Ok(None),
        }
    }

    /// The same request on the realm as it stands in the database now; `None` if the realm is gone.
    pub async fn refreshed(&self) -> Result<Option<Self>, StoreError> {
        let name = &self.snapshot().realm.name;
        let realm = self.server.realms.current(&self.server.store, name).await?;
        Ok(realm.map(|realm| Self { realm, ..self.clone() }))
    }
}
