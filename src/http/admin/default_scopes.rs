//! `/default-default-client-scopes` and `/default-optional-client-scopes`: the scopes that new clients get.

use axum::extract::Path;
use serde_json::{Value, json};

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, get, put};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::{client_scope as scopes, settled};
use crate::model::{ClientScopeId, RealmSnapshot};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/default-default-client-scopes", get(defaults))
        .route("/{realm}/default-default-client-scopes/{scope}", put(add_default).delete(remove))
        .route("/{realm}/default-optional-client-scopes", get(optionals))
        .route("/{realm}/default-optional-client-scopes/{scope}", put(add_optional).delete(remove))
}

fn listed(snapshot: &RealmSnapshot, ids: &[ClientScopeId]) -> Value {
    let mut scopes: Vec<_> = ids.iter().filter_map(|id| snapshot.scopes.get(id)).collect();
    scopes.sort_by(|a, b| a.name.cmp(&b.name));
    let entry = |scope: &crate::model::ClientScope| json!({"id": scope.id, "name": scope.name, "protocol": scope.protocol});
    Value::from(scopes.into_iter().map(entry).collect::<Vec<Value>>())
}

async fn defaults(admin: Admin<ViewClients>) -> Answer {
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &snapshot.realm.default_scopes)))
}

async fn optionals(admin: Admin<ViewClients>) -> Answer {
    let snapshot = admin.cx.snapshot();
    Ok(shown(&listed(snapshot, &snapshot.realm.optional_scopes)))
}

async fn add_default(admin: Admin<ManageClients>, Path((_, scope)): Path<(String, String)>) -> Answer {
    add(admin, &scope, false).await
}

async fn add_optional(admin: Admin<ManageClients>, Path((_, scope)): Path<(String, String)>) -> Answer {
    add(admin, &scope, true).await
}

async fn add(admin: Admin<ManageClients>, scope: &str, optional: bool) -> Answer {
    settled(admin.cx, |cx: Cx| async move { scopes::assign(&cx, scope, optional).await }).await?;
    Ok(done_uncached())
}

/// Keycloak takes the scope away at either address, whichever list it stands in.
async fn remove(admin: Admin<ManageClients>, Path((_, scope)): Path<(String, String)>) -> Answer {
    scopes::unassign(&admin.cx, &scope).await?;
    Ok(done_uncached())
}
