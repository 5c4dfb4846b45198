//! `/admin/realms/{realm}`: its settings, its keys, and its revocation policy.

use axum::http::StatusCode;

use super::answer::{Answer, done, plain, pushed, shown};
use super::routes::{Routes, get, post};
use super::{Admin, AnyRole, ManageEvents, ManageRealm, Permission, ViewEvents, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::push::push;
use crate::flow::admin::realm as realms;
use crate::flow::admin::settled;
use crate::flow::admin_event::{Change, note_alone};
use crate::http::error::AdminError;
use crate::http::extract::Json;
use crate::http::representation::{EventsConfig, RealmRepresentation, events_config, keys, public_realm, realm};
use crate::model::admin_event::ResourceType;
use crate::oidc::admin_action::AdminAction;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}", get(read).put(change).delete(delete))
        .route("/{realm}/keys", get(list_keys))
        .route("/{realm}/push-revocation", post(push_revocation))
        .route("/{realm}/clear-realm-cache", post(clear_cache))
        .route("/{realm}/clear-user-cache", post(clear_cache))
        .route("/{realm}/clear-keys-cache", post(clear_cache))
        .route("/{realm}/clear-crl-cache", post(clear_cache))
        .route("/{realm}/events/config", get(read_events).put(change_events))
}

async fn read(admin: Admin<AnyRole>) -> Answer {
    let snapshot = admin.cx.snapshot();
    Ok(shown(&if admin.has_any_of(ViewRealm::ANY_OF) { realm(snapshot) } else { public_realm(snapshot) }))
}

async fn change(admin: Admin<ManageRealm>, Json(given): Json<RealmRepresentation>) -> Answer {
    let given = &given;
    settled(admin.cx, |cx: Cx| async move {
        let before = &cx.snapshot().realm;
        let change = realms::Change {
            name: given.name().map_or_else(|| before.name.clone(), str::to_owned),
            enabled: given.enabled.map_or(before.enabled, |f| f.0),
            not_before: given.not_before.map_or(before.not_before, |n| n.0),
            document: given.settings.put_on(&before.document),
            named: given.settings.values().clone(),
        };
        realms::update(&cx, &change).await
    })
    .await?;
    Ok(done())
}

async fn delete(admin: Admin<ManageRealm>) -> Answer {
    let teller = admin.administrator.telling_of(&admin.cx.snapshot().realm.name);
    realms::delete(&admin.cx, &teller).await?;
    Ok(done())
}

async fn list_keys(admin: Admin<ViewRealm>) -> Answer {
    Ok(shown(&keys(&admin.cx.snapshot().keys, &admin.cx.realm.keys)))
}

/// The realm's not-before, to every client with an admin URL.
async fn push_revocation(admin: Admin<ManageRealm>) -> Answer {
    let cx = &admin.cx;
    let action = AdminAction::PushNotBefore { not_before: cx.snapshot().realm.not_before };
    let told = pushed(&push(cx, cx.snapshot().clients.values().map(AsRef::as_ref), action).await?);
    note_alone(cx, Change::action(ResourceType::Realm).showing(told.clone())).await?;
    Ok(plain(&told))
}

/// No decision rests on a cache, so that there is nothing to gain; this node reads the realm anew.
async fn clear_cache(admin: Admin<ManageRealm>) -> Answer {
    let cx = &admin.cx;
    cx.server.realms.invalidate(&cx.snapshot().realm.id);
    note_alone(cx, Change::action(ResourceType::Realm)).await?;
    Ok(done())
}

async fn read_events(admin: Admin<ViewEvents>) -> Answer {
    Ok(shown(&events_config(&admin.cx.snapshot().realm.document)))
}

async fn change_events(admin: Admin<ManageEvents>, Json(given): Json<EventsConfig>) -> Answer {
    if given.has_unknown_listener() {
        return Err(AdminError::Plain(StatusCode::BAD_REQUEST, "Unknown event listener".to_owned()));
    }
    let given = &given;
    settled(admin.cx, |cx: Cx| async move {
        let before = &cx.snapshot().realm;
        let change = realms::Change {
            name: before.name.clone(),
            enabled: before.enabled,
            not_before: before.not_before,
            document: given.put_on(&before.document),
            named: serde_json::Map::new(),
        };
        realms::update(&cx, &change).await
    })
    .await?;
    Ok(done())
}
