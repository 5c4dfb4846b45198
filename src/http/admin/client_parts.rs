//! What belongs to a client: its client scopes, the roles that its tokens may hold, and its mappers.

use axum::Router;
use axum::extract::Path;
use axum::routing::{get, put};
use serde_json::{Value, json};

use super::answer::{Answer, created, done, shown};
use super::role_lists::{ListedRole, resolve, roles_shown};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::{self as clients, find};
use crate::flow::admin::settled;
use crate::http::extract::Json;
use crate::http::path_segment;
use crate::http::representation::{ProtocolMapperRepresentation, protocol_mapper};
use crate::http::state::App;
use crate::model::{ClientScopeId, RealmSnapshot};
use crate::store::client::MapperOwner;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/clients/{uuid}/default-client-scopes", get(default_scopes))
        .route("/{realm}/clients/{uuid}/default-client-scopes/{scope}", put(add_default).delete(remove_scope))
        .route("/{realm}/clients/{uuid}/optional-client-scopes", get(optional_scopes))
        .route("/{realm}/clients/{uuid}/optional-client-scopes/{scope}", put(add_optional).delete(remove_scope))
        .route("/{realm}/clients/{uuid}/scope-mappings/realm", get(mappings).post(add_mappings).delete(remove_mappings))
        .route("/{realm}/clients/{uuid}/protocol-mappers/models", get(mappers).post(add_mapper))
}

fn names(snapshot: &RealmSnapshot, ids: &[ClientScopeId]) -> Value {
    let mut scopes: Vec<_> = ids.iter().filter_map(|id| snapshot.scopes.get(id)).collect();
    scopes.sort_by(|a, b| a.name.cmp(&b.name));
    Value::from(scopes.into_iter().map(|s| json!({"id": s.id, "name": s.name})).collect::<Vec<_>>())
}

async fn default_scopes(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    Ok(shown(&names(admin.cx.snapshot(), &find(&admin.cx, &uuid)?.default_scopes)))
}

async fn optional_scopes(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    Ok(shown(&names(admin.cx.snapshot(), &find(&admin.cx, &uuid)?.optional_scopes)))
}

async fn add_default(admin: Admin<ManageClients>, path: Path<(String, String, String)>) -> Answer {
    add_scope(admin, path, false).await
}

async fn add_optional(admin: Admin<ManageClients>, path: Path<(String, String, String)>) -> Answer {
    add_scope(admin, path, true).await
}

async fn add_scope(
    admin: Admin<ManageClients>,
    Path((_, uuid, scope)): Path<(String, String, String)>,
    optional: bool,
) -> Answer {
    let (uuid, scope) = (&uuid, &ClientScopeId::new(scope));
    settled(admin.cx, |cx: Cx| async move { clients::add_scope(&cx, find(&cx, uuid)?, scope, optional).await }).await?;
    Ok(done())
}

/// Keycloak takes the scope away at either address, whichever list it stands in.
async fn remove_scope(admin: Admin<ManageClients>, Path((_, uuid, scope)): Path<(String, String, String)>) -> Answer {
    clients::remove_scope(&admin.cx, find(&admin.cx, &uuid)?, &ClientScopeId::new(scope)).await?;
    Ok(done())
}

async fn mappings(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    Ok(shown(&roles_shown(admin.cx.snapshot(), &client.scope_mappings, |r| r.client.is_none())))
}

async fn add_mappings(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(roles): Json<Vec<ListedRole>>,
) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    clients::change_scope_mappings(&admin.cx, client, &resolve(&admin.cx, &roles, "Role not found")?, true).await?;
    Ok(done())
}

async fn remove_mappings(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(roles): Json<Vec<ListedRole>>,
) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    clients::change_scope_mappings(&admin.cx, client, &resolve(&admin.cx, &roles, "Role not found")?, false).await?;
    Ok(done())
}

async fn mappers(admin: Admin<ViewClients>, Path((_, uuid)): Path<(String, String)>) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    Ok(shown(&Value::from(client.mappers.iter().map(protocol_mapper).collect::<Vec<_>>())))
}

async fn add_mapper(
    admin: Admin<ManageClients>,
    Path((_, uuid)): Path<(String, String)>,
    Json(given): Json<ProtocolMapperRepresentation>,
) -> Answer {
    let client = find(&admin.cx, &uuid)?;
    let mapper = given.to_model(admin.cx.entropy());
    clients::add_mapper(&admin.cx, MapperOwner::Client(&client.uuid), &mapper).await?;
    let realm = path_segment(&admin.cx.snapshot().realm.name);
    let (uuid, id) = (path_segment(&uuid), path_segment(mapper.id.as_str()));
    Ok(created(&format!("{}/admin/realms/{realm}/clients/{uuid}/protocol-mappers/models/{id}", admin.base)))
}
