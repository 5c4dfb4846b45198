//! What the sweeper reads and deletes, in bounded batches that several nodes may take at once.
//!
//! Candidates come oldest first from a coarse index. A batch locks its sessions and then their chains, skipping what is locked:
//! what is locked is in use. Whether a session has lapsed is said by the caller, on exact values that cannot change while they
//! are locked; so a session that is refreshed in the same instant is never deleted.

pub mod parts;
pub mod sessions;
pub mod short_lived;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind};

/// Where a pass over the candidates stands: the next batch begins behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    moment: time::OffsetDateTime,
    session: String,
}

/// Which candidates: of a kind and a realm, before a cut-off, behind a cursor, so many.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    pub kind: SessionKind,
    pub realm: &'a RealmId,
    pub cutoff: Timestamp,
    pub after: Option<&'a Cursor>,
    pub limit: i64,
}

/// A locked session, or a client's part in one, with the exact times that decide.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub session: SessionId,
    pub user_id: String,
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
    pub remember_me: bool,
}

struct Row {
    session_id: String,
    moment: time::OffsetDateTime,
}

/// The sessions of a batch, each once, and where the next one begins; none if the batch is empty.
fn cursor(rows: Vec<Row>) -> (Vec<SessionId>, Option<Cursor>) {
    let cursor = rows.last().map(|r| Cursor { moment: r.moment, session: r.session_id.clone() });
    let mut sessions: Vec<SessionId> = rows.into_iter().map(|r| SessionId::new(r.session_id)).collect();
    sessions.sort();
    sessions.dedup();
    (sessions, cursor)
}

/// The chains of sessions, or of one client's parts in them, that this transaction has locked and that live: they are candidates
/// no more before the time of the latest use has passed again. Without this a chain that is not used any more would be looked at
/// in every pass, for as long as another one keeps its session alive.
pub async fn put_off(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    client: Option<&ClientUuid>,
    (living, before): (&[(SessionId, Timestamp)], Timestamp),
) -> Result<(), StoreError> {
    if living.is_empty() {
        return Ok(());
    }
    let sessions: Vec<String> = living.iter().map(|(session, _)| session.to_string()).collect();
    let buckets: Vec<time::OffsetDateTime> = living.iter().map(|(_, bucket)| bucket.to_offset()).collect();
    sqlx::query!(
        "update chain c set last_refresh_bucket = l.bucket
         from unnest($3::text[], $4::timestamptz[]) as l (session_id, bucket)
         where c.kind = $1 and c.realm_id = $2 and c.session_id = l.session_id and ($5::text is null or c.client_uuid = $5)
           and c.last_refresh_bucket < $6 and c.last_refresh_bucket < l.bucket",
        kind.as_str(),
        realm.as_str(),
        &sessions,
        &buckets,
        client.map(ClientUuid::as_str),
        before.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}
