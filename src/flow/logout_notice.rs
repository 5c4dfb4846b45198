//! Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0).
//!
//! A notice is written in the transaction that ends the session. The request that ended it tries it once before it answers, as
//! Keycloak does; what a client does not take then is tried again by the loop beside the requests, later and later, and given up
//! after about two hours. No logout waits for a client longer than a moment, and none is lost with a node.

use std::collections::BTreeSet;
use std::time::Duration;

use super::context::{Cx, Origin, Server};
use super::{event, keys};
use crate::jose;
use crate::model::event::EventKind;
use crate::model::logout_notice::LogoutNotice;
use crate::model::{Client, ClientUuid, SessionKind};
use crate::oidc::logout_token;
use crate::store::logout_notice::{DueNotice, EndingPart};
use crate::store::{self, Db, StoreError};
use crate::telemetry::labels::{Notice, Realm};
use crate::telemetry::metrics;

pub use crate::store::logout_notice::Ending;

/// How many clients the request itself tells; the rest is left to the loop.
const AT_ONCE: usize = 16;
/// How long the request waits for them.
const WAIT: Duration = Duration::from_secs(1);
/// How long a notice belongs to whoever tries it.
const LEASE: Duration = Duration::from_secs(30);
/// Attempts, each after twice the time of the one before: about two hours.
const ATTEMPTS: i32 = 9;
const CLAIMED_AT_ONCE: i64 = 32;

/// The parts, in the sessions that are about to end, of clients that want to be told, here or in the browser. Call it first in
/// their transaction.
pub async fn find(cx: &Cx, db: &mut Db<'_>, kind: SessionKind, ending: Ending<'_>) -> Result<Vec<EndingPart>, StoreError> {
    let clients = clients_to_tell(cx);
    if clients.is_empty() {
        return Ok(Vec::new());
    }
    store::logout_notice::lock_parts(db, kind, &cx.snapshot().realm.id, ending, &clients).await
}

fn clients_to_tell(cx: &Cx) -> Vec<ClientUuid> {
    let wants = |client: &Client| client.settings.frontchannel_logout || is_told(cx, client);
    cx.snapshot().clients.values().filter(|client| wants(client)).map(|client| client.uuid.clone()).collect()
}

/// Whether the client wants to be told, here and not in the browser.
pub fn is_told(cx: &Cx, client: &Client) -> bool {
    logout_token::backchannel_url(client, cx.server_url()).is_some()
}

/// Writes down who has to be told, each client once for a session; hand the notices to [`send`] after the commit.
pub async fn write(cx: &Cx, db: &mut Db<'_>, parts: &[EndingPart]) -> Result<Vec<LogoutNotice>, StoreError> {
    let clients = &cx.snapshot().clients;
    let parts: BTreeSet<&EndingPart> =
        parts.iter().filter(|part| clients.get(&part.client).is_some_and(|c| is_told(cx, c))).collect();
    if parts.is_empty() {
        return Ok(Vec::new());
    }
    let realm = &cx.snapshot().realm.id;
    let mut notices: Vec<LogoutNotice> = parts
        .into_iter()
        .map(|part| LogoutNotice {
            realm: realm.clone(),
            id: cx.entropy().uuid(),
            client: part.client.clone(),
            session: part.session.clone(),
            user: part.user.clone(),
            issuer: cx.issuer.clone(),
            attempts: 1,
        })
        .collect();
    let later = notices.split_off(notices.len().min(AT_ONCE));
    store::logout_notice::insert_notices(db, realm, &notices, cx.now + LEASE, cx.now).await?;
    if !later.is_empty() {
        store::logout_notice::insert_notices(db, realm, &later, cx.now, cx.now).await?;
    }
    Ok(notices)
}

/// The first attempt. It goes on behind the answer if it takes long.
pub async fn send(cx: &Cx, notices: Vec<LogoutNotice>) {
    if notices.is_empty() {
        return;
    }
    let cx = cx.clone();
    let attempts = tokio::spawn(async move { attempt_all(notices.into_iter().map(|notice| (cx.clone(), notice))).await });
    // What is not told by then is told by the attempt itself, or by the loop.
    let _ = tokio::time::timeout(WAIT, attempts).await;
}

/// Tries what is due, until nothing is; how many notices there were.
pub async fn send_due(server: &Server) -> Result<usize, StoreError> {
    let mut tried = 0;
    loop {
        let now = server.clock.now();
        let mut db = server.store.db().await?;
        let due = store::logout_notice::claim_due(&mut db, now, now + LEASE, CLAIMED_AT_ONCE).await?;
        drop(db);
        if due.is_empty() {
            return Ok(tried);
        }
        tried += due.len();
        let mut attempts = Vec::new();
        for DueNotice { realm_name, notice } in due {
            // A realm that is gone has taken its notices along.
            if let Some(realm) = server.realms.get(&server.store, &realm_name).await? {
                let issuer = notice.issuer.clone();
                attempts
                    .push((Cx { server: server.clone(), realm, now, issuer, origin: Origin::default(), admin: None }, notice));
            }
        }
        attempt_all(attempts.into_iter()).await;
    }
}

async fn attempt_all(notices: impl Iterator<Item = (Cx, LogoutNotice)>) {
    let mut running = tokio::task::JoinSet::new();
    for (cx, notice) in notices {
        running.spawn(async move {
            if let Err(error) = attempt(&cx, &notice).await {
                tracing::warn!(%error, "the end of a logout notice could not be noted; it is tried again");
            }
        });
    }
    while running.join_next().await.is_some() {}
}

/// One attempt, and what it leads to.
async fn attempt(cx: &Cx, notice: &LogoutNotice) -> Result<(), StoreError> {
    let Some(client) = cx.snapshot().clients.get(&notice.client) else { return Ok(()) };
    let realm = Realm::of_existing(&cx.snapshot().realm.name);
    let Some(url) = logout_token::backchannel_url(client, cx.server_url()) else {
        return store::logout_notice::delete_notice(&mut cx.store().db().await?, &notice.realm, &notice.id).await;
    };
    let token = token(cx, client, notice).await?;
    let outcome = cx.server.outgoing.post_form(url.as_str(), &[("logout_token", &token)]).await;
    let failure = match outcome {
        Ok(200..=299) => {
            metrics::logout_notice(realm, Notice::Taken);
            return store::logout_notice::delete_notice(&mut cx.store().db().await?, &notice.realm, &notice.id).await;
        }
        Ok(status) => format!("status {status}"),
        Err(error) => error.to_string(),
    };
    let gives_up = notice.attempts >= ATTEMPTS;
    tracing::warn!(realm.name = cx.snapshot().realm.name, client.id = %client.client_id, attempt = notice.attempts, gives_up,
        failure, "a client was not told of a logout");
    if gives_up {
        metrics::logout_notice(realm, Notice::GivenUp);
        record_failure(cx, client, notice).await?;
        return store::logout_notice::delete_notice(&mut cx.store().db().await?, &notice.realm, &notice.id).await;
    }
    metrics::logout_notice(realm, Notice::Failed);
    let due = cx.server.clock.now() + LEASE * 2_u32.pow(notice.attempts.clamp(1, ATTEMPTS).unsigned_abs() - 1);
    store::logout_notice::postpone(&mut cx.store().db().await?, &notice.realm, &notice.id, due).await
}

async fn token(cx: &Cx, client: &Client, notice: &LogoutNotice) -> Result<String, StoreError> {
    let algorithm = keys::id_algorithm(cx, client);
    let key = match keys::client_key(client, algorithm)? {
        Some(key) => key,
        None => keys::signing_key(cx, algorithm).await?,
    };
    let now = cx.server.clock.now().unix_seconds();
    let id = cx.entropy().uuid();
    let claims = logout_token::claims(client, &notice.issuer, &notice.user, &notice.session, &id, now);
    jose::sign(&key, "logout+jwt", &claims)
        .map_err(|e| StoreError::Inconsistent(format!("a logout token could not be signed: {e}")))
}

async fn record_failure(cx: &Cx, client: &Client, notice: &LogoutNotice) -> Result<(), StoreError> {
    let mut failed = event::new(cx, EventKind::Logout).detail("reason", "backchannel_logout_not_taken");
    failed.error = Some("logout_failed".to_owned());
    failed.client_id = Some(client.client_id.to_string());
    failed.user_id = Some(notice.user.clone());
    failed.session_id = Some(notice.session.clone());
    event::record(cx, &failed).await
}
