//! Sessions of one kind in one realm that have lapsed as a whole.

use std::collections::HashSet;
use std::time::Duration;

use super::{Pass, Reason, parts};
use crate::base::Timestamp;
use crate::model::SessionId;
use crate::oidc::rotation::bucket_span;
use crate::oidc::session_limits::{self, Limits, Usage};
use crate::store::StoreError;
use crate::store::sweep::sessions::{self, By};
use crate::store::sweep::{Batch, Candidate, put_off};

/// Removes them; how many there were.
pub(super) async fn sweep(pass: &mut Pass<'_>) -> Result<u64, StoreError> {
    let mut found = HashSet::new();
    // A bucket stands for the uses within its span: none before it has lapsed to its end.
    let shortest = limits(pass, false).idle;
    by(pass, By::Idle, pass.judged_at() - shortest - bucket_span(shortest), &mut found).await?;
    for remembered in [false, true] {
        let limits = limits(pass, remembered);
        if let Some(max) = limits.max {
            by(pass, By::Start { remembered }, pass.judged_at() - max, &mut found).await?;
        }
        by(pass, By::Empty { remembered }, pass.judged_at() - limits.idle, &mut found).await?;
    }
    Ok(found.len() as u64)
}

/// How much longer a remembered session lives than candidates are looked for by: chains do not say whether their sign-in is
/// remembered, and it is not looked at all the time until then. None where a client's part, found by the same buckets, may be over
/// sooner.
pub(super) fn spare(pass: &Pass<'_>) -> Duration {
    if parts::any_is_stricter(pass) { Duration::ZERO } else { limits(pass, true).idle - limits(pass, false).idle }
}

fn limits(pass: &Pass<'_>, remember_me: bool) -> Limits {
    session_limits::of_session(&pass.realm.snapshot.realm.settings, pass.kind, remember_me)
}

/// Batch after batch, each behind the last: what is skipped or still lives does not stand in the way of the rest. One session may
/// be found in two ways.
async fn by(pass: &mut Pass<'_>, by: By, cutoff: Timestamp, found: &mut HashSet<SessionId>) -> Result<(), StoreError> {
    let mut cursor = None;
    loop {
        let realm = &pass.realm.snapshot.realm.id;
        let batch = Batch { kind: pass.kind, realm, cutoff, after: cursor.as_ref(), limit: i64::from(pass.rules.batch) };
        let (ids, next) = sessions::next(&mut pass.server.store.db().await?, by, batch).await?;
        if next.is_none() {
            return Ok(());
        }
        let lapsed = remove(pass, &ids, cutoff).await?;
        pass.note(lapsed.iter().map(|(_, lapsed_at)| *lapsed_at));
        found.extend(lapsed.into_iter().map(|(session, _)| session));
        cursor = next;
    }
}

/// One transaction: locks, decides on exact values, deletes. What went, and when it had lapsed.
async fn remove(pass: &Pass<'_>, ids: &[SessionId], cutoff: Timestamp) -> Result<Vec<(SessionId, Timestamp)>, StoreError> {
    let realm = &pass.realm.snapshot.realm.id;
    let removed = pass.server.store.in_tx(async |db| {
        let candidates = sessions::lock(db, pass.kind, realm, ids).await?;
        let lapsed: Vec<_> = candidates.iter().filter_map(|c| judge(pass, c).map(|verdict| (c, verdict))).collect();
        let gone: Vec<SessionId> = lapsed.iter().map(|(c, _)| c.session.clone()).collect();
        if !pass.rules.dry_run {
            for (candidate, (_, reason)) in &lapsed {
                pass.record(db, candidate, None, *reason).await?;
            }
            sessions::delete(db, pass.kind, realm, &gone).await?;
            let living = Pass::living(&candidates, &gone, limits(pass, false).idle, pass.spare);
            put_off(db, pass.kind, realm, None, (&living, cutoff)).await?;
        }
        Ok(lapsed.iter().map(|(c, (lapsed_at, _))| (c.session.clone(), *lapsed_at)).collect())
    });
    removed.await
}

/// When it lapsed and by what; none if it lives.
fn judge(pass: &Pass<'_>, candidate: &Candidate) -> Option<(Timestamp, Reason)> {
    let usage = Usage { started_at: candidate.started_at, last_used_at: candidate.last_used_at };
    let (lapsed_at, lapse) = limits(pass, candidate.remember_me).lapses_at(usage);
    (lapsed_at <= pass.judged_at()).then(|| (lapsed_at, Reason::of_session(lapse)))
}
