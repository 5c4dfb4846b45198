//! `/client-scopes`: the client scopes of a realm.

use axum::extract::Path;
use serde_json::Value;

use super::answer::{Answer, created_uncached, done, done_uncached, shown};
use super::routes::{Routes, get};
use super::{Admin, ManageClients, QueryClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client_scope::{self as scopes, find};
use crate::flow::admin::settled;
use crate::http::extract::Json;
use crate::http::representation::{ClientScopeRepresentation, client_scope};
use crate::model::ClientScope;

pub(super) fn routes() -> Routes {
    // The second is the name of before; clients of old still use it.
    Routes::new().merge(at("client-scopes")).merge(at("client-templates"))
}

fn at(family: &str) -> Routes {
    Routes::new()
        .route(&format!("/{{realm}}/{family}"), get(list).post(create))
        .route(&format!("/{{realm}}/{family}/{{id}}"), get(read).put(change).delete(delete))
}

async fn list(admin: Admin<QueryClients>) -> Answer {
    let mut all: Vec<&ClientScope> = admin.cx.snapshot().scopes.values().collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(shown(&Value::from(all.into_iter().map(client_scope).collect::<Vec<_>>())))
}

async fn create(admin: Admin<ManageClients>, Json(given): Json<ClientScopeRepresentation>) -> Answer {
    let scope = given.to_new(admin.cx.entropy());
    scopes::create(&admin.cx, &scope).await?;
    Ok(created_uncached(&admin.below(scope.id.as_str())))
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
    Ok(done_uncached())
}
