//! Chains as rows: where one stands, whether it is there, and the end of those beyond so many.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::ChainState;
use crate::model::{ChainId, ClientUuid, RealmId, SessionId, SessionKind, TokenId};

/// Ends the chains of a part beyond so many: those unused longest. One that is used in this moment stays, and so does `newest`.
pub async fn end_surplus(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    (session, client, newest): (&SessionId, &ClientUuid, &ChainId),
    keep: i64,
) -> Result<Vec<ChainId>, StoreError> {
    let rows = sqlx::query!(
        "with surplus as materialized (
           select chain_id, last_refresh_at from chain
           where kind = $1 and realm_id = $2 and session_id = $3 and client_uuid = $4 and chain_id <> $6
           order by last_refresh_at desc, rotated_at desc, chain_id offset $5)
         delete from chain c using surplus s
         where c.kind = $1 and c.realm_id = $2 and c.session_id = $3 and c.client_uuid = $4 and c.chain_id = s.chain_id
           and c.last_refresh_at = s.last_refresh_at
         returning c.chain_id",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        client.as_str(),
        keep - 1,
        newest.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(|r| ChainId::new(r.chain_id)).collect())
}

/// Where a chain stands.
pub async fn find(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
    client: &ClientUuid,
    chain: &ChainId,
) -> Result<Option<ChainState>, StoreError> {
    let row = sqlx::query!(
        "select generation, current_jti, previous_jti, rotated_at, replays, late_replay_at from chain
         where kind = $1 and realm_id = $2 and session_id = $3 and client_uuid = $4 and chain_id = $5",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        client.as_str(),
        chain.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| ChainState {
        generation: r.generation,
        current: r.current_jti.map(TokenId::new),
        previous: r.previous_jti.map(TokenId::new),
        rotated_at: Timestamp::from_offset(r.rotated_at),
        replays: r.replays,
        late_replay_at: r.late_replay_at.map(Timestamp::from_offset),
    }))
}

/// Whether the part has this chain: a token of an unknown chain is stale, and nothing is revoked for it.
pub async fn exists(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
    client: &ClientUuid,
    chain: &ChainId,
) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select exists (select from chain where kind = $1 and realm_id = $2 and session_id = $3 and client_uuid = $4
             and chain_id = $5) as "found!""#,
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        client.as_str(),
        chain.as_str(),
    );
    Ok(found.fetch_one(db.raw()).await?)
}
