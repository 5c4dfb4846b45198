//! `/clients/{uuid}/roles`: the roles of a client.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

use super::answer::{Answer, done, shown};
use super::role_lists::{ListedRole, roles_shown};
use super::roles::{change_composites, change_in, create_in, list_of};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::admin::client;
use crate::flow::admin::role::{self as roles, find};
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::{RoleRepresentation, role};
use crate::http::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/clients/{uuid}/roles", get(list).post(create))
        .route("/{realm}/clients/{uuid}/roles/{name}", get(read).put(change).delete(delete))
        .route("/{realm}/clients/{uuid}/roles/{name}/composites", get(composites).post(add_composites).delete(remove_composites))
}

async fn list(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>, query: Query) -> Answer {
    list_of(&admin, Some(&client::find(&admin.cx, &uuid)?.uuid), &query)
}

async fn create(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(given): Json<RoleRepresentation>,
) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    let realm = path_segment(&admin.cx.snapshot().realm.name);
    let place = format!("{}/admin/realms/{realm}/clients/{}/roles", admin.base, path_segment(&uuid));
    create_in(&admin, Some(&owner.uuid), &place, &given).await
}

async fn read(admin: Admin<ViewClients>, Path((_, uuid, name)): Path<(String, String, String)>) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    Ok(shown(&role(admin.cx.snapshot(), find(&admin.cx, Some(&owner.uuid), &name)?)))
}

async fn change(
    admin: Admin<ManageClients>,
    Path((_, uuid, name)): Path<(String, String, String)>,
    Json(given): Json<RoleRepresentation>,
) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?.uuid.clone();
    change_in(admin, Some(&owner), &name, &given).await
}

async fn delete(admin: Admin<ManageClients>, Path((_, uuid, name)): Path<(String, String, String)>) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    roles::delete(&admin.cx, find(&admin.cx, Some(&owner.uuid), &name)?).await?;
    Ok(done())
}

async fn composites(admin: Admin<ViewClients>, Path((_, uuid, name)): Path<(String, String, String)>) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    let found = find(&admin.cx, Some(&owner.uuid), &name)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &found.children, |_| true)))
}

async fn add_composites(
    admin: Admin<ManageClients>,
    Path((_, uuid, name)): Path<(String, String, String)>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    change_composites(&admin, find(&admin.cx, Some(&owner.uuid), &name)?, &listed, true).await
}

async fn remove_composites(
    admin: Admin<ManageClients>,
    Path((_, uuid, name)): Path<(String, String, String)>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    let owner = client::find(&admin.cx, &uuid)?;
    change_composites(&admin, find(&admin.cx, Some(&owner.uuid), &name)?, &listed, false).await
}
