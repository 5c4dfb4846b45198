//! Sessions: opened by a grant, ended by logout, revocation and administrators.
//!
//! Locks are taken in one order: session, part, chain. A refresh locks its chain alone and waits for nothing else.

use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::{ClientSessionDetails, Session};
use crate::model::{ChainId, ClientUuid, KeyId, RealmId, SessionId, SessionKind, TokenId, UserId};

/// Everything that a grant writes: the session if it is not there yet, the client's part, and the chain of its refresh token.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    pub kind: SessionKind,
    pub session: &'a Session,
    pub client: &'a ClientUuid,
    pub details: &'a ClientSessionDetails,
    pub chain: &'a ChainId,
    /// The refresh token that the grant answers; none while rotation is off, where any token of the chain works.
    pub current: Option<&'a TokenId>,
    pub key_id: &'a KeyId,
    pub bucket: Timestamp,
    /// A session or part that began at or before these is over and begins anew.
    pub session_max_cutoff: Timestamp,
    pub part_max_cutoff: Timestamp,
}

/// The versions of realm and user that a decision was taken on.
#[derive(Clone, Copy, Debug)]
pub struct DecidedOn<'a> {
    pub realm: &'a RealmId,
    pub realm_version: i64,
    pub user: &'a UserId,
    pub user_version: i64,
}

/// What a grant found or made.
#[derive(Clone, Debug)]
pub struct Opened {
    pub generation: i64,
    /// How many chains the client had in the session before.
    pub chains_before: i64,
    pub session_started_at: Timestamp,
    pub part_started_at: Timestamp,
    pub details: ClientSessionDetails,
}

/// Opens a session, or a client's part in one, with one statement. `None`: realm or user have changed since they were read.
///
/// The user's row is held until the end: whoever takes something away from the user waits, and then sees what was opened here.
///
/// A part that is there is kept: an offline one as it is but for the scopes, an online one with the details of the new login.
pub async fn open(db: &mut Db<'_>, on: DecidedOn<'_>, opening: &Opening<'_>) -> Result<Option<Opened>, StoreError> {
    let Opening { session, .. } = opening;
    let row = sqlx::query!(
        r#"with fresh as (
             select r.realm_id, u.user_id from realm r join user_account u on u.realm_id = r.realm_id
             where r.realm_id = $2 and r.version = $3 and u.user_id = $4 and u.version = $5 for share of u),
           opened as (
             insert into session (kind, realm_id, session_id, user_id, started_at, last_grant_at, empty_since, ip_address,
               user_agent, login_name, remember_me, auth_time, cookie_hash, notes)
             select $1, realm_id, $6, user_id, $7, $8, null, $9, $10, $11, $12, $13, null, $14 from fresh
             on conflict (kind, realm_id, session_id) do update set
               last_grant_at = greatest(session.last_grant_at, excluded.last_grant_at), empty_since = null,
               started_at = case when session.started_at <= $15 then excluded.started_at else session.started_at end
               where session.user_id = excluded.user_id
             returning realm_id, session_id, started_at),
           part as (
             insert into client_session (kind, realm_id, session_id, client_uuid, started_at, details)
             select $1, realm_id, session_id, $16, $8, $17 from opened
             on conflict (kind, realm_id, session_id, client_uuid) do update set
               details = case when $1 = 'online' then excluded.details
                 else client_session.details || jsonb_build_object('scopes', (
                   select jsonb_agg(distinct w) from jsonb_array_elements(
                     coalesce(client_session.details -> 'scopes', '[]'::jsonb) || coalesce(excluded.details -> 'scopes', '[]'::jsonb)) as w))
                 end,
               started_at = case when client_session.started_at <= $18 then excluded.started_at else client_session.started_at end
             returning realm_id, session_id, client_uuid, started_at, details),
           granted as (
             insert into chain (kind, realm_id, session_id, client_uuid, chain_id, generation, current_jti, rotated_at,
               last_refresh_at, last_refresh_bucket, key_id, replays)
             select $1, realm_id, session_id, client_uuid, $19, 0, $20, $8, $8, $21, $22, 0 from part
             on conflict (kind, realm_id, session_id, client_uuid, chain_id) do update set
               current_jti = excluded.current_jti, rotated_at = excluded.rotated_at, key_id = excluded.key_id,
               last_refresh_at = greatest(chain.last_refresh_at, excluded.last_refresh_at),
               last_refresh_bucket = greatest(chain.last_refresh_bucket, excluded.last_refresh_bucket)
             returning generation)
           select g.generation as "generation!", o.started_at as "session_started_at!", p.started_at as "part_started_at!",
             p.details as "details!: Json<ClientSessionDetails>",
             (select count(*) from chain c where c.kind = $1 and c.realm_id = $2 and c.session_id = $6 and c.client_uuid = $16)
               as "chains_before!"
           from granted g, opened o, part p"#,
        opening.kind.as_str(),
        on.realm.as_str(),
        on.realm_version,
        on.user.as_str(),
        on.user_version,
        session.id.as_str(),
        session.started_at.to_offset(),
        session.last_grant_at.to_offset(),
        session.ip_address,
        session.user_agent,
        session.login_name,
        session.remember_me,
        session.auth_time,
        Json(&session.notes) as _,
        opening.session_max_cutoff.to_offset(),
        opening.client.as_str(),
        Json(opening.details) as _,
        opening.part_max_cutoff.to_offset(),
        opening.chain.as_str(),
        opening.current.map(TokenId::as_str),
        opening.bucket.to_offset(),
        opening.key_id.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| Opened {
        generation: r.generation,
        chains_before: r.chains_before,
        session_started_at: Timestamp::from_offset(r.session_started_at),
        part_started_at: Timestamp::from_offset(r.part_started_at),
        details: r.details.0,
    }))
}

/// Opens the online session of a browser that signed in. It has no part until a client exchanges its code. False, and nothing is
/// opened, if the user is not of this version any more: the proof was of another password, or of a user who may not come in.
pub async fn open_in_browser(
    db: &mut Db<'_>,
    realm: &RealmId,
    session: &Session,
    user_version: i64,
    cookie_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into session (kind, realm_id, session_id, user_id, started_at, last_grant_at, empty_since, ip_address, user_agent,
           login_name, remember_me, auth_time, cookie_hash, notes)
         select 'online', $1, $2, u.user_id, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12
         from user_account u where u.realm_id = $1 and u.user_id = $3 and u.version = $13",
        realm.as_str(),
        session.id.as_str(),
        session.user_id.as_str(),
        session.started_at.to_offset(),
        session.last_grant_at.to_offset(),
        session.ip_address,
        session.user_agent,
        session.login_name,
        session.remember_me,
        session.auth_time,
        &cookie_hash[..],
        Json(&session.notes) as _,
        user_version,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// The user typed the password again in a session that goes on: the sign-in is as of now, and the cookie is a new one.
pub async fn renew_in_browser(
    db: &mut Db<'_>,
    realm: &RealmId,
    session: &SessionId,
    auth_time: Option<i64>,
    cookie_hash: Option<&[u8; 32]>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update session set last_grant_at = greatest(last_grant_at, $3), auth_time = coalesce($4, auth_time),
           cookie_hash = coalesce($5, cookie_hash)
         where kind = 'online' and realm_id = $1 and session_id = $2",
        realm.as_str(),
        session.as_str(),
        now.to_offset(),
        auth_time,
        cookie_hash.map(|h| &h[..]),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// An online session that a browser's cookie names, and when it was used last.
#[derive(Clone, Debug)]
pub struct BrowserSession {
    pub session: Session,
    pub last_used_at: Timestamp,
}

pub async fn find_by_cookie(
    db: &mut Db<'_>,
    realm: &RealmId,
    cookie_hash: &[u8; 32],
) -> Result<Option<BrowserSession>, StoreError> {
    let row = sqlx::query!(
        r#"select s.session_id, s.user_id, s.started_at, s.last_grant_at, s.ip_address, s.user_agent, s.login_name, s.remember_me,
             s.auth_time, s.notes as "notes: Json<Map<String, Value>>",
             (select max(c.last_refresh_at) from chain c
              where c.kind = 'online' and c.realm_id = $1 and c.session_id = s.session_id) as last_refresh_at
           from session s where s.kind = 'online' and s.realm_id = $1 and s.cookie_hash = $2"#,
        realm.as_str(),
        &cookie_hash[..],
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| {
        let last_grant_at = Timestamp::from_offset(r.last_grant_at);
        BrowserSession {
            last_used_at: r.last_refresh_at.map(Timestamp::from_offset).map_or(last_grant_at, |at| at.max(last_grant_at)),
            session: Session {
                id: SessionId::new(r.session_id),
                user_id: UserId::new(r.user_id),
                started_at: Timestamp::from_offset(r.started_at),
                last_grant_at,
                ip_address: r.ip_address,
                user_agent: r.user_agent,
                login_name: r.login_name,
                remember_me: r.remember_me,
                auth_time: r.auth_time,
                notes: r.notes.0,
            },
        }
    }))
}

pub async fn find_owner(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
) -> Result<Option<UserId>, StoreError> {
    let row = sqlx::query!(
        "select user_id from session where kind = $1 and realm_id = $2 and session_id = $3",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| UserId::new(r.user_id)))
}

/// Ends one session of one kind, with all its parts.
pub async fn end(db: &mut Db<'_>, kind: SessionKind, realm: &RealmId, session: &SessionId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from session where kind = $1 and realm_id = $2 and session_id = $3",
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Ends one session of a kind, if it is this user's.
pub async fn end_of_user(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    user: &UserId,
    session: &SessionId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from session where kind = $1 and realm_id = $2 and user_id = $3 and session_id = $4",
        kind.as_str(),
        realm.as_str(),
        user.as_str(),
        session.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Ends every session of a kind that a user has, except one.
pub async fn end_all_of_user(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    user: &UserId,
    except: Option<&SessionId>,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from session where kind = $1 and realm_id = $2 and user_id = $3 and ($4::text is null or session_id <> $4)",
        kind.as_str(),
        realm.as_str(),
        user.as_str(),
        except.map(SessionId::as_str),
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Ends the next sessions of a kind that had begun by a moment, in the order of their ids; the last of them, or none if there are
/// no more. As many as one statement ends in a moment: a realm may have millions.
pub async fn end_next(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    (begun_by, after): (Timestamp, Option<&SessionId>),
) -> Result<Option<SessionId>, StoreError> {
    let row = sqlx::query!(
        r#"with next as (
             select session_id from session
             where kind = $1 and realm_id = $2 and started_at <= $3 and session_id > $4 order by session_id limit 500 for update),
           ended as (
             delete from session
             where kind = $1 and realm_id = $2 and session_id > $4 and session_id <= (select max(session_id) from next)
               and session_id = any(array(select session_id from next))
             returning session_id)
           select max(session_id) as last from ended"#,
        kind.as_str(),
        realm.as_str(),
        begun_by.to_offset(),
        after.map_or("", SessionId::as_str),
    )
    .fetch_one(db.raw())
    .await?;
    Ok(row.last.map(SessionId::new))
}
