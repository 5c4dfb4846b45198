//! Parts that have lapsed by the limits of their client, which may be shorter than those of the session. The session stays.

use super::{Batch, Candidate, Cursor, Row, cursor};
use crate::base::Timestamp;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind};
use crate::store::{Db, StoreError};

/// What makes a client's part a candidate, each by an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartsBy {
    /// A chain whose coarse last use is before the cut-off.
    Idle,
    /// It began before the cut-off.
    Start,
}

/// The next candidates of a client, oldest first; no cursor where there are no more.
pub async fn next(
    db: &mut Db<'_>,
    by: PartsBy,
    client: &ClientUuid,
    batch: Batch<'_>,
) -> Result<(Vec<SessionId>, Option<Cursor>), StoreError> {
    macro_rules! page {
        ($text:literal) => {
            sqlx::query_as!(
                Row,
                $text,
                batch.kind.as_str(),
                batch.realm.as_str(),
                client.as_str(),
                batch.cutoff.to_offset(),
                batch.after.map(|c| c.moment),
                batch.after.map_or("", |c| c.session.as_str()),
                batch.limit,
            )
            .fetch_all(db.raw())
            .await?
        };
    }
    let rows = match by {
        PartsBy::Idle => page!(
            r#"select c.session_id, c.last_refresh_bucket as "moment!" from chain c
               where c.kind = $1 and c.realm_id = $2 and c.client_uuid = $3 and c.last_refresh_bucket < $4
                 and ($5::timestamptz is null or (c.last_refresh_bucket, c.session_id) > ($5, $6))
               order by c.last_refresh_bucket, c.session_id limit $7"#
        ),
        PartsBy::Start => page!(
            r#"select p.session_id, p.started_at as "moment!" from client_session p
               where p.kind = $1 and p.realm_id = $2 and p.client_uuid = $3 and p.started_at < $4
                 and ($5::timestamptz is null or (p.started_at, p.session_id) > ($5, $6))
               order by p.started_at, p.session_id limit $7"#
        ),
    };
    Ok(cursor(rows))
}

/// Locks the client's parts in those of the sessions that nobody uses at this moment, and reads their exact times.
pub async fn lock(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    client: &ClientUuid,
    sessions: &[SessionId],
) -> Result<Vec<Candidate>, StoreError> {
    let ids: Vec<String> = sessions.iter().map(|s| s.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "select s.session_id, s.user_id, s.remember_me, p.started_at from session s
         join client_session p on p.kind = s.kind and p.realm_id = s.realm_id and p.session_id = s.session_id
         where s.kind = $1 and s.realm_id = $2 and s.session_id = any($3) and p.client_uuid = $4
         order by s.session_id for update of s skip locked",
        kind.as_str(),
        realm.as_str(),
        &ids,
        client.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let locked: Vec<String> = rows.iter().map(|r| r.session_id.clone()).collect();
    let chains = sqlx::query!(
        "select session_id, last_refresh_at from chain
         where kind = $1 and realm_id = $2 and session_id = any($3) and client_uuid = $4
         order by session_id, chain_id for update skip locked",
        kind.as_str(),
        realm.as_str(),
        &locked,
        client.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let there = sqlx::query!(
        r#"select session_id, count(*) as "chains!" from chain
           where kind = $1 and realm_id = $2 and session_id = any($3) and client_uuid = $4 group by session_id"#,
        kind.as_str(),
        realm.as_str(),
        &locked,
        client.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let free = rows.iter().filter(|r| {
        let all = there.iter().find(|t| t.session_id == r.session_id).map_or(0, |t| t.chains);
        let locked = chains.iter().filter(|c| c.session_id == r.session_id).count();
        i64::try_from(locked).is_ok_and(|locked| locked >= all)
    });
    let latest = |session: &str| chains.iter().filter(|c| c.session_id == session).map(|c| c.last_refresh_at).max();
    let candidates = free.map(|r| Candidate {
        session: SessionId::new(r.session_id.as_str()),
        user_id: r.user_id.clone(),
        started_at: Timestamp::from_offset(r.started_at),
        last_used_at: Timestamp::from_offset(latest(&r.session_id).unwrap_or(r.started_at)),
        remember_me: r.remember_me,
    });
    Ok(candidates.collect())
}

/// Deletes a client's parts in sessions that this transaction has locked. A session that has lost its last part is noted as
/// empty; its idle time goes on.
pub async fn delete(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    client: &ClientUuid,
    (sessions, now): (&[SessionId], Timestamp),
) -> Result<u64, StoreError> {
    let ids: Vec<String> = sessions.iter().map(|s| s.as_str().to_owned()).collect();
    let done = sqlx::query!(
        "delete from client_session where kind = $1 and realm_id = $2 and session_id = any($3) and client_uuid = $4",
        kind.as_str(),
        realm.as_str(),
        &ids,
        client.as_str(),
    );
    let deleted = done.execute(db.raw()).await?.rows_affected();
    sqlx::query!(
        "update session s set empty_since = $4 where s.kind = $1 and s.realm_id = $2 and s.session_id = any($3)
           and not exists (select from client_session p where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id)",
        kind.as_str(),
        realm.as_str(),
        &ids,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(deleted)
}
