//! `/groups`: the tree of groups, one group, and the way to it by names.

use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Answer, created, created_uncached, done, done_uncached, shown};
use super::group_tree::{Matches, Shape};
use super::routes::{Routes, get};
use super::user_lists::page_of_users;
use super::users::PAGE;
use super::{Admin, ManageUsers, QueryGroups, ViewUsers, handing_out};
use crate::flow::Cx;
use crate::flow::admin::group::{self as groups, find};
use crate::flow::admin::settled;
use crate::http::error::{AdminError, json as json_response};
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::group::{GroupRepresentation, group as full_group};
use crate::model::GroupId;
use crate::store;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/groups", get(list).post(create))
        .route("/{realm}/groups/count", get(count))
        .route("/{realm}/groups/{id}", get(read).put(change).delete(delete))
        .route("/{realm}/groups/{id}/children", get(children).post(create_below))
        .route("/{realm}/groups/{id}/members", get(members))
        .route("/{realm}/group-by-path/{*path}", get(by_path))
}

async fn list(admin: Admin<QueryGroups>, query: Query) -> Answer {
    let page = query.page(None)?;
    // Who may only query gets a list, but sees nothing in it.
    if !admin.has_any_of(&["view-users", "manage-users"]) {
        return Ok(shown(&json!([])));
    }
    let shape = Shape::of(&admin, &query, true);
    let matches = Matches::of(&query);
    let list = if matches.is_everything() {
        page.of(admin.cx.snapshot().groups_below(None)).map(|g| shape.show(g)).collect()
    } else if query.flag("populateHierarchy").unwrap_or(true) {
        shape.show_ways(page.of(matches.all(admin.cx.snapshot())))
    } else {
        page.of(matches.all(admin.cx.snapshot())).map(|g| shape.show(g)).collect::<Vec<_>>()
    };
    Ok(shown(&Value::from(list)))
}

async fn count(admin: Admin<QueryGroups>, query: Query) -> Answer {
    let snapshot = admin.cx.snapshot();
    let matches = Matches::of(&query);
    let count = if matches.is_everything() && query.flag("top").unwrap_or(false) {
        snapshot.groups_below(None).len()
    } else {
        matches.all(snapshot).len()
    };
    Ok(shown(&json!({"count": count})))
}

fn address<P>(admin: &Admin<P>, group: &GroupId) -> String {
    let realm = path_segment(&admin.cx.snapshot().realm.name);
    format!("{}/admin/realms/{realm}/groups/{}", admin.base, path_segment(group.as_str()))
}

async fn create(admin: Admin<ManageUsers>, Json(given): Json<GroupRepresentation>) -> Answer {
    if given.id.is_some() {
        return move_to(admin, None, &given).await;
    }
    let group = given.put_on(&groups::new(&admin.cx, None));
    settled(admin.cx.clone(), |cx: Cx| {
        let group = &group;
        async move { groups::create(&cx, group).await }
    })
    .await?;
    Ok(created(&address(&admin, &group.id)))
}

async fn create_below(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<GroupRepresentation>,
) -> Answer {
    let parent = find(&admin.cx, &id)?.id.clone();
    if given.id.is_some() {
        return move_to(admin, Some(&parent), &given).await;
    }
    let group = given.put_on(&groups::new(&admin.cx, Some(&parent)));
    settled(admin.cx.clone(), |cx: Cx| {
        let (group, parent) = (&group, &parent);
        async move {
            find(&cx, parent.as_str())?;
            groups::create(&cx, group).await
        }
    })
    .await?;
    let Some(cx) = admin.cx.refreshed().await? else { return Err(AdminError::NotFound("Realm not found.")) };
    let mut whole = full_group(cx.snapshot(), &group);
    whole.insert("path".to_owned(), json!(format!("{}/{}", cx.snapshot().group_path(&parent), group.name)));
    whole.insert("access".to_owned(), Shape::access(&admin));
    let mut response = json_response(StatusCode::CREATED, &Value::from(whole));
    response.headers_mut().extend(created_uncached(&address(&admin, &group.id)).headers().clone());
    Ok(response)
}

/// A body with an id moves that group. Its members come to what is given above: only from somebody who could give it.
async fn move_to(admin: Admin<ManageUsers>, parent: Option<&GroupId>, given: &GroupRepresentation) -> Answer {
    let id = given.id.as_ref().map(|id| id.0.as_str()).unwrap_or_default();
    if parent.is_some_and(|parent| !handing_out::allows_group(&admin, parent)) {
        return Err(AdminError::Forbidden);
    }
    settled(admin.cx, |cx: Cx| async move {
        let moved = cx.snapshot().groups.get(id).ok_or(groups::NO_CHILD)?;
        let mut moved = given.put_on(moved);
        moved.parent = parent.cloned();
        groups::update(&cx, &moved).await
    })
    .await?;
    let mut moved = if parent.is_some() { done_uncached() } else { done() };
    if parent.is_some() {
        moved.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(moved)
}

async fn read(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let shape = Shape::in_full(&admin);
    Ok(shown(&Value::from(shape.show(find(&admin.cx, &id)?))))
}

async fn change(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<GroupRepresentation>,
) -> Answer {
    let (id, given) = (&id, &given);
    settled(admin.cx, |cx: Cx| async move { groups::update(&cx, &given.put_on(find(&cx, id)?)).await }).await?;
    Ok(done())
}

async fn delete(admin: Admin<ManageUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    groups::delete(&admin.cx, find(&admin.cx, &id)?).await?;
    Ok(done())
}

async fn children(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let page = query.page(None)?;
    let shape = Shape::of(&admin, &query, false);
    let (parent, matches) = (find(&admin.cx, &id)?, Matches::of(&query));
    let below = admin.cx.snapshot().groups_below(Some(&parent.id)).into_iter().filter(|g| matches.fits(g));
    Ok(shown(&Value::from(page.of(below).map(|g| shape.show(g)).collect::<Vec<Map<String, Value>>>())))
}

async fn members(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let page = query.page(Some(PAGE))?;
    let group = find(&admin.cx, &id)?;
    let mut db = admin.cx.store().db().await?;
    let realm = &admin.cx.snapshot().realm.id;
    let users = store::user_list::list_members(&mut db, realm, &group.id, page.first, page.max).await?;
    page_of_users(&admin, &mut db, &users, &query).await
}

/// By a path no rights are told (Keycloak).
async fn by_path(admin: Admin<ViewUsers>, Path((_, path)): Path<(String, String)>) -> Answer {
    let snapshot = admin.cx.snapshot();
    let path = format!("/{}", path.trim_matches('/'));
    let group = snapshot.group_at(&path).ok_or(AdminError::NotFound("Group path does not exist"))?;
    let mut whole = Shape::in_full(&admin).show(group);
    whole.remove("access");
    Ok(shown(&Value::from(whole)))
}
