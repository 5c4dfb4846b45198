//! `/client-scopes`: the client scopes of a realm, and the roles that they are tied to.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use serde_json::Value;

use super::answer::{Answer, created, done, shown};
use super::role_lists::{ListedRole, resolve, roles_shown};
use super::{Admin, ManageClients, QueryClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::add_mapper as add;
use crate::flow::admin::client_scope::{self as scopes, find};
use crate::flow::admin::settled;
use crate::http::extract::Json;
use crate::http::path_segment;
use crate::http::representation::{ClientScopeRepresentation, ProtocolMapperRepresentation, client_scope, protocol_mapper};
use crate::http::state::App;
use crate::model::ClientScope;
use crate::store::client::MapperOwner;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/client-scopes", get(list).post(create))
        .route("/{realm}/client-scopes/{id}", get(read).put(change).delete(delete))
        .route("/{realm}/client-scopes/{id}/scope-mappings/realm", get(mappings).post(add_mappings).delete(remove_mappings))
        .route("/{realm}/client-scopes/{id}/protocol-mappers/models", get(mappers).post(add_mapper))
}

fn address<P>(admin: &Admin<P>, id: &str) -> String {
    let realm = path_segment(&admin.cx.snapshot().realm.name);
    format!("{}/admin/realms/{realm}/client-scopes/{}", admin.base, path_segment(id))
}

async fn list(admin: Admin<QueryClients>) -> Answer {
    let mut all: Vec<&ClientScope> = admin.cx.snapshot().scopes.values().collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(shown(&Value::from(all.into_iter().map(client_scope).collect::<Vec<_>>())))
}

async fn create(admin: Admin<ManageClients>, Json(given): Json<ClientScopeRepresentation>) -> Answer {
    let scope = given.to_new(admin.cx.entropy());
    scopes::create(&admin.cx, &scope).await?;
    Ok(created(&address(&admin, scope.id.as_str())))
}

async fn read(admin: Admin<ViewClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    Ok(shown(&client_scope(find(&admin.cx, &id)?)))
}

async fn change(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ClientScopeRepresentation>,
) -> Answer {
    let (id, given) = (&id, &given);
    settled(admin.cx, |cx: Cx| async move { scopes::update(&cx, &given.put_on(find(&cx, id)?)).await }).await?;
    Ok(done())
}

async fn delete(admin: Admin<ManageClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    scopes::delete(&admin.cx, find(&admin.cx, &id)?).await?;
    Ok(done())
}

async fn mappings(admin: Admin<ViewClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    let scope = find(&admin.cx, &id)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &scope.role_mappings, |r| r.client.is_none())))
}

async fn add_mappings(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(roles): Json<Vec<ListedRole>>,
) -> Answer {
    let scope = find(&admin.cx, &id)?;
    scopes::change_roles(&admin.cx, scope, &resolve(&admin.cx, &roles, "Role not found")?, true).await?;
    Ok(done())
}

async fn remove_mappings(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(roles): Json<Vec<ListedRole>>,
) -> Answer {
    let scope = find(&admin.cx, &id)?;
    scopes::change_roles(&admin.cx, scope, &resolve(&admin.cx, &roles, "Role not found")?, false).await?;
    Ok(done())
}

async fn mappers(admin: Admin<ViewClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    let scope = find(&admin.cx, &id)?;
    Ok(shown(&Value::from(scope.mappers.iter().map(protocol_mapper).collect::<Vec<_>>())))
}

async fn add_mapper(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ProtocolMapperRepresentation>,
) -> Answer {
    let scope = find(&admin.cx, &id)?;
    let mapper = given.to_model(admin.cx.entropy());
    add(&admin.cx, MapperOwner::Scope(&scope.id), &mapper).await?;
    let place = format!("{}/protocol-mappers/models/{}", address(&admin, &id), path_segment(mapper.id.as_str()));
    Ok(created(&place))
}
