//! Authorization codes: each works once. Only its hash is stored.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::authorization_code::{AuthorizationCode, CodeGrant};
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind, UserId};

/// What became of a code that was presented.
#[derive(Clone, Debug)]
pub enum Consumed {
    /// It was good, and now it is spent.
    Fresh(AuthorizationCode),
    /// It was spent before. The kind of session that its first use opened a part in, if it did.
    Replayed(AuthorizationCode, Option<SessionKind>),
    /// There is no such code, or its session is over.
    Unknown,
}

pub async fn insert_code(
    db: &mut Db<'_>,
    realm: &RealmId,
    code_hash: &[u8; 32],
    code: &AuthorizationCode,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into authorization_code (realm_id, code_hash, session_id, user_id, client_uuid, grant_details, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        realm.as_str(),
        &code_hash[..],
        code.session_id.as_str(),
        code.user_id.as_str(),
        code.client.as_str(),
        Json(&code.grant) as _,
        code.expires_at.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Spends a code: of any number that present it at once, one finds it fresh. Whether it has expired is the caller's to say. Its user
/// is held first, as by whoever ends what the user has before sessions are locked; what is read of the user next is as it stands.
pub async fn consume(db: &mut Db<'_>, realm: &RealmId, code_hash: &[u8; 32], now: Timestamp) -> Result<Consumed, StoreError> {
    let row = sqlx::query!(
        r#"with owner as materialized (
             select u.user_id from authorization_code c join user_account u on u.realm_id = c.realm_id and u.user_id = c.user_id
             where c.realm_id = $1 and c.code_hash = $2 and c.used_at is null for no key update of u)
           update authorization_code a set used_at = $3 from owner
           where a.realm_id = $1 and a.code_hash = $2 and a.used_at is null
             and exists (select from session s where s.kind = 'online' and s.realm_id = $1 and s.session_id = a.session_id)
           returning a.session_id, a.user_id, a.client_uuid, a.expires_at, a.grant_details as "grant: Json<CodeGrant>""#,
        realm.as_str(),
        &code_hash[..],
        now.to_offset(),
    )
    .fetch_optional(db.raw())
    .await?;
    if let Some(r) = row {
        return Ok(Consumed::Fresh(AuthorizationCode {
            session_id: SessionId::new(r.session_id),
            client: ClientUuid::new(r.client_uuid),
            user_id: UserId::new(r.user_id),
            expires_at: Timestamp::from_offset(r.expires_at),
            grant: r.grant.0,
        }));
    }
    find_spent(db, realm, code_hash).await
}

async fn find_spent(db: &mut Db<'_>, realm: &RealmId, code_hash: &[u8; 32]) -> Result<Consumed, StoreError> {
    let row = sqlx::query!(
        r#"select session_id, user_id, client_uuid, expires_at, opened, grant_details as "grant: Json<CodeGrant>"
           from authorization_code where realm_id = $1 and code_hash = $2 and used_at is not null"#,
        realm.as_str(),
        &code_hash[..],
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(match row {
        None => Consumed::Unknown,
        Some(r) => {
            let opened = match r.opened.as_deref() {
                Some("online") => Some(SessionKind::Online),
                Some("offline") => Some(SessionKind::Offline),
                _ => None,
            };
            let code = AuthorizationCode {
                session_id: SessionId::new(r.session_id),
                client: ClientUuid::new(r.client_uuid),
                user_id: UserId::new(r.user_id),
                expires_at: Timestamp::from_offset(r.expires_at),
                grant: r.grant.0,
            };
            Consumed::Replayed(code, opened)
        }
    })
}

/// Remembers what the first use opened, so that a second use can end it.
pub async fn note_opened(db: &mut Db<'_>, realm: &RealmId, code_hash: &[u8; 32], kind: SessionKind) -> Result<(), StoreError> {
    sqlx::query!(
        "update authorization_code set opened = $3 where realm_id = $1 and code_hash = $2",
        realm.as_str(),
        &code_hash[..],
        kind.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}
