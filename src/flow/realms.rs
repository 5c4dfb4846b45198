//! Copies of realms and users, kept between requests.
//!
//! A copy is never trusted with a decision alone: the statement that applies or confirms the decision names the versions it was
//! taken on and does nothing if they have moved; then the copy is read anew. What decides nothing (keys, discovery) is answered
//! from the copy: another node's write is seen within a second ([`Realms::refresh`]), this node's own at once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::key_ring::KeyRing;
use crate::model::{ClientUuid, Realm, RealmId, RealmSnapshot, User, UserId};
use crate::oidc::password_policy::{self, PasswordPolicy, PolicyProblem};
use crate::store::{self, Db, Store, StoreError};

/// How many users are remembered; a node under load sees the same ones again and again.
const USERS: u64 = 100_000;

/// A realm as decisions see it: its configuration at one version, and its keys, parsed.
#[derive(Debug)]
pub struct LoadedRealm {
    pub snapshot: RealmSnapshot,
    pub keys: KeyRing,
    /// Read once, and not at each sign-in.
    pub password_policy: ReadPolicy,
}

/// A realm's password policy; without rules where it cannot be read (an older version kept every text), and why.
#[derive(Debug)]
pub struct ReadPolicy {
    pub policy: PasswordPolicy,
    pub problem: Option<PolicyProblem>,
}

impl ReadPolicy {
    fn of(realm: &Realm) -> Self {
        match password_policy::parse(realm.settings.password_policy.as_deref().unwrap_or_default()) {
            Ok(policy) => Self { policy, problem: None },
            Err(problem) => {
                tracing::error!(realm.name, %problem, "the password policy cannot be read: no password is set until it is put right");
                Self { policy: PasswordPolicy::default(), problem: Some(problem) }
            }
        }
    }
}

pub struct Realms {
    by_name: RwLock<HashMap<String, Arc<LoadedRealm>>>,
    users: moka::sync::Cache<(RealmId, UserId), Arc<User>>,
    service_accounts: moka::sync::Cache<(RealmId, ClientUuid), UserId>,
    /// One load at a time: a burst of requests for a realm that is not there yet reads it once.
    loading: tokio::sync::Mutex<()>,
    making_keys: tokio::sync::Mutex<()>,
    /// One realm at a time is held still: who holds one has a connection and needs another.
    holding: Arc<tokio::sync::Mutex<()>>,
}

/// Nobody changes the realm while this is there.
#[must_use]
pub struct Held {
    _transaction: Option<Db<'static>>,
    _turn: tokio::sync::OwnedMutexGuard<()>,
}

impl std::fmt::Debug for Realms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Realms").field("users", &self.users.entry_count()).finish_non_exhaustive()
    }
}

impl Default for Realms {
    fn default() -> Self {
        Self {
            by_name: RwLock::default(),
            users: moka::sync::Cache::new(USERS),
            service_accounts: moka::sync::Cache::new(USERS),
            loading: tokio::sync::Mutex::default(),
            making_keys: tokio::sync::Mutex::default(),
            holding: Arc::default(),
        }
    }
}

impl Realms {
    /// Held while a key is made: that takes long, and one is enough.
    pub async fn one_key_at_a_time(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.making_keys.lock().await
    }

    /// Holds a realm as it is, for a decision that others were faster than again and again.
    pub async fn hold(&self, store: &Store, id: &RealmId) -> Result<Held, StoreError> {
        let turn = Arc::clone(&self.holding).lock_owned().await;
        Ok(Held { _transaction: store::realm::hold(store, id).await?, _turn: turn })
    }

    /// The copy, or the realm as it is in the database.
    pub async fn get(&self, store: &Store, name: &str) -> Result<Option<Arc<LoadedRealm>>, StoreError> {
        match self.cached(name) {
            Some(realm) => Ok(Some(realm)),
            None => self.current(store, name).await,
        }
    }

    /// The realm as it is in the database now: one read if the copy is of that version.
    pub async fn current(&self, store: &Store, name: &str) -> Result<Option<Arc<LoadedRealm>>, StoreError> {
        let found = store::realm::find_version(&mut store.db().await?, name).await?;
        let Some((id, version)) = found else {
            self.forget(name);
            return Ok(None);
        };
        if let Some(realm) = self.cached_at(name, &id, version) {
            return Ok(Some(realm));
        }
        let _one_at_a_time = self.loading.lock().await;
        if let Some(realm) = self.cached_at(name, &id, version) {
            return Ok(Some(realm));
        }
        self.load(store, &id).await
    }

    async fn load(&self, store: &Store, id: &RealmId) -> Result<Option<Arc<LoadedRealm>>, StoreError> {
        let Some(snapshot) = store::snapshot::load(store, id).await? else { return Ok(None) };
        let keys = KeyRing::parse(&snapshot.keys);
        let password_policy = ReadPolicy::of(&snapshot.realm);
        let realm = Arc::new(LoadedRealm { snapshot, keys, password_policy });
        let name = realm.snapshot.realm.name.clone();
        let mut copies = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        match copies.get(&name) {
            // Two loads may finish out of order: the newer one stays.
            Some(there) if there.snapshot.realm.id == *id && there.snapshot.realm.version > realm.snapshot.realm.version => {
                Ok(Some(Arc::clone(there)))
            }
            _ => {
                copies.insert(name, Arc::clone(&realm));
                Ok(Some(realm))
            }
        }
    }

    fn cached(&self, name: &str) -> Option<Arc<LoadedRealm>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    fn cached_at(&self, name: &str, id: &RealmId, version: i64) -> Option<Arc<LoadedRealm>> {
        self.cached(name).filter(|r| r.snapshot.realm.id == *id && r.snapshot.realm.version >= version)
    }

    fn forget(&self, name: &str) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).remove(name);
    }

    /// After a write of this node: the next request reads the realm anew.
    pub fn invalidate(&self, id: &RealmId) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).retain(|_, realm| realm.snapshot.realm.id != *id);
    }

    /// Reads again what other nodes have changed. While the database is away the copies stay.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        let versions = store::realm::list_versions(&mut store.db().await?).await?;
        let present: HashMap<&str, (&RealmId, i64)> =
            versions.iter().map(|(id, name, version)| (name.as_str(), (id, *version))).collect();
        let mut changed = Vec::new();
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).retain(|name, realm| {
            let held = &realm.snapshot.realm;
            match present.get(name.as_str()) {
                Some((id, version)) if **id == held.id => {
                    if *version > held.version {
                        changed.push((*id).clone());
                    }
                    true
                }
                _ => false,
            }
        });
        for id in changed {
            self.load(store, &id).await?;
        }
        Ok(())
    }

    /// A user from the copies.
    pub fn cached_user(&self, realm: &RealmId, user: &UserId) -> Option<Arc<User>> {
        self.users.get(&(realm.clone(), user.clone()))
    }

    /// The copy if it is of this version, else the user as in the database.
    pub async fn user_at(
        &self,
        store: &Store,
        realm: &RealmId,
        user: &UserId,
        version: i64,
    ) -> Result<Option<Arc<User>>, StoreError> {
        match self.cached_user(realm, user) {
            Some(copy) if copy.version == version => Ok(Some(copy)),
            _ => self.read_user(store, realm, user).await,
        }
    }

    /// The user as in the database, remembered.
    pub async fn read_user(&self, store: &Store, realm: &RealmId, user: &UserId) -> Result<Option<Arc<User>>, StoreError> {
        let found = store::user::find_user(&mut store.db().await?, realm, user).await?;
        match found {
            Some(user) => Ok(Some(self.remember(realm, user))),
            None => {
                self.users.invalidate(&(realm.clone(), user.clone()));
                Ok(None)
            }
        }
    }

    /// The copy of a client's service account.
    pub fn service_account(&self, realm: &RealmId, client: &ClientUuid) -> Option<Arc<User>> {
        let id = self.service_accounts.get(&(realm.clone(), client.clone()))?;
        self.cached_user(realm, &id).filter(|user| user.service_account_of.as_ref() == Some(client))
    }

    pub fn remember(&self, realm: &RealmId, user: User) -> Arc<User> {
        if let Some(client) = &user.service_account_of {
            self.service_accounts.insert((realm.clone(), client.clone()), user.id.clone());
        }
        let user = Arc::new(user);
        self.users.insert((realm.clone(), user.id.clone()), Arc::clone(&user));
        user
    }
}
