//! `/roles`: the roles of a realm. Those of clients stand in `client_roles`.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::Value;

use super::answer::{Answer, created, done, last_segment, shown};
use super::role_lists::{ListedRole, resolve, roles_shown};
use super::{Admin, ManageRealm, Permission, ViewRealm, handing_out};
use crate::flow::Cx;
use crate::flow::admin::role::{self as roles, find};
use crate::flow::admin::settled;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::{RoleRepresentation, brief_role, role};
use crate::http::state::App;
use crate::model::{ClientUuid, Role};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/roles", get(list).post(create))
        .route("/{realm}/roles/{name}", get(read).put(change).delete(delete))
        .route("/{realm}/roles/{name}/composites", get(composites).post(add_composites).delete(remove_composites))
}

/// The roles of the realm or of a client, by name. A part of the list is asked for by a search or by both bounds (Keycloak).
pub(super) fn list_of<P>(admin: &Admin<P>, client: Option<&ClientUuid>, query: &Query) -> Answer {
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
pub(super) async fn create_in<P>(
    admin: &Admin<P>,
    client: Option<&ClientUuid>,
    place: &str,
    given: &RoleRepresentation,
) -> Answer {
    let name = given.name.as_ref().ok_or_else(nameless)?;
    let new = roles::new(&admin.cx, client.cloned(), &name.0);
    roles::create(&admin.cx, &given.put_on(&new)).await?;
    Ok(created(&format!("{place}/{}", last_segment(&name.0))))
}

/// Who does not hold an administrative role does not change it either.
pub(super) async fn change_in<P>(admin: Admin<P>, client: Option<&ClientUuid>, name: &str, given: &RoleRepresentation) -> Answer {
    let role = find(&admin.cx, client, name)?;
    if !handing_out::allows(&admin, [&role.id]) {
        return Err(AdminError::Forbidden);
    }
    if given.name.is_none() {
        return Err(nameless());
    }
    settled(admin.cx, |cx: Cx| async move {
        let before = find(&cx, client, name)?;
        roles::update(&cx, before, &given.put_on(before)).await
    })
    .await?;
    Ok(done())
}

fn nameless() -> AdminError {
    AdminError::Plain(StatusCode::BAD_REQUEST, "role has no name".to_owned())
}

async fn list(admin: Admin<ViewRealm>, query: Query) -> Answer {
    list_of(&admin, None, &query)
}

async fn create(admin: Admin<ManageRealm>, Json(given): Json<RoleRepresentation>) -> Answer {
    let place = format!("{}/admin/realms/{}/roles", admin.base, path_segment(&admin.cx.snapshot().realm.name));
    create_in(&admin, None, &place, &given).await
}

async fn read(admin: Admin<ViewRealm>, Path((_, name)): Path<(String, String)>) -> Answer {
    Ok(shown(&role(admin.cx.snapshot(), find(&admin.cx, None, &name)?)))
}

async fn change(
    admin: Admin<ManageRealm>,
    Path((_, name)): Path<(String, String)>,
    Json(given): Json<RoleRepresentation>,
) -> Answer {
    change_in(admin, None, &name, &given).await
}

async fn delete(admin: Admin<ManageRealm>, Path((_, name)): Path<(String, String)>) -> Answer {
    roles::delete(&admin.cx, find(&admin.cx, None, &name)?).await?;
    Ok(done())
}

async fn composites(admin: Admin<ViewRealm>, Path((_, name)): Path<(String, String)>) -> Answer {
    let found = find(&admin.cx, None, &name)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &found.children, |_| true)))
}

/// Adds to a composite, or takes away. Nobody hands out by a composite what they do not hold.
pub(super) async fn change_composites<P: Permission>(admin: &Admin<P>, found: &Role, listed: &[ListedRole], add: bool) -> Answer {
    let children = resolve(&admin.cx, listed, "Could not find composite role")?;
    if !handing_out::allows(admin, [&found.id]) || add && !handing_out::allows(admin, &children) {
        return Err(AdminError::Forbidden);
    }
    roles::change_composites(&admin.cx, found, &children, add).await?;
    Ok(done())
}

async fn add_composites(
    admin: Admin<ManageRealm>,
    Path((_, name)): Path<(String, String)>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    change_composites(&admin, find(&admin.cx, None, &name)?, &listed, true).await
}

async fn remove_composites(
    admin: Admin<ManageRealm>,
    Path((_, name)): Path<(String, String)>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    change_composites(&admin, find(&admin.cx, None, &name)?, &listed, false).await
}
