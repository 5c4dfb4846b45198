//! The client scopes of a client: those that always apply, and those that are asked for.

use axum::extract::Path;
use serde_json::{Value, json};

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, get, put};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::{self as clients, find};
use crate::flow::admin::settled;
use crate::model::{ClientScopeId, RealmSnapshot};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients/{uuid}/default-client-scopes", get(default_scopes))
        .route("/{realm}/clients/{uuid}/default-client-scopes/{scope}", put(add_default).delete(remove_scope))
        .route("/{realm}/clients/{uuid}/optional-client-scopes", get(optional_scopes))
        .route("/{realm}/clients/{uuid}/optional-client-scopes/{scope}", put(add_optional).delete(remove_scope))
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
    Ok(done_uncached())
}

/// Keycloak takes the scope away at either address, whichever list it stands in.
async fn remove_scope(admin: Admin<ManageClients>, Path((_, uuid, scope)): Path<(String, String, String)>) -> Answer {
    clients::remove_scope(&admin.cx, find(&admin.cx, &uuid)?, &ClientScopeId::new(scope)).await?;
    Ok(done_uncached())
}
