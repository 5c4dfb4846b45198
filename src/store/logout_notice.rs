//! The outbox of back-channel logout.
//!
//! A notice is tried by whoever has claimed it: a claim moves its due time into the future, so that no two nodes send it at once
//! and one whose node died comes up again.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::logout_notice::LogoutNotice;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind, UserId};

/// Which sessions end.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    One(&'a SessionId),
    OfUser { user: &'a UserId, except: Option<&'a SessionId> },
}

/// A client's part in a session that ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndingPart {
    pub session: SessionId,
    pub client: ClientUuid,
    pub user: UserId,
}

/// Locks the sessions that are about to end, so that nobody joins them any more, and lists the parts of these clients in them.
pub async fn lock_parts(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    ending: Ending<'_>,
    clients: &[ClientUuid],
) -> Result<Vec<EndingPart>, StoreError> {
    let sessions = match ending {
        Ending::One(session) => {
            sqlx::query_scalar!(
                "select session_id from session where kind = $1 and realm_id = $2 and session_id = $3 for update",
                kind.as_str(),
                realm.as_str(),
                session.as_str(),
            )
            .fetch_all(db.raw())
            .await?
        }
        Ending::OfUser { user, except } => {
            sqlx::query_scalar!(
                "select session_id from session
                 where kind = $1 and realm_id = $2 and user_id = $3 and ($4::text is null or session_id <> $4)
                 order by session_id for update",
                kind.as_str(),
                realm.as_str(),
                user.as_str(),
                except.map(SessionId::as_str),
            )
            .fetch_all(db.raw())
            .await?
        }
    };
    let clients: Vec<String> = clients.iter().map(ToString::to_string).collect();
    // A statement of its own: it sees what joined while the lock was waited for.
    let rows = sqlx::query!(
        "select p.session_id, p.client_uuid, s.user_id from client_session p
         join session s on s.kind = p.kind and s.realm_id = p.realm_id and s.session_id = p.session_id
         where p.kind = $1 and p.realm_id = $2 and p.session_id = any($3) and p.client_uuid = any($4)",
        kind.as_str(),
        realm.as_str(),
        &sessions,
        &clients,
    )
    .fetch_all(db.raw())
    .await?;
    let parts = rows.into_iter().map(|r| EndingPart {
        session: SessionId::new(r.session_id),
        client: ClientUuid::new(r.client_uuid),
        user: UserId::new(r.user_id),
    });
    Ok(parts.collect())
}

/// Writes notices of one realm down, to be claimed from `due` on; until then who wrote them makes the first attempt.
pub async fn insert_notices(
    db: &mut Db<'_>,
    realm: &RealmId,
    notices: &[LogoutNotice],
    due: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    let column = |value: fn(&LogoutNotice) -> String| notices.iter().map(value).collect::<Vec<String>>();
    sqlx::query!(
        "insert into logout_notice (realm_id, notice_id, client_uuid, session_id, user_id, issuer, attempts, due_at, created_at)
         select $1, n.id, n.client, n.session, n.user_id, n.issuer, 1, $7, $8
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as n (id, client, session, user_id, issuer)",
        realm.as_str(),
        &column(|n| n.id.clone()),
        &column(|n| n.client.to_string()),
        &column(|n| n.session.to_string()),
        &column(|n| n.user.to_string()),
        &column(|n| n.issuer.clone()),
        due.to_offset(),
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// A notice of a realm of this name that is due.
#[derive(Clone, Debug)]
pub struct DueNotice {
    pub realm_name: String,
    pub notice: LogoutNotice,
}

/// Takes up to `limit` notices that are due, of all realms, and keeps others off them until `until`.
pub async fn claim_due(db: &mut Db<'_>, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<DueNotice>, StoreError> {
    let rows = sqlx::query!(
        "with due as (
           select n.realm_id, n.notice_id from logout_notice n where n.due_at <= $1 order by n.due_at limit $3
           for update skip locked)
         update logout_notice n set due_at = $2, attempts = n.attempts + 1 from due d, realm r
         where n.realm_id = d.realm_id and n.notice_id = d.notice_id and r.realm_id = n.realm_id
         returning n.realm_id, r.name, n.notice_id, n.client_uuid, n.session_id, n.user_id, n.issuer, n.attempts",
        now.to_offset(),
        until.to_offset(),
        limit,
    )
    .fetch_all(db.raw())
    .await?;
    let due = rows.into_iter().map(|r| DueNotice {
        realm_name: r.name,
        notice: LogoutNotice {
            realm: RealmId::new(r.realm_id),
            id: r.notice_id,
            client: ClientUuid::new(r.client_uuid),
            session: SessionId::new(r.session_id),
            user: UserId::new(r.user_id),
            issuer: r.issuer,
            attempts: r.attempts,
        },
    });
    Ok(due.collect())
}

/// The client has not taken it: it is tried again at `due`.
pub async fn postpone(db: &mut Db<'_>, realm: &RealmId, id: &str, due: Timestamp) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update logout_notice set due_at = $3 where realm_id = $1 and notice_id = $2",
        realm.as_str(),
        id,
        due.to_offset(),
    );
    done.execute(db.raw()).await?;
    Ok(())
}

/// The client has taken it, or never will.
pub async fn delete_notice(db: &mut Db<'_>, realm: &RealmId, id: &str) -> Result<(), StoreError> {
    let done = sqlx::query!("delete from logout_notice where realm_id = $1 and notice_id = $2", realm.as_str(), id);
    done.execute(db.raw()).await?;
    Ok(())
}
