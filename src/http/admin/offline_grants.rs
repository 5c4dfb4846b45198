//! `/nightlatch/offline-grants`: what Keycloak has not got. Every grant of offline access, with the device that gave it, its use
//! and its end.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::{delete, get};
use serde_json::{Value, json};

use super::answer::{Answer, done, shown};
use super::{Admin, ManageUsers, ViewUsers};
use crate::flow::admin::offline_grant::{self, OfflineGrant};
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::http::state::App;
use crate::model::device::Device;
use crate::model::{ClientUuid, SessionId, UserId};
use crate::oidc::session_limits::Lapse;
use crate::store::offline_grant::GrantFilter;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/{realm}/nightlatch/offline-grants", get(list))
        .route("/{realm}/nightlatch/offline-grants/{session}/{client}", delete(end))
}

/// How many grants a page has that asks for no number, and the most that it has.
const PAGE: i64 = 100;
const MAX_PAGE: i64 = 1_000;

/// `clientId`, `userId`, `ipAddress`, `unusedFor` (seconds), `max`, and `after`, which is the `next` of the page before.
async fn list(admin: Admin<ViewUsers>, query: Query) -> Answer {
    let snapshot = admin.cx.snapshot();
    let client = match query.text("clientId") {
        Some(id) => Some(snapshot.client(id).ok_or(AdminError::NotFound("Could not find client"))?.uuid.clone()),
        None => None,
    };
    let user = query.text("userId").map(UserId::new);
    let unused_for = query.number("unusedFor")?.filter(|n| *n > 0).and_then(|n| u64::try_from(n).ok());
    let after = query.text("after").map(|after| after.split_once('.').ok_or(AdminError::bad_request("after is no next")));
    let filter = GrantFilter {
        client: client.as_ref(),
        user: user.as_ref(),
        ip_address: query.text("ipAddress"),
        unused_since: unused_for.map(|n| admin.cx.now - Duration::from_secs(n)),
        after: after.transpose()?,
        limit: query.number("max")?.unwrap_or(PAGE).clamp(1, MAX_PAGE),
    };
    let page = offline_grant::list(&admin.cx, filter).await?;
    let next = page.next.map(|(session, client)| format!("{session}.{client}"));
    Ok(shown(&json!({"grants": page.grants.iter().map(grant).collect::<Vec<_>>(), "next": next})))
}

/// Points in time are milliseconds since 1970, as everywhere in the Admin REST API.
fn grant(grant: &OfflineGrant) -> Value {
    let found = &grant.found;
    let device = Device::of(&found.user_agent);
    json!({
        "sessionId": found.session,
        "client": {"id": grant.client.uuid, "clientId": grant.client.client_id},
        "user": {"id": found.user_id, "username": found.username},
        "device": {"browser": device.browser, "os": device.os, "osVersion": device.os_version, "mobile": device.mobile},
        "ipAddress": found.ip_address,
        "grantedAt": found.granted_at.unix_millis(),
        "lastUsedAt": found.last_used_at.unix_millis(),
        "endsAt": grant.ends_at.unix_millis(),
        "endsBy": if grant.by == Lapse::Max { "max" } else { "idle" },
    })
}

async fn end(admin: Admin<ManageUsers>, Path((_, session, client)): Path<(String, String, String)>) -> Answer {
    let missing = AdminError::NotFound("Offline grant not found");
    let Some(client) = admin.cx.snapshot().clients.get(&ClientUuid::new(client)) else { return Err(missing) };
    let ended = offline_grant::end(&admin.cx, &SessionId::new(session), client).await?;
    if ended { Ok(done()) } else { Err(missing) }
}
