//! The parts that clients have in sessions: taken away by reuse, revocation, replayed codes and withdrawn consents.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::ClientSessionDetails;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind, UserId};

/// What becomes of a session that loses its last part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenEmpty {
    /// It stays, and lapses like others.
    Keep,
    /// It goes along.
    End,
}

/// Takes a client's part out of a session, with all its chains; false if there was none. Call it within a transaction.
pub async fn detach(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
    client: &ClientUuid,
    rule: (WhenEmpty, Timestamp),
) -> Result<bool, StoreError> {
    lock_session(db, kind, realm, session).await?;
    let done = sqlx::query!(
        "delete from client_session where kind = $1 and realm_id = $2 and session_id = $3 and client_uuid = $4",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        client.as_str(),
    );
    let detached = done.execute(db.raw()).await?.rows_affected() == 1;
    if detached {
        settle_empty(db, kind, realm, std::slice::from_ref(session), rule).await?;
    }
    Ok(detached)
}

/// Notes that a client took part in an online session, whose refresh token it has not got: it asked for an offline one.
pub async fn attach(
    db: &mut Db<'_>,
    realm: &RealmId,
    session: &SessionId,
    client: &ClientUuid,
    details: &ClientSessionDetails,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with there as (
           update session set empty_since = null, last_grant_at = greatest(last_grant_at, $5)
           where kind = 'online' and realm_id = $1 and session_id = $2 returning kind, realm_id, session_id)
         insert into client_session (kind, realm_id, session_id, client_uuid, started_at, details)
         select kind, realm_id, session_id, $3, $5, $4 from there
         on conflict (kind, realm_id, session_id, client_uuid) do update set details = excluded.details",
        realm.as_str(),
        session.as_str(),
        client.as_str(),
        Json(details) as _,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Takes a client's part out of every session of a kind that a user has; how many there were.
pub async fn detach_from_all(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    user: &UserId,
    client: &ClientUuid,
    rule: (WhenEmpty, Timestamp),
) -> Result<usize, StoreError> {
    let rows = sqlx::query!(
        r#"with locked as (
             select s.session_id from session s
             where s.kind = $1 and s.realm_id = $2 and s.user_id = $3
               and exists (select from client_session p where p.kind = $1 and p.realm_id = $2
                             and p.session_id = s.session_id and p.client_uuid = $4)
             order by s.session_id for update)
           delete from client_session p using locked l
           where p.kind = $1 and p.realm_id = $2 and p.session_id = l.session_id and p.client_uuid = $4
           returning p.session_id"#,
        kind.as_str(),
        realm.as_str(),
        user.as_str(),
        client.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let sessions: Vec<SessionId> = rows.into_iter().map(|r| SessionId::new(r.session_id)).collect();
    settle_empty(db, kind, realm, &sessions, rule).await?;
    Ok(sessions.len())
}

/// Locks the session before its parts, as everything that deletes does; false if it is over.
pub async fn lock_session(db: &mut Db<'_>, kind: SessionKind, realm: &RealmId, session: &SessionId) -> Result<bool, StoreError> {
    let locked = sqlx::query!(
        "select session_id from session where kind = $1 and realm_id = $2 and session_id = $3 for update",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
    );
    Ok(locked.fetch_optional(db.raw()).await?.is_some())
}

/// The same for a session of this user: another's is not locked.
pub async fn lock_session_of(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
    user: &UserId,
) -> Result<bool, StoreError> {
    let locked = sqlx::query!(
        "select session_id from session where kind = $1 and realm_id = $2 and session_id = $3 and user_id = $4 for update",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        user.as_str(),
    );
    Ok(locked.fetch_optional(db.raw()).await?.is_some())
}

/// Ends the sessions that have no part left, or notes since when they have none.
pub async fn settle_empty(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    sessions: &[SessionId],
    (rule, now): (WhenEmpty, Timestamp),
) -> Result<(), StoreError> {
    let ids: Vec<String> = sessions.iter().map(|s| s.as_str().to_owned()).collect();
    match rule {
        WhenEmpty::End => sqlx::query!(
            "delete from session s where s.kind = $1 and s.realm_id = $2 and s.session_id = any($3)
               and not exists (select from client_session p where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id)",
            kind.as_str(),
            realm.as_str(),
            &ids,
        )
        .execute(db.raw())
        .await?,
        WhenEmpty::Keep => sqlx::query!(
            "update session s set empty_since = $4, last_grant_at = greatest(s.last_grant_at, $4)
             where s.kind = $1 and s.realm_id = $2 and s.session_id = any($3)
               and not exists (select from client_session p where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id)",
            kind.as_str(),
            realm.as_str(),
            &ids,
            now.to_offset(),
        )
        .execute(db.raw())
        .await?,
    };
    Ok(())
}

/// Takes the parts of a client out of the next sessions of a kind, in the order of their ids. Answers with the last that was looked
/// at, whether or not it was gone by then; none if there are no more. As many as one statement takes in a moment: a client may have
/// millions. Sessions that have no other part are noted as empty.
pub async fn detach_next(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    (client, after): (&ClientUuid, Option<&SessionId>),
    now: Timestamp,
) -> Result<Option<SessionId>, StoreError> {
    // The bounds keep every plan to these few sessions, whatever it believes of the number of others.
    let row = sqlx::query!(
        r#"with seen as materialized (
             select session_id from client_session
             where kind = $1 and realm_id = $2 and client_uuid = $3 and session_id > $4 order by session_id limit 500),
           locked as materialized (
             select session_id from session
             where kind = $1 and realm_id = $2 and session_id > $4 and session_id <= (select max(session_id) from seen)
               and session_id = any(array(select session_id from seen))
             order by session_id for update),
           gone as (
             delete from client_session
             where kind = $1 and realm_id = $2 and client_uuid = $3 and session_id > $4
               and session_id <= (select max(session_id) from locked) and session_id = any(array(select session_id from locked))
             returning session_id)
           select (select max(session_id) from seen) as last, array(select session_id from gone) as "gone!""#,
        kind.as_str(),
        realm.as_str(),
        client.as_str(),
        after.map_or("", SessionId::as_str),
    )
    .fetch_one(db.raw())
    .await?;
    let gone: Vec<SessionId> = row.gone.into_iter().map(SessionId::new).collect();
    settle_empty(db, kind, realm, &gone, (WhenEmpty::Keep, now)).await?;
    Ok(row.last.map(SessionId::new))
}

/// Within the transaction that deletes a client: its codes go, then its last parts, in the order in which an exchange locks them.
pub async fn detach_client(db: &mut Db<'_>, realm: &RealmId, client: &ClientUuid, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query!("delete from authorization_code where realm_id = $1 and client_uuid = $2", realm.as_str(), client.as_str())
        .execute(db.raw())
        .await?;
    for kind in [SessionKind::Online, SessionKind::Offline] {
        let mut last = None;
        loop {
            last = detach_next(db, kind, realm, (client, last.as_ref()), now).await?;
            if last.is_none() {
                break;
            }
        }
    }
    Ok(())
}
