//! One role, at its three addresses: by name in the realm, by name in its client, and by id.
//!
//! All three read, change, delete and compose it alike. What differs stands in [`Address`].

use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done, done_uncached, shown};
use super::role_lists::{ListedRole, resolve, roles_shown};
use super::roles::nameless;
use super::routes::{Routes, get};
use super::user_lists::page_of_users;
use super::users::PAGE;
use super::{Admin, AnyRole, ManageClients, ManageRealm, Permission, ViewClients, ViewRealm, handing_out};
use crate::flow::Cx;
use crate::flow::admin::role::{self as roles, find};
use crate::flow::admin::{client, settled};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query};
use crate::http::representation::group::{brief_group, group as full_group};
use crate::http::representation::{RoleRepresentation, role as full_role};
use crate::model::{Group, Role};
use crate::store;

pub(super) fn routes() -> Routes {
    Routes::new().merge(routes_of::<ByName>()).merge(routes_of::<OfClient>()).merge(routes_of::<ById>())
}

fn routes_of<A: Address>() -> Routes {
    let at = |rest: &str| format!("{}{rest}", A::PLACE);
    let routes = Routes::new()
        .route(A::PLACE, get(read::<A>).put(change::<A>).delete(delete::<A>))
        .route(&at("/composites"), get(composites::<A>).post(add_composites::<A>).delete(remove_composites::<A>))
        .route(&at("/composites/realm"), get(composites_of_realm::<A>))
        .route(&at("/composites/clients/{target}"), get(composites_of_client::<A>));
    if !A::LISTS_HOLDERS {
        return routes;
    }
    routes.route(&at("/users"), get(users::<A>)).route(&at("/groups"), get(groups::<A>))
}

/// The segments of the path; each address has its own of them.
#[derive(Debug, Deserialize)]
struct Segments {
    #[serde(default)]
    name: String,
    /// The client that the role belongs to.
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    id: String,
    /// The client whose roles in the composite are wanted.
    #[serde(default)]
    target: String,
}

/// Where a role is addressed.
trait Address: Send + 'static {
    type View: Permission;
    type Manage: Permission;
    const PLACE: &'static str;
    const LISTS_HOLDERS: bool;

    /// The role, if there is one that the caller may see, or manage.
    fn find<P>(admin: &Admin<P>, at: &Segments, manages: bool) -> Result<Role, AdminError>;
}

struct ByName;
struct OfClient;
struct ById;

impl Address for ByName {
    type View = ViewRealm;
    type Manage = ManageRealm;
    const PLACE: &'static str = "/{realm}/roles/{name}";
    const LISTS_HOLDERS: bool = true;

    fn find<P>(admin: &Admin<P>, at: &Segments, _: bool) -> Result<Role, AdminError> {
        Ok(find(&admin.cx, None, &at.name)?.clone())
    }
}

impl Address for OfClient {
    type View = ViewClients;
    type Manage = ManageClients;
    const PLACE: &'static str = "/{realm}/clients/{uuid}/roles/{name}";
    const LISTS_HOLDERS: bool = true;

    fn find<P>(admin: &Admin<P>, at: &Segments, _: bool) -> Result<Role, AdminError> {
        let owner = client::find(&admin.cx, &at.uuid)?;
        Ok(find(&admin.cx, Some(&owner.uuid), &at.name)?.clone())
    }
}

/// Whose role it is shows only then: the right to it is asked after it is found.
impl Address for ById {
    type View = AnyRole;
    type Manage = AnyRole;
    const PLACE: &'static str = "/{realm}/roles-by-id/{id}";
    const LISTS_HOLDERS: bool = false;

    fn find<P>(admin: &Admin<P>, at: &Segments, manages: bool) -> Result<Role, AdminError> {
        let found = admin.cx.snapshot().roles.get(at.id.as_str());
        let role = found.ok_or(AdminError::NotFound("Could not find role with id"))?;
        let allowed = match (role.client.is_some(), manages) {
            (false, false) => ViewRealm::ANY_OF,
            (false, true) => ManageRealm::ANY_OF,
            (true, false) => ViewClients::ANY_OF,
            (true, true) => ManageClients::ANY_OF,
        };
        if admin.has_any_of(allowed) { Ok(role.clone()) } else { Err(AdminError::Forbidden) }
    }
}

async fn read<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>) -> Answer {
    Ok(shown(&full_role(admin.cx.snapshot(), &A::find(&admin, &at, false)?)))
}

/// Who does not hold an administrative role does not change it either.
async fn change<A: Address>(admin: Admin<A::Manage>, Path(at): Path<Segments>, Json(given): Json<RoleRepresentation>) -> Answer {
    let role = A::find(&admin, &at, true)?;
    if !handing_out::allows(&admin, [&role.id]) {
        return Err(AdminError::Forbidden);
    }
    if given.name.is_none() {
        return Err(nameless());
    }
    let (id, given) = (&role.id, &given);
    settled(admin.cx, |cx: Cx| async move {
        let before = cx.snapshot().roles.get(id).ok_or(roles::NOT_FOUND)?;
        roles::update(&cx, before, &given.put_on(before)).await
    })
    .await?;
    Ok(done())
}

async fn delete<A: Address>(admin: Admin<A::Manage>, Path(at): Path<Segments>) -> Answer {
    roles::delete(&admin.cx, &A::find(&admin, &at, true)?).await?;
    Ok(done_uncached())
}

/// The whole list, or what a search or bounds leave of it.
async fn composites<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>, query: Query) -> Answer {
    let found = A::find(&admin, &at, false)?;
    let search = query.text("search").map(str::to_lowercase).unwrap_or_default();
    let fits = |role: &Role| role.name.to_lowercase().contains(&search);
    let Value::Array(all) = roles_shown(admin.cx.snapshot(), &found.children, fits) else { return Ok(shown(&json!([]))) };
    Ok(shown(&Value::from(query.page(None)?.of(all).collect::<Vec<_>>())))
}

async fn composites_of_realm<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>) -> Answer {
    let found = A::find(&admin, &at, false)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &found.children, |r| r.client.is_none())))
}

async fn composites_of_client<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>) -> Answer {
    let found = A::find(&admin, &at, false)?;
    let client = client::find(&admin.cx, &at.target)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &found.children, |r| r.client.as_ref() == Some(&client.uuid))))
}

async fn add_composites<A: Address>(
    admin: Admin<A::Manage>,
    Path(at): Path<Segments>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    change_composites(&admin, &A::find(&admin, &at, true)?, &listed, true).await
}

async fn remove_composites<A: Address>(
    admin: Admin<A::Manage>,
    Path(at): Path<Segments>,
    Json(listed): Json<Vec<ListedRole>>,
) -> Answer {
    change_composites(&admin, &A::find(&admin, &at, true)?, &listed, false).await
}

/// Adds to a composite, or takes away. Nobody hands out by a composite what they do not hold.
async fn change_composites<P: Permission>(admin: &Admin<P>, found: &Role, listed: &[ListedRole], add: bool) -> Answer {
    let children = resolve(&admin.cx, listed, "Could not find composite role")?;
    if !handing_out::allows(admin, [&found.id]) || add && !handing_out::allows(admin, &children) {
        return Err(AdminError::Forbidden);
    }
    roles::change_composites(&admin.cx, found, &children, add).await?;
    Ok(done())
}

/// Those who hold the role directly. Who may only query users sees that there is a list.
async fn users<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>, query: Query) -> Answer {
    if !admin.has_any_of(&["query-users", "view-users", "manage-users"]) {
        return Err(AdminError::Forbidden);
    }
    let (role, page) = (A::find(&admin, &at, false)?, query.page(Some(PAGE))?);
    if !admin.has_any_of(&["view-users", "manage-users"]) {
        return Ok(shown(&json!([])));
    }
    let mut db = admin.cx.store().db().await?;
    let realm = &admin.cx.snapshot().realm.id;
    let users = store::user_list::list_holders(&mut db, realm, &role.id, page.first, page.max).await?;
    page_of_users(&admin, &mut db, &users, &query).await
}

async fn groups<A: Address>(admin: Admin<A::View>, Path(at): Path<Segments>, query: Query) -> Answer {
    let role = A::find(&admin, &at, false)?;
    let snapshot = admin.cx.snapshot();
    let mut holders: Vec<&Group> = snapshot.groups.values().filter(|g| g.roles.contains(&role.id)).collect();
    holders.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let is_brief = query.flag("briefRepresentation").unwrap_or(true);
    let show = |g: &Group| if is_brief { brief_group(snapshot, g) } else { full_group(snapshot, g) };
    Ok(shown(&Value::from(query.page(None)?.of(holders).map(show).collect::<Vec<Map<String, Value>>>())))
}
