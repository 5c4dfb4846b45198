//! The sessions of a client and of the realm: counted, listed and ended.

use std::sync::Arc;

use axum::extract::Path;
use serde_json::{Value, json};

use super::answer::{Answer, done, plain, pushed, shown};
use super::routes::{Routes, delete, get, post};
use super::{Admin, ManageUsers, ViewClients, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::push::push;
use crate::flow::admin::session;
use crate::flow::logout;
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::http::representation::user_session::{console_session, statistics as shown_statistics, user_session};
use crate::model::{Client, ClientUuid, SessionId, SessionKind};
use crate::oidc::admin_action::AdminAction;
use crate::store::session_list::{ClientPage, RealmPage};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients/{uuid}/session-count", get(online_count))
        .route("/{realm}/clients/{uuid}/user-sessions", get(online))
        .route("/{realm}/clients/{uuid}/offline-session-count", get(offline_count))
        .route("/{realm}/clients/{uuid}/offline-sessions", get(offline))
        .route("/{realm}/client-session-stats", get(statistics))
        .route("/{realm}/sessions/{session}", delete(end))
        .route("/{realm}/ui-ext/sessions", get(of_realm))
        .route("/{realm}/ui-ext/sessions/client", get(of_client))
        .route("/{realm}/logout-all", post(log_out_all))
}

/// How many sessions a list has that asks for no number.
const PAGE: i64 = 100;
/// The most that the console's list has.
const MAX_PAGE: i64 = 1_000;

type OfClient = Path<(String, String)>;

fn client_of(admin: &Admin<ViewClients>, uuid: String) -> Result<&Arc<Client>, AdminError> {
    admin.cx.snapshot().clients.get(&ClientUuid::new(uuid)).ok_or(AdminError::NotFound("Could not find client"))
}

async fn online_count(admin: Admin<ViewClients>, Path((_, id)): OfClient) -> Answer {
    count(&admin, id, SessionKind::Online).await
}

async fn offline_count(admin: Admin<ViewClients>, Path((_, id)): OfClient) -> Answer {
    count(&admin, id, SessionKind::Offline).await
}

async fn count(admin: &Admin<ViewClients>, id: String, kind: SessionKind) -> Answer {
    let client = client_of(admin, id)?;
    Ok(shown(&json!({"count": session::count_of_client(&admin.cx, kind, client).await?})))
}

async fn online(admin: Admin<ViewClients>, Path((_, id)): OfClient, query: Query) -> Answer {
    list(&admin, id, &query, SessionKind::Online).await
}

async fn offline(admin: Admin<ViewClients>, Path((_, id)): OfClient, query: Query) -> Answer {
    list(&admin, id, &query, SessionKind::Offline).await
}

async fn list(admin: &Admin<ViewClients>, id: String, query: &Query, kind: SessionKind) -> Answer {
    let page = query.page(Some(PAGE))?;
    let client = client_of(admin, id)?;
    let page = ClientPage { client: &client.uuid, user: None, first: page.first, max: page.max };
    let sessions = session::of_client(&admin.cx, kind, client, page).await?;
    let list = sessions.iter().map(|s| user_session(admin.cx.snapshot(), s));
    Ok(shown(&Value::from(list.collect::<Vec<Value>>())))
}

async fn statistics(admin: Admin<ViewRealm>) -> Answer {
    let entries = session::statistics(&admin.cx).await?;
    Ok(shown(&Value::from(entries.iter().map(shown_statistics).collect::<Vec<Value>>())))
}

/// What the console shows: online and offline sessions in one list.
async fn of_realm(admin: Admin<ViewRealm>, query: Query) -> Answer {
    console_list(&admin.cx, &query, None).await
}

async fn of_client(admin: Admin<ViewRealm>, query: Query) -> Answer {
    let uuid = ClientUuid::new(query.text("clientId").unwrap_or_default());
    let client = admin.cx.snapshot().clients.get(&uuid).ok_or(AdminError::NotFound("Could not find client"))?;
    console_list(&admin.cx, &query, Some(&client.uuid)).await
}

async fn console_list(cx: &Cx, query: &Query, client: Option<&ClientUuid>) -> Answer {
    let kinds: &[SessionKind] = match query.text("type") {
        None | Some("ALL") => &[SessionKind::Online, SessionKind::Offline],
        Some("REGULAR") => &[SessionKind::Online],
        Some("OFFLINE") => &[SessionKind::Offline],
        Some(_) => return Err(AdminError::bad_request("type is one of ALL, REGULAR, OFFLINE")),
    };
    let page = query.page(Some(PAGE))?;
    let page = RealmPage { client, search: query.text("search"), first: page.first, max: page.max.unwrap_or(PAGE).min(MAX_PAGE) };
    let found = session::of_realm(cx, kinds, page).await?;
    let list = found.iter().map(|(kind, listed)| console_session(cx.snapshot(), *kind, listed));
    Ok(plain(&Value::from(list.collect::<Vec<Value>>())))
}

/// Online and offline sessions may have the same id: `isOffline` tells which is meant.
async fn end(admin: Admin<ManageUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let kind = if query.flag("isOffline") == Some(true) { SessionKind::Offline } else { SessionKind::Online };
    if logout::end_session(&admin.cx, kind, &SessionId::new(id)).await?.is_some() {
        Ok(done())
    } else {
        Err(AdminError::NotFound("Sesssion not found"))
    }
}

/// Clients with an admin URL are told; the answer says which.
async fn log_out_all(admin: Admin<ManageUsers>) -> Answer {
    let cx = &admin.cx;
    session::log_out_all(cx).await?;
    let action = AdminAction::Logout { not_before: cx.now.unix_seconds() };
    Ok(plain(&pushed(&push(cx, cx.snapshot().clients.values().map(AsRef::as_ref), action).await?)))
}
