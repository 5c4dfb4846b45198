//! Ending many grants: locked first, looked at again under the lock, then removed.

use super::Place;
use crate::base::Timestamp;
use crate::model::{RealmId, SessionId, SessionKind};
use crate::store::client_session::{WhenEmpty, settle_empty};
use crate::store::{Db, StoreError};

/// Locks the sessions of these grants and then their chains, in the order that everybody locks them: nobody uses or joins them
/// until the transaction ends.
pub async fn lock_grants(db: &mut Db<'_>, kind: SessionKind, realm: &RealmId, grants: &[Place]) -> Result<(), StoreError> {
    let sessions: Vec<String> = grants.iter().map(|(session, _)| session.clone()).collect();
    let clients: Vec<String> = grants.iter().map(|(_, client)| client.clone()).collect();
    sqlx::query!(
        "select session_id from session where kind = $3 and realm_id = $1 and session_id = any($2)
         order by session_id for update",
        realm.as_str(),
        &sessions,
        kind.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    sqlx::query!(
        "select session_id from chain where kind = $4 and realm_id = $1 and session_id = any($2) and client_uuid = any($3)
         order by session_id, client_uuid, chain_id for update",
        realm.as_str(),
        &sessions,
        &clients,
        kind.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(())
}

/// Removes grants that this transaction has locked; a session goes along with its last one. How many there were.
pub async fn remove_grants(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    (grants, now): (&[Place], Timestamp),
) -> Result<u64, StoreError> {
    let sessions: Vec<String> = grants.iter().map(|(session, _)| session.clone()).collect();
    let clients: Vec<String> = grants.iter().map(|(_, client)| client.clone()).collect();
    let done = sqlx::query!(
        "delete from client_session p using unnest($2::text[], $3::text[]) as g (session_id, client_uuid)
         where p.kind = $4 and p.realm_id = $1 and p.session_id = g.session_id and p.client_uuid = g.client_uuid",
        realm.as_str(),
        &sessions,
        &clients,
        kind.as_str(),
    );
    let removed = done.execute(db.raw()).await?.rows_affected();
    let sessions: Vec<SessionId> = sessions.into_iter().map(SessionId::new).collect();
    settle_empty(db, kind, realm, &sessions, (WhenEmpty::End, now)).await?;
    Ok(removed)
}
