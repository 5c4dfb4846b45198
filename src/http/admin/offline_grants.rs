//! `/nightlatch/offline-grants`: what Keycloak has not got. Every grant of offline access, with the device that gave it, its use
//! and its end; how they are used; and the end of one, or of many after a preview.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done, shown};
use super::routes::{Routes, delete, get, post};
use super::{Admin, ManageClients, ManageUsers, Permission, ViewUsers};
use crate::flow::admin::offline_grant::{self, Asked, Asker, Kind, OfflineGrant};
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query, Representation};
use crate::model::device::Device;
use crate::model::{Client, ClientUuid, SessionId};
use crate::oidc::session_limits::Lapse;
use crate::store::offline_grant::{GrantCounts, StaleGrants};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/nightlatch/offline-grants", get(list))
        .route("/{realm}/nightlatch/offline-grants/count", get(count))
        .route("/{realm}/nightlatch/offline-grants/stale", get(stale))
        .route("/{realm}/nightlatch/offline-grants/revocation-preview", post(preview))
        .route("/{realm}/nightlatch/offline-grants/revocation", post(revoke))
        .route("/{realm}/nightlatch/offline-grants/{session}/{client}", delete(end))
}

/// How many grants a page has that asks for no number, and the most that it has.
const PAGE: i64 = 100;
const MAX_PAGE: i64 = 1_000;

const DAYS: [u64; 3] = [7, 30, 90];
const DAY: u64 = 86_400;

impl Representation for Asked {
    const NAME: &'static str = "OfflineGrantFilter";
}

/// The filters of a list.
fn asked(query: &Query) -> Result<Asked, AdminError> {
    let owned = |name: &str| query.text(name).map(str::to_owned);
    let millis = |name: &str| {
        let wrong = || AdminError::bad_request(format!("{name} is a number of milliseconds since 1970"));
        query.text(name).map(|v| v.parse::<i64>().map_err(|_| wrong())).transpose()
    };
    let wrong = || AdminError::bad_request("unusedFor is a number of seconds");
    Ok(Asked {
        kind: Kind::Offline,
        client_id: owned("clientId"),
        user_id: owned("userId"),
        ip_address: owned("ipAddress"),
        unused_for: query.text("unusedFor").map(|v| v.parse().map_err(|_| wrong())).transpose()?,
        scope: owned("scope"),
        granted_from: millis("grantedFrom")?,
        granted_before: millis("grantedBefore")?,
        ends_before: millis("endsBefore")?,
    })
}

/// The filters, `max`, and `after`, which is the `next` of the page before.
async fn list(admin: Admin<ViewUsers>, query: Query) -> Answer {
    let after = match query.text("after").map(|after| after.split_once('.')) {
        Some(Some((session, client))) => Some((session.to_owned(), client.to_owned())),
        Some(None) => return Err(AdminError::bad_request("after is no next")),
        None => None,
    };
    let limit = query.number("max")?.unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let page = offline_grant::list(&admin.cx, &asked(&query)?, after.as_ref(), limit).await?;
    let next = page.next.map(|(session, client)| format!("{session}.{client}"));
    Ok(shown(&json!({"grants": page.grants.iter().map(grant).collect::<Vec<_>>(), "next": next})))
}

async fn count(admin: Admin<ViewUsers>, query: Query) -> Answer {
    Ok(shown(&counts(offline_grant::count(&admin.cx, &asked(&query)?).await?)))
}

/// Whether there are more than were counted is said, too.
fn counts(counts: GrantCounts) -> Value {
    json!({"grants": counts.grants, "users": counts.users, "clients": counts.clients, "atLeast": counts.at_least})
}

/// By client: how many grants nobody has used for how long.
async fn stale(admin: Admin<ViewUsers>, query: Query) -> Answer {
    let spans = DAYS.map(|days| Duration::from_secs(days * DAY));
    let report = offline_grant::stale(&admin.cx, &asked(&query)?, spans).await?;
    let line = |(client, grants): &(Arc<Client>, StaleGrants)| {
        let unused = DAYS.iter().zip(&grants.unused).map(|(days, n)| (format!("{days}d"), Value::from(*n)));
        json!({
            "client": {"id": client.uuid, "clientId": client.client_id},
            "grants": grants.grants,
            "users": grants.users,
            "unusedFor": Value::Object(unused.collect()),
            "neverUsed": grants.never_used,
            "oldestUse": grants.oldest_use.unix_millis(),
        })
    };
    Ok(shown(&Value::from(report.iter().map(line).collect::<Vec<_>>())))
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
        "lastIpAddress": found.last_ip_address.as_ref().unwrap_or(&found.ip_address),
        "scopes": found.scopes,
        "grantedAt": found.granted_at.unix_millis(),
        "lastUsedAt": found.last_used_at.unix_millis(),
        "refreshCount": found.refreshes,
        "endsAt": grant.end.at.unix_millis(),
        "endsBy": if grant.end.by == Lapse::Max { "max" } else { "idle" },
        "endsBySetting": {"name": grant.end.from.setting, "of": grant.end.from.owner.as_str()},
    })
}

fn asker(admin: &Admin<ManageUsers>) -> Asker<'_> {
    Asker { id: &admin.administrator.user().id, manages_clients: admin.has_any_of(ManageClients::ANY_OF) }
}

/// What a revocation with these filters would end.
async fn preview(admin: Admin<ManageUsers>, Json(asked): Json<Asked>) -> Answer {
    let preview = offline_grant::preview(&admin.cx, &asked, asker(&admin)).await?;
    let counted: Map<String, Value> =
        preview.counts.into_iter().map(|(kind, counted)| (kind.as_str().to_owned(), counts(counted))).collect();
    Ok(shown(&json!({
        "kind": asked.kind,
        "counts": counted,
        "sample": preview.sample.iter().map(grant).collect::<Vec<_>>(),
        "token": preview.token,
        "expiresAt": preview.expires_at.unix_millis(),
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    token: String,
}

impl Representation for Revocation {
    const NAME: &'static str = "Revocation";
}

/// Ends what the preview has shown. While it is not `done`, the answer has a token that goes on.
async fn revoke(admin: Admin<ManageUsers>, Json(revocation): Json<Revocation>) -> Answer {
    let progress = offline_grant::revoke(&admin.cx, &revocation.token, asker(&admin)).await?;
    let mut answer = json!({"revoked": progress.revoked, "done": progress.next.is_none()});
    if let Some(token) = progress.next {
        answer["token"] = token.into();
    }
    if let Some(not_before) = progress.not_before {
        answer["notBefore"] = not_before.into();
    }
    Ok(shown(&answer))
}

async fn end(admin: Admin<ManageUsers>, Path((_, session, client)): Path<(String, String, String)>) -> Answer {
    let missing = AdminError::NotFound("Offline grant not found");
    let Some(client) = admin.cx.snapshot().clients.get(&ClientUuid::new(client)) else { return Err(missing) };
    let ended = offline_grant::end(&admin.cx, &SessionId::new(session), client).await?;
    if ended { Ok(done()) } else { Err(missing) }
}
