//! `/users/{id}/sessions`, `…/offline-sessions`, `…/consents`: where a user is signed in, and what clients may do for the user.

use axum::extract::Path;
use serde_json::Value;

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, delete, get};
use super::user::user_of;
use super::{Admin, ManageUsers, ViewUsers};
use crate::flow::admin::{consent as flow, session};
use crate::http::error::AdminError;
use crate::http::representation::consent::consent;
use crate::http::representation::user_session::user_session;
use crate::model::{ClientUuid, SessionKind};
use crate::store::session_list::ClientPage;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/users/{id}/sessions", get(online))
        .route("/{realm}/users/{id}/offline-sessions/{client}", get(offline))
        .route("/{realm}/users/{id}/consents", get(consents))
        .route("/{realm}/users/{id}/consents/{client}", delete(revoke))
}

const CLIENT_NOT_FOUND: AdminError = AdminError::NotFound("Client not found");

async fn online(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let sessions = session::of_user(&admin.cx, SessionKind::Online, &user.id, None).await?;
    let list = sessions.iter().map(|s| user_session(admin.cx.snapshot(), s));
    Ok(shown(&Value::from(list.collect::<Vec<Value>>())))
}

async fn offline(admin: Admin<ViewUsers>, Path((_, id, client)): Path<(String, String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    let client = snapshot.clients.get(&ClientUuid::new(client)).ok_or(CLIENT_NOT_FOUND)?;
    let page = ClientPage { client: &client.uuid, user: Some(&user.id), first: 0, max: None };
    let sessions = session::of_client(&admin.cx, SessionKind::Offline, client, page).await?;
    Ok(shown(&Value::from(sessions.iter().map(|s| user_session(snapshot, s)).collect::<Vec<Value>>())))
}

async fn consents(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let granted = flow::list(&admin.cx, &user).await?;
    let list = granted.iter().map(|g| consent(admin.cx.snapshot(), g));
    Ok(shown(&Value::from(list.collect::<Vec<Value>>())))
}

/// The client is named by its `client_id`.
async fn revoke(admin: Admin<ManageUsers>, Path((_, id, client)): Path<(String, String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let client = admin.cx.snapshot().client(&client).ok_or(CLIENT_NOT_FOUND)?;
    if flow::revoke(&admin.cx, &user, client, None).await? {
        Ok(done_uncached())
    } else {
        Err(AdminError::NotFound("Consent nor offline token not found"))
    }
}
