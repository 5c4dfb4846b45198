//! `/users/{id}/role-mappings`: the roles that a user holds directly.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done, shown};
use super::user::{NOT_FOUND, user_of};
use super::{Admin, ManageUsers, ViewUsers, handing_out};
use crate::flow::admin::user_holding;
use crate::http::error::AdminError;
use crate::http::extract::{Json, read_representation};
use crate::http::representation::role::{RoleRepresentation, brief_role};
use crate::http::state::App;
use crate::model::admin_event::ResourceType;
use crate::model::{ClientUuid, RealmSnapshot, Role, RoleId, User, UserId};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/users/{id}/role-mappings", get(all))
        .route("/{realm}/users/{id}/role-mappings/realm", get(of_realm).post(add_of_realm).delete(remove_of_realm))
        .route("/{realm}/users/{id}/role-mappings/clients/{client}", get(of_client).post(add_of_client).delete(remove_of_client))
}

/// The roles that a user holds directly: of the realm, or of a client.
fn held<'a>(snapshot: &'a RealmSnapshot, user: &User, client: Option<&ClientUuid>) -> Vec<&'a Role> {
    let roles = user.roles.iter().filter_map(|id| snapshot.roles.get(id));
    let mut roles: Vec<&Role> = roles.filter(|r| r.client.as_ref() == client).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    roles
}

fn listed(snapshot: &RealmSnapshot, roles: &[&Role]) -> Value {
    Value::from(roles.iter().map(|r| brief_role(snapshot, r)).collect::<Vec<Map<String, Value>>>())
}

/// The client of the path.
fn client_of<P>(admin: &Admin<P>, uuid: &str) -> Result<ClientUuid, AdminError> {
    let found = admin.cx.snapshot().clients.get(&ClientUuid::new(uuid));
    found.map(|c| c.uuid.clone()).ok_or(AdminError::NotFound("Client not found"))
}

async fn all(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    let mut mappings = Map::new();
    let of_realm = held(snapshot, &user, None);
    if !of_realm.is_empty() {
        mappings.insert("realmMappings".to_owned(), listed(snapshot, &of_realm));
    }
    let mut of_clients = Map::new();
    for client in snapshot.clients.values() {
        let roles = held(snapshot, &user, Some(&client.uuid));
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

async fn of_realm(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &held(snapshot, &user, None))))
}

async fn of_client(admin: Admin<ViewUsers>, Path((_, id, client)): Path<(String, String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let client = client_of(&admin, &client)?;
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &held(snapshot, &user, Some(&client)))))
}

async fn add_of_realm(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(roles): Json<Vec<RoleRepresentation>>,
) -> Answer {
    user_of(&admin, &id).await?;
    let roles = named(&admin, &roles, None)?;
    change(&admin, &id, None, &roles, true).await
}

async fn add_of_client(
    admin: Admin<ManageUsers>,
    Path((_, id, client)): Path<(String, String, String)>,
    Json(roles): Json<Vec<RoleRepresentation>>,
) -> Answer {
    user_of(&admin, &id).await?;
    let client = client_of(&admin, &client)?;
    let roles = named(&admin, &roles, Some(&client))?;
    change(&admin, &id, Some(&client), &roles, true).await
}

async fn remove_of_realm(admin: Admin<ManageUsers>, Path((_, id)): Path<(String, String)>, body: Bytes) -> Answer {
    let user = user_of(&admin, &id).await?;
    let roles = to_remove(&admin, &user, &body, None)?;
    change(&admin, &id, None, &roles, false).await
}

async fn remove_of_client(
    admin: Admin<ManageUsers>,
    Path((_, id, client)): Path<(String, String, String)>,
    body: Bytes,
) -> Answer {
    let user = user_of(&admin, &id).await?;
    let client = client_of(&admin, &client)?;
    let roles = to_remove(&admin, &user, &body, Some(&client))?;
    change(&admin, &id, Some(&client), &roles, false).await
}

/// Without a body all go (Keycloak).
fn to_remove<P>(admin: &Admin<P>, user: &User, body: &Bytes, client: Option<&ClientUuid>) -> Result<Vec<RoleId>, AdminError> {
    if body.is_empty() {
        return Ok(held(admin.cx.snapshot(), user, client).into_iter().map(|r| r.id.clone()).collect());
    }
    named(admin, &read_representation::<Vec<RoleRepresentation>>(body)?, client)
}

/// The roles of a body: id and name have to fit, and all have to be there before anything is done.
fn named<P>(admin: &Admin<P>, given: &[RoleRepresentation], client: Option<&ClientUuid>) -> Result<Vec<RoleId>, AdminError> {
    let snapshot = admin.cx.snapshot();
    let find = |given: &RoleRepresentation| {
        let role = snapshot.roles.get(&RoleId::new(given.id.as_ref()?.0.as_str()))?;
        let fits = given.name.as_ref().is_some_and(|n| n.0 == role.name) && role.client.as_ref() == client;
        fits.then(|| role.id.clone())
    };
    given.iter().map(|g| find(g).ok_or(AdminError::NotFound("Role not found"))).collect()
}

async fn change(admin: &Admin<ManageUsers>, user: &str, client: Option<&ClientUuid>, roles: &[RoleId], adds: bool) -> Answer {
    if !handing_out::allows(admin, roles) {
        return Err(AdminError::Forbidden);
    }
    let snapshot = admin.cx.snapshot();
    let kind = if client.is_some() { ResourceType::ClientRoleMapping } else { ResourceType::RealmRoleMapping };
    let shown = listed(snapshot, &roles.iter().filter_map(|id| snapshot.roles.get(id)).collect::<Vec<_>>());
    let is_there = user_holding::change_roles(&admin.cx, &UserId::new(user), roles, adds, (kind, shown)).await?;
    if is_there { Ok(done()) } else { Err(NOT_FOUND) }
}
