//! Parts of clients whose own limits, or those of the realm for clients, are shorter than the session's. The session stays.

use std::time::Duration;

use super::{Pass, Reason};
use crate::base::Timestamp;
use crate::model::{Client, SessionId};
use crate::oidc::rotation::bucket_span;
use crate::oidc::session_limits::{self, Limits, Usage};
use crate::store::sweep::parts::{self, PartsBy};
use crate::store::sweep::{Batch, Candidate, put_off};
use crate::store::{self, StoreError};

/// Removes them; how many there were.
pub(super) async fn sweep(pass: &mut Pass<'_>) -> Result<u64, StoreError> {
    let snapshot = &pass.realm.snapshot;
    if !any_is_stricter(pass) {
        return Ok(0);
    }
    let mut db = pass.server.store.db().await?;
    let with_parts = store::session_list::clients_with_parts(&mut db, pass.kind, &snapshot.realm.id).await?;
    drop(db);
    let mut removed = 0;
    for client in with_parts.iter().filter_map(|uuid| snapshot.clients.get(uuid)) {
        if is_stricter(pass, client) {
            removed += of_client(pass, client).await?;
        }
    }
    Ok(removed)
}

fn limits(pass: &Pass<'_>, client: &Client, remember_me: bool) -> Limits {
    session_limits::of_client(&pass.realm.snapshot.realm.settings, client, pass.kind, remember_me)
}

/// Whether there is a client whose parts may be over while their sessions are not.
pub(super) fn any_is_stricter(pass: &Pass<'_>) -> bool {
    pass.realm.snapshot.clients.values().any(|client| is_stricter(pass, client))
}

/// Whether a part of the client may be over while its session is not.
fn is_stricter(pass: &Pass<'_>, client: &Client) -> bool {
    [false, true].into_iter().any(|remember_me| {
        let session = session_limits::of_session(&pass.realm.snapshot.realm.settings, pass.kind, remember_me);
        let part = limits(pass, client, remember_me);
        part.idle < session.idle || part.max.is_some_and(|max| session.max.is_none_or(|of_session| max < of_session))
    })
}

fn shortest_idle(pass: &Pass<'_>, client: &Client) -> Duration {
    limits(pass, client, false).idle.min(limits(pass, client, true).idle)
}

async fn of_client(pass: &mut Pass<'_>, client: &Client) -> Result<u64, StoreError> {
    let (plain, remembered) = (limits(pass, client, false), limits(pass, client, true));
    let shortest = shortest_idle(pass, client);
    let mut removed = by(pass, PartsBy::Idle, client, pass.judged_at() - shortest - bucket_span(shortest)).await?;
    if let (Some(plain), Some(remembered)) = (plain.max, remembered.max) {
        removed += by(pass, PartsBy::Start, client, pass.judged_at() - plain.min(remembered)).await?;
    }
    Ok(removed)
}

async fn by(pass: &mut Pass<'_>, by: PartsBy, client: &Client, cutoff: Timestamp) -> Result<u64, StoreError> {
    let (mut cursor, mut removed) = (None, 0);
    loop {
        let realm = &pass.realm.snapshot.realm.id;
        let batch = Batch { kind: pass.kind, realm, cutoff, after: cursor.as_ref(), limit: i64::from(pass.rules.batch) };
        let (ids, next) = parts::next(&mut pass.server.store.db().await?, by, &client.uuid, batch).await?;
        if next.is_none() {
            return Ok(removed);
        }
        let lapsed = remove(pass, client, &ids, cutoff).await?;
        removed += lapsed.len() as u64;
        pass.note(lapsed.into_iter());
        cursor = next;
    }
}

/// One transaction: locks, decides on exact values, deletes. When each that went had lapsed.
async fn remove(pass: &Pass<'_>, client: &Client, ids: &[SessionId], cutoff: Timestamp) -> Result<Vec<Timestamp>, StoreError> {
    let realm = &pass.realm.snapshot.realm.id;
    let removed = pass.server.store.in_tx(async |db| {
        let candidates = parts::lock(db, pass.kind, realm, &client.uuid, ids).await?;
        let lapsed: Vec<_> = candidates.iter().filter_map(|c| judge(pass, client, c).map(|verdict| (c, verdict))).collect();
        let gone: Vec<SessionId> = lapsed.iter().map(|(c, _)| c.session.clone()).collect();
        if !pass.rules.dry_run {
            for (candidate, (_, reason)) in &lapsed {
                pass.record(db, candidate, Some(client), *reason).await?;
            }
            parts::delete(db, pass.kind, realm, &client.uuid, (&gone, pass.now)).await?;
            let living = Pass::living(&candidates, &gone, shortest_idle(pass, client), Duration::ZERO);
            put_off(db, pass.kind, realm, Some(&client.uuid), (&living, cutoff)).await?;
        }
        Ok(lapsed.iter().map(|(_, (lapsed_at, _))| *lapsed_at).collect())
    });
    removed.await
}

fn judge(pass: &Pass<'_>, client: &Client, candidate: &Candidate) -> Option<(Timestamp, Reason)> {
    let usage = Usage { started_at: candidate.started_at, last_used_at: candidate.last_used_at };
    let (lapsed_at, lapse) = limits(pass, client, candidate.remember_me).lapses_at(usage);
    (lapsed_at <= pass.judged_at()).then(|| (lapsed_at, Reason::of_client(lapse)))
}
