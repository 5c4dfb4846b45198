//! A realm whole, for a file: its configuration, its keys and its users as they were at one moment, whatever is written meanwhile.
//! Users come a page at a time: a realm may have more of them than a machine has memory.

use serde_json::Value;

use super::component::key;
use super::context::Server;
use crate::model::credential::Credential;
use crate::model::{Component, RealmSnapshot, User};
use crate::store::{self, Db, StoreError};

/// How many users are read at a time.
const PAGE: i64 = 500;

/// Everything but the users. Secrets are in the clear.
pub struct WholeRealm {
    pub snapshot: RealmSnapshot,
    /// Private keys among them.
    pub components: Vec<Component>,
}

/// Its name alone: the rest holds secrets.
impl std::fmt::Debug for WholeRealm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WholeRealm").field("name", &self.snapshot.realm.name).finish_non_exhaustive()
    }
}

/// A user with what proves who it is.
#[derive(Debug)]
pub struct WholeUser {
    pub user: User,
    pub credentials: Vec<Credential>,
    /// To identity providers; none if there are none.
    pub links: Option<Value>,
}

/// A piece of what is written.
#[derive(Debug)]
pub enum Piece {
    /// The first, and once.
    Realm(Box<WholeRealm>),
    Users(Vec<WholeUser>),
}

/// Hands the realm to `write`, piece by piece; false if there is no realm of this name. Without its users it still has those that
/// stand for clients, which are the clients' settings as much as anybody's accounts.
pub async fn run<E: From<StoreError>>(
    server: &Server,
    name: &str,
    with_users: bool,
    mut write: impl FnMut(Piece) -> Result<(), E>,
) -> Result<bool, E> {
    server
        .store
        .at_one_moment(async |db| {
            let Some(realm) = read_realm(db, name).await? else { return Ok(false) };
            let id = realm.snapshot.realm.id.clone();
            write(Piece::Realm(Box::new(realm)))?;
            let mut users = store::user_list::list_all(db, &id, !with_users, None, PAGE).await?;
            while let Some(last) = users.last().map(|user| user.id.clone()) {
                write(Piece::Users(with_proofs(db, &id, users).await?))?;
                users = store::user_list::list_all(db, &id, !with_users, Some(&last), PAGE).await?;
            }
            Ok(true)
        })
        .await
}

async fn read_realm(db: &mut Db<'_>, name: &str) -> Result<Option<WholeRealm>, StoreError> {
    let Some((id, _)) = store::realm::find_version(db, name).await? else { return Ok(None) };
    let Some(mut snapshot) = store::snapshot::load_in(db, &id).await? else { return Ok(None) };
    snapshot.realm.document = store::realm::open_secrets(db, &id, &snapshot.realm.document)?;
    let mut components = store::component::list_components(db, &id).await?;
    components.extend(snapshot.keys.iter().map(|stored| key::whole(stored, &id)));
    components.extend(super::admin::component::profile(&snapshot.realm));
    components.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(Some(WholeRealm { snapshot, components }))
}

async fn with_proofs(db: &mut Db<'_>, realm: &crate::model::RealmId, users: Vec<User>) -> Result<Vec<WholeUser>, StoreError> {
    let ids: Vec<_> = users.iter().map(|user| user.id.clone()).collect();
    let mut credentials = store::credential::list_credentials_of(db, realm, &ids).await?;
    let mut links = store::federated_identity::list_links_of(db, realm, &ids).await?;
    let whole = users.into_iter().map(|user| {
        let own = credentials.extract_if(.., |(id, _)| *id == user.id).map(|(_, credential)| credential).collect();
        let links = links.iter_mut().find(|(id, _)| *id == user.id).map(|(_, links)| links.take());
        WholeUser { user, credentials: own, links }
    });
    Ok(whole.collect())
}
