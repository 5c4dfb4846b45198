//! `/roles` and `/clients/{uuid}/roles`: the roles of a realm and of a client. One role stands in `role_addresses`.

use axum::extract::Path;
use axum::http::StatusCode;
use serde_json::Value;

use super::answer::{Answer, created, last_segment, shown};
use super::routes::{Routes, get};
use super::{Admin, ManageClients, ManageRealm, ViewClients, ViewRealm};
use crate::flow::admin::client;
use crate::flow::admin::role as roles;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::{RoleRepresentation, brief_role, role};
use crate::model::{ClientUuid, Role};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/roles", get(list).post(create))
        .route("/{realm}/clients/{uuid}/roles", get(list_of_client).post(create_of_client))
}

/// The roles of the realm or of a client, by name. A part of the list is asked for by a search or by both bounds (Keycloak).
fn list_of<P>(admin: &Admin<P>, client: Option<&ClientUuid>, query: &Query) -> Answer {
    let snapshot = admin.cx.snapshot();
    let search = query.text("search").map(str::to_lowercase);
    let fits = |role: &Role| {
        let words = [Some(role.name.as_str()), role.description.as_deref()];
        search.as_ref().is_none_or(|s| words.into_iter().flatten().any(|w| w.to_lowercase().contains(s)))
    };
    let mut found: Vec<&Role> = snapshot.roles.values().filter(|r| r.client.as_ref() == client && fits(r)).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let has_both = query.number("first")?.is_some() && query.number("max")?.is_some();
    if search.is_some() || has_both {
        found = query.page(None)?.of(found).collect();
    }
    let is_brief = query.flag("briefRepresentation").unwrap_or(true);
    let shown_role = |r: &&Role| if is_brief { Value::from(brief_role(snapshot, r)) } else { role(snapshot, r) };
    Ok(shown(&Value::from(found.iter().map(shown_role).collect::<Vec<_>>())))
}

/// A new role of the realm or of a client. `place` is the address of the list.
async fn create_in<P>(admin: &Admin<P>, client: Option<&ClientUuid>, place: &str, given: &RoleRepresentation) -> Answer {
    let name = given.name.as_ref().ok_or_else(nameless)?;
    let new = roles::new(&admin.cx, client.cloned(), &name.0);
    roles::create(&admin.cx, &given.put_on(&new)).await?;
    Ok(created(&format!("{place}/{}", last_segment(&name.0))))
}

pub(super) fn nameless() -> AdminError {
    AdminError::Plain(StatusCode::BAD_REQUEST, "role has no name".to_owned())
}

async fn list(admin: Admin<ViewRealm>, query: Query) -> Answer {
    list_of(&admin, None, &query)
}

async fn create(admin: Admin<ManageRealm>, Json(given): Json<RoleRepresentation>) -> Answer {
    let place = format!("{}/admin/realms/{}/roles", admin.base, path_segment(&admin.cx.snapshot().realm.name));
    create_in(&admin, None, &place, &given).await
}

async fn list_of_client(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>, query: Query) -> Answer {
    list_of(&admin, Some(&client::find(&admin.cx, &uuid)?.uuid), &query)
}

async fn create_of_client(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(given): Json<RoleRepresentation>,
) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    let realm = path_segment(&admin.cx.snapshot().realm.name);
    let place = format!("{}/admin/realms/{realm}/clients/{}/roles", admin.base, path_segment(&uuid));
    create_in(&admin, Some(&owner.uuid), &place, &given).await
}
