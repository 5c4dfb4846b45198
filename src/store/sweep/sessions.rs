//! Lapsed sessions: candidates, oldest first; then locked, with the exact times that decide; then deleted.

use super::{Batch, Candidate, Cursor, Row, cursor};
use crate::base::Timestamp;
use crate::model::{RealmId, SessionId, SessionKind};
use crate::store::{Db, StoreError};

/// What makes a session a candidate, each by an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A chain whose coarse last use is before the cut-off.
    Idle,
    /// It began before the cut-off, in a sign-in that is remembered or not.
    Start { remembered: bool },
    /// It has had no part since before the cut-off.
    Empty { remembered: bool },
}

/// The next candidates, oldest first; no cursor where there are no more.
pub async fn next(db: &mut Db<'_>, by: By, batch: Batch<'_>) -> Result<(Vec<SessionId>, Option<Cursor>), StoreError> {
    macro_rules! page {
        ($text:literal $(, $more:expr)?) => {
            sqlx::query_as!(
                Row,
                $text,
                batch.kind.as_str(),
                batch.realm.as_str(),
                batch.cutoff.to_offset(),
                batch.after.map(|c| c.moment),
                batch.after.map_or("", |c| c.session.as_str()),
                batch.limit,
                $($more)?
            )
            .fetch_all(db.raw())
            .await?
        };
    }
    let rows = match by {
        By::Idle => page!(
            r#"select c.session_id, c.last_refresh_bucket as "moment!" from chain c
               where c.kind = $1 and c.realm_id = $2 and c.last_refresh_bucket < $3
                 and ($4::timestamptz is null or (c.last_refresh_bucket, c.session_id) > ($4, $5))
               order by c.last_refresh_bucket, c.session_id limit $6"#
        ),
        By::Start { remembered } => page!(
            r#"select s.session_id, s.started_at as "moment!" from session s
               where s.kind = $1 and s.realm_id = $2 and s.remember_me = $7 and s.started_at < $3
                 and ($4::timestamptz is null or (s.started_at, s.session_id) > ($4, $5))
               order by s.started_at, s.session_id limit $6"#,
            remembered
        ),
        By::Empty { remembered } => page!(
            r#"select s.session_id, s.empty_since as "moment!" from session s
               where s.kind = $1 and s.realm_id = $2 and s.remember_me = $7 and s.empty_since < $3
                 and ($4::timestamptz is null or (s.empty_since, s.session_id) > ($4, $5))
               order by s.empty_since, s.session_id limit $6"#,
            remembered
        ),
    };
    Ok(cursor(rows))
}

/// Locks those of the sessions that nobody uses at this moment, with all their chains, and reads their exact times.
pub async fn lock(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    sessions: &[SessionId],
) -> Result<Vec<Candidate>, StoreError> {
    let ids: Vec<String> = sessions.iter().map(|s| s.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "select session_id, user_id, started_at, last_grant_at, remember_me from session
         where kind = $1 and realm_id = $2 and session_id = any($3) order by session_id for update skip locked",
        kind.as_str(),
        realm.as_str(),
        &ids,
    )
    .fetch_all(db.raw())
    .await?;
    let locked: Vec<String> = rows.iter().map(|r| r.session_id.clone()).collect();
    let chains = sqlx::query!(
        "select session_id, last_refresh_at from chain
         where kind = $1 and realm_id = $2 and session_id = any($3) order by session_id, client_uuid, chain_id
         for update skip locked",
        kind.as_str(),
        realm.as_str(),
        &locked,
    )
    .fetch_all(db.raw())
    .await?;
    let in_use = sessions_in_use(db, kind, realm, &locked, chains.iter().map(|c| c.session_id.as_str())).await?;
    let latest = |session: &str| chains.iter().filter(|c| c.session_id == session).map(|c| c.last_refresh_at).max();
    Ok(rows
        .into_iter()
        .filter(|r| !in_use.contains(&r.session_id))
        .map(|r| Candidate {
            last_used_at: Timestamp::from_offset(latest(&r.session_id).map_or(r.last_grant_at, |at| at.max(r.last_grant_at))),
            session: SessionId::new(r.session_id),
            user_id: r.user_id,
            started_at: Timestamp::from_offset(r.started_at),
            remember_me: r.remember_me,
        })
        .collect())
}

/// Sessions of which a chain was skipped, because a refresh holds it.
async fn sessions_in_use<'c>(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    sessions: &[String],
    locked: impl Iterator<Item = &'c str>,
) -> Result<Vec<String>, StoreError> {
    let mut counts = std::collections::HashMap::<&str, i64>::new();
    for session in locked {
        *counts.entry(session).or_default() += 1;
    }
    let rows = sqlx::query!(
        r#"select session_id, count(*) as "chains!" from chain
           where kind = $1 and realm_id = $2 and session_id = any($3) group by session_id"#,
        kind.as_str(),
        realm.as_str(),
        sessions,
    )
    .fetch_all(db.raw())
    .await?;
    let skipped = rows.into_iter().filter(|r| counts.get(r.session_id.as_str()).copied().unwrap_or(0) < r.chains);
    Ok(skipped.map(|r| r.session_id).collect())
}

/// Deletes sessions that this transaction has locked.
pub async fn delete(db: &mut Db<'_>, kind: SessionKind, realm: &RealmId, sessions: &[SessionId]) -> Result<u64, StoreError> {
    let ids: Vec<String> = sessions.iter().map(|s| s.as_str().to_owned()).collect();
    let done = sqlx::query!(
        "delete from session where kind = $1 and realm_id = $2 and session_id = any($3)",
        kind.as_str(),
        realm.as_str(),
        &ids,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}
