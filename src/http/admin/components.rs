//! `/components`: key providers, and what else is configured of a kind of provider.

use axum::extract::Path;
use serde_json::Value;

use super::answer::{Answer, created, done, shown};
use super::routes::{Routes, get};
use super::{Admin, ManageRealm, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::component as components;
use crate::flow::admin::settled;
use crate::http::extract::{Json, Query};
use crate::http::path_segment;
use crate::http::representation::{ComponentRepresentation, component};
use crate::model::Component;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/components", get(list).post(create))
        .route("/{realm}/components/{id}", get(read).put(change).delete(delete))
}

/// A type alone is looked for right below the realm (Keycloak).
async fn list(admin: Admin<ViewRealm>, query: Query) -> Answer {
    let realm = admin.cx.snapshot().realm.id.as_str();
    let (wanted, kind) = (query.text("parent"), query.text("type"));
    let parent = wanted.or(kind.map(|_| realm));
    let fits = |component: &Component| {
        let is = |wanted: Option<&str>, value: &str| wanted.is_none_or(|wanted| wanted == value);
        is(parent, &component.parent)
            && is(kind, &component.provider_type)
            && is(query.text("name"), &component.name)
            && is(query.text("providerId"), &component.provider_id)
    };
    let found = components::list(&admin.cx).await?;
    Ok(shown(&found.iter().filter(|c| fits(c)).map(component).collect::<Value>()))
}

async fn create(admin: Admin<ManageRealm>, Json(given): Json<ComponentRepresentation>) -> Answer {
    let base = format!("{}/admin/realms/{}/components", admin.base, path_segment(&admin.cx.snapshot().realm.name));
    let id = components::create(&admin.cx, &given.to_given()).await?;
    Ok(created(&format!("{base}/{}", path_segment(id.as_str()))))
}

async fn read(admin: Admin<ViewRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    Ok(shown(&component(&components::find(&admin.cx, &id).await?)))
}

async fn change(
    admin: Admin<ManageRealm>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ComponentRepresentation>,
) -> Answer {
    let (id, given) = (&id, &given.to_given());
    settled(admin.cx, |cx: Cx| async move { components::update(&cx, id, given).await }).await?;
    Ok(done())
}

async fn delete(admin: Admin<ManageRealm>, Path((_, id)): Path<(String, String)>) -> Answer {
    components::delete(&admin.cx, &id).await?;
    Ok(done())
}
