//! `/users/{id}/groups`: the groups that a user is in.

use axum::extract::Path;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, get, put};
use super::user::{NOT_FOUND, user_of};
use super::{Admin, ManageUsers, ViewUsers, handing_out};
use crate::flow::admin::user_holding;
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::http::representation::group::{brief_group, group as full_group};
use crate::model::{Group, GroupId, RealmSnapshot, User};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/users/{id}/groups", get(list))
        .route("/{realm}/users/{id}/groups/count", get(count))
        .route("/{realm}/users/{id}/groups/{group}", put(join).delete(leave))
}

/// The user's groups by name, as far as their names hold the search.
fn groups_of<'a>(snapshot: &'a RealmSnapshot, user: &User, query: &Query) -> Vec<&'a Group> {
    let search = query.text("search").map(str::to_lowercase).unwrap_or_default();
    let groups = user.groups.iter().filter_map(|id| snapshot.groups.get(id));
    let mut groups: Vec<&Group> = groups.filter(|g| g.name.to_lowercase().contains(&search)).collect();
    groups.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    groups
}

async fn list(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let page = query.page(None)?;
    let user = user_of(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    let is_brief = query.flag("briefRepresentation").unwrap_or(true);
    let list = page
        .of(groups_of(snapshot, &user, &query))
        .map(|g| if is_brief { brief_group(snapshot, g) } else { full_group(snapshot, g) });
    Ok(shown(&Value::from(list.collect::<Vec<Map<String, Value>>>())))
}

async fn count(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let user = user_of(&admin, &id).await?;
    Ok(shown(&json!({"count": groups_of(admin.cx.snapshot(), &user, &query).len()})))
}

async fn join(admin: Admin<ManageUsers>, Path((_, id, group)): Path<(String, String, String)>) -> Answer {
    change(&admin, &id, group, true).await
}

async fn leave(admin: Admin<ManageUsers>, Path((_, id, group)): Path<(String, String, String)>) -> Answer {
    change(&admin, &id, group, false).await
}

/// A group gives its roles to those who join: only to be had from somebody who could give them.
async fn change(admin: &Admin<ManageUsers>, user: &str, group: String, joins: bool) -> Answer {
    let user = user_of(admin, user).await?;
    let group = admin.cx.snapshot().groups.get(&GroupId::new(group)).ok_or(AdminError::NotFound("Group not found"))?;
    if joins && !handing_out::allows_group(admin, &group.id) {
        return Err(AdminError::Forbidden);
    }
    let shown = Value::from(full_group(admin.cx.snapshot(), group));
    let is_there = user_holding::change_membership(&admin.cx, &user, &group.id, joins, shown).await?;
    if is_there { Ok(done_uncached()) } else { Err(NOT_FOUND) }
}
