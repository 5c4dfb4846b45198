//! `…/role-mappings` and `…/scope-mappings`: the roles of a user, a group, a client and a client scope, at one kind of address.
//!
//! Four things hold roles in Keycloak's API, and all four list, give and take them alike. What differs stands in [`Holder`].

use std::collections::HashSet;

use axum::body::Bytes;
use axum::extract::Path;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done, shown};
use super::routes::{Routes, get};
use super::{Admin, Permission};
use crate::flow::admin_event::Change;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query, read_representation};
use crate::http::representation::{RoleRepresentation, brief_role, role as full_role};
use crate::model::admin_event::ResourceType;
use crate::model::{ClientUuid, RealmSnapshot, Role, RoleId};

/// What roles are given to.
pub(super) trait Holder: Sized + Send + Sync + 'static {
    type View: Permission;
    type Manage: Permission;
    /// The address, with `{id}` for the holder's.
    const PLACE: &'static str;
    /// What is said about a client of the path that is not there.
    const NO_CLIENT: &'static str;
    /// Whether a role in a body has to have its right name, too.
    const NEEDS_NAMES: bool;
    /// What events call roles of the realm, and of clients.
    const KINDS: [ResourceType; 2];

    fn find<P: Permission>(admin: &Admin<P>, id: &str) -> impl Future<Output = Result<Self, AdminError>> + Send;

    fn direct(&self) -> &[RoleId];

    /// With what comes by composites and by what the holder belongs to.
    fn effective<'a>(&'a self, snapshot: &'a RealmSnapshot) -> HashSet<&'a RoleId>;

    /// Whether the caller may give (or take) these roles at all.
    fn may_give(admin: &Admin<Self::Manage>, roles: &[RoleId]) -> bool;

    fn change(
        &self,
        admin: &Admin<Self::Manage>,
        roles: &[RoleId],
        adds: bool,
        change: Change,
    ) -> impl Future<Output = Result<(), AdminError>> + Send;
}

pub(super) fn routes<H: Holder>() -> Routes {
    let at = |rest: &str| format!("{}{rest}", H::PLACE);
    Routes::new()
        .route(H::PLACE, get(all::<H>))
        .route(&at("/realm"), get(of_realm::<H>).post(add_of_realm::<H>).delete(remove_of_realm::<H>))
        .route(&at("/realm/available"), get(available_of_realm::<H>))
        .route(&at("/realm/composite"), get(effective_of_realm::<H>))
        .route(&at("/clients/{client}"), get(of_client::<H>).post(add_of_client::<H>).delete(remove_of_client::<H>))
        .route(&at("/clients/{client}/available"), get(available_of_client::<H>))
        .route(&at("/clients/{client}/composite"), get(effective_of_client::<H>))
}

type OfRealm = Path<(String, String)>;
type OfClient = Path<(String, String, String)>;

/// Which roles are meant: those of the realm, or of one client.
type Container<'a> = Option<&'a ClientUuid>;

/// The roles among these that belong to the container, by name.
fn within<'a>(snapshot: &'a RealmSnapshot, ids: impl IntoIterator<Item = &'a RoleId>, container: Container<'_>) -> Vec<&'a Role> {
    let roles = ids.into_iter().filter_map(|id| snapshot.roles.get(id));
    let mut roles: Vec<&Role> = roles.filter(|r| r.client.as_ref() == container).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    roles
}

fn listed(snapshot: &RealmSnapshot, roles: &[&Role]) -> Value {
    Value::from(roles.iter().map(|r| brief_role(snapshot, r)).collect::<Vec<Map<String, Value>>>())
}

/// The client of the path.
fn client_of<H: Holder, P>(admin: &Admin<P>, uuid: &str) -> Result<ClientUuid, AdminError> {
    let found = admin.cx.snapshot().clients.get(uuid);
    found.map(|c| c.uuid.clone()).ok_or(AdminError::NotFound(H::NO_CLIENT))
}

async fn all<H: Holder>(admin: Admin<H::View>, Path((_, id)): OfRealm) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    let mut mappings = Map::new();
    let of_realm = within(snapshot, holder.direct(), None);
    if !of_realm.is_empty() {
        mappings.insert("realmMappings".to_owned(), listed(snapshot, &of_realm));
    }
    let mut of_clients = Map::new();
    for client in snapshot.clients.values() {
        let roles = within(snapshot, holder.direct(), Some(&client.uuid));
        if !roles.is_empty() {
            let entry = json!({"id": client.uuid, "client": client.client_id, "mappings": listed(snapshot, &roles)});
            of_clients.insert(client.client_id.to_string(), entry);
        }
    }
    if !of_clients.is_empty() {
        mappings.insert("clientMappings".to_owned(), Value::from(of_clients));
    }
    Ok(shown(&Value::from(mappings)))
}

async fn of_realm<H: Holder>(admin: Admin<H::View>, Path((_, id)): OfRealm) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &within(snapshot, holder.direct(), None))))
}

async fn of_client<H: Holder>(admin: Admin<H::View>, Path((_, id, client)): OfClient) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let client = client_of::<H, _>(&admin, &client)?;
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &within(snapshot, holder.direct(), Some(&client)))))
}

async fn available_of_realm<H: Holder>(admin: Admin<H::View>, Path((_, id)): OfRealm) -> Answer {
    Ok(available(&admin, &H::find(&admin, &id).await?, None))
}

async fn available_of_client<H: Holder>(admin: Admin<H::View>, Path((_, id, client)): OfClient) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let client = client_of::<H, _>(&admin, &client)?;
    Ok(available(&admin, &holder, Some(&client)))
}

/// The roles that the holder does not have directly.
fn available<H: Holder>(admin: &Admin<H::View>, holder: &H, container: Container<'_>) -> axum::response::Response {
    let snapshot = admin.cx.snapshot();
    let mut roles = within(snapshot, snapshot.roles.keys(), container);
    roles.retain(|role| !holder.direct().contains(&role.id));
    shown(&listed(snapshot, &roles))
}

async fn effective_of_realm<H: Holder>(admin: Admin<H::View>, Path((_, id)): OfRealm, query: Query) -> Answer {
    Ok(effective(&admin, &H::find(&admin, &id).await?, None, &query))
}

async fn effective_of_client<H: Holder>(admin: Admin<H::View>, Path((_, id, client)): OfClient, query: Query) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let client = client_of::<H, _>(&admin, &client)?;
    Ok(effective(&admin, &holder, Some(&client), &query))
}

fn effective<H: Holder>(admin: &Admin<H::View>, holder: &H, container: Container<'_>, query: &Query) -> axum::response::Response {
    let snapshot = admin.cx.snapshot();
    let roles = within(snapshot, holder.effective(snapshot), container);
    if query.flag("briefRepresentation").unwrap_or(true) {
        return shown(&listed(snapshot, &roles));
    }
    shown(&Value::from(roles.into_iter().map(|r| full_role(snapshot, r)).collect::<Vec<Value>>()))
}

async fn add_of_realm<H: Holder>(
    admin: Admin<H::Manage>,
    Path((_, id)): OfRealm,
    Json(roles): Json<Vec<RoleRepresentation>>,
) -> Answer {
    let holder = H::find(&admin, &id).await?;
    change(&admin, &holder, None, &named::<H>(&admin, &roles, None)?, true).await
}

async fn add_of_client<H: Holder>(
    admin: Admin<H::Manage>,
    Path((_, id, client)): OfClient,
    Json(roles): Json<Vec<RoleRepresentation>>,
) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let client = client_of::<H, _>(&admin, &client)?;
    change(&admin, &holder, Some(&client), &named::<H>(&admin, &roles, Some(&client))?, true).await
}

async fn remove_of_realm<H: Holder>(admin: Admin<H::Manage>, Path((_, id)): OfRealm, body: Bytes) -> Answer {
    let holder = H::find(&admin, &id).await?;
    change(&admin, &holder, None, &to_remove(&admin, &holder, &body, None)?, false).await
}

async fn remove_of_client<H: Holder>(admin: Admin<H::Manage>, Path((_, id, client)): OfClient, body: Bytes) -> Answer {
    let holder = H::find(&admin, &id).await?;
    let client = client_of::<H, _>(&admin, &client)?;
    change(&admin, &holder, Some(&client), &to_remove(&admin, &holder, &body, Some(&client))?, false).await
}

/// Without a body all go (Keycloak).
fn to_remove<H: Holder>(
    admin: &Admin<H::Manage>,
    holder: &H,
    body: &Bytes,
    container: Container<'_>,
) -> Result<Vec<RoleId>, AdminError> {
    if body.is_empty() {
        return Ok(within(admin.cx.snapshot(), holder.direct(), container).into_iter().map(|r| r.id.clone()).collect());
    }
    named::<H>(admin, &read_representation::<Vec<RoleRepresentation>>(body)?, container)
}

/// The roles of a body: all have to be there before anything is done.
fn named<H: Holder>(
    admin: &Admin<H::Manage>,
    given: &[RoleRepresentation],
    container: Container<'_>,
) -> Result<Vec<RoleId>, AdminError> {
    let snapshot = admin.cx.snapshot();
    let find = |given: &RoleRepresentation| {
        let role = snapshot.roles.get(given.id.as_ref()?.0.as_str())?;
        let is_named = !H::NEEDS_NAMES || given.name.as_ref().is_some_and(|n| n.0 == role.name);
        (is_named && role.client.as_ref() == container).then(|| role.id.clone())
    };
    given.iter().map(|g| find(g).ok_or(AdminError::NotFound("Role not found"))).collect()
}

async fn change<H: Holder>(
    admin: &Admin<H::Manage>,
    holder: &H,
    container: Container<'_>,
    roles: &[RoleId],
    adds: bool,
) -> Answer {
    if !H::may_give(admin, roles) {
        return Err(AdminError::Forbidden);
    }
    let snapshot = admin.cx.snapshot();
    let [of_realm, of_client] = H::KINDS;
    let kind = if container.is_some() { of_client } else { of_realm };
    let told = listed(snapshot, &roles.iter().filter_map(|id| snapshot.roles.get(id)).collect::<Vec<_>>());
    holder.change(admin, roles, adds, Change::add_or_remove(kind, adds).showing(told)).await?;
    Ok(done())
}
