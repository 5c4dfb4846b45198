//! What is past its time, whatever the realm: codes, tabs, notes of revoked tokens, links of letters, initial access tokens; and
//! events, by the realm's setting.

use crate::base::Timestamp;
use crate::model::RealmId;
use crate::store::{Db, StoreError};

/// Deletes up to `limit` codes that expired before the cut-off, of all realms.
pub async fn delete_codes(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from authorization_code where (realm_id, code_hash) in (
           select realm_id, code_hash from authorization_code where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Deletes up to `limit` tabs that expired before the cut-off, of all realms.
pub async fn delete_tabs(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from authentication_session where (realm_id, tab_id) in (
           select realm_id, tab_id from authentication_session where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Deletes up to `limit` notes of revoked tokens that have expired by themselves, of all realms.
pub async fn delete_revoked(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from revoked_token where (realm_id, jti) in (
           select realm_id, jti from revoked_token where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Deletes up to `limit` notes of used assertions that have expired by themselves, of all realms.
pub async fn delete_assertions(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from used_assertion where (realm_id, client_uuid, jti_hash) in (
           select realm_id, client_uuid, jti_hash from used_assertion where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Deletes up to `limit` links of letters that expired before the cut-off, of all realms.
pub async fn delete_action_tokens(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from action_token where (realm_id, token_hash) in (
           select realm_id, token_hash from action_token where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// Deletes up to `limit` initial access tokens that expired before the cut-off, of all realms.
pub async fn delete_initial_access(db: &mut Db<'_>, cutoff: Timestamp, limit: i64) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "delete from initial_access_token where (realm_id, token_id) in (
           select realm_id, token_id from initial_access_token where expires_at < $1 order by expires_at limit $2
           for update skip locked)",
        cutoff.to_offset(),
        limit,
    );
    Ok(done.execute(db.raw()).await?.rows_affected())
}

/// How many codes, tabs, notes of revoked tokens and used assertions, links of letters, and initial access tokens are past their
/// time.
pub async fn count_short_lived(db: &mut Db<'_>, cutoff: Timestamp, tabs_cutoff: Timestamp) -> Result<[u64; 6], StoreError> {
    let counts = sqlx::query!(
        r#"select (select count(*) from authorization_code where expires_at < $1) as "codes!",
             (select count(*) from authentication_session where expires_at < $2) as "tabs!",
             (select count(*) from revoked_token where expires_at < $1) as "revoked!",
             (select count(*) from used_assertion where expires_at < $1) as "assertions!",
             (select count(*) from action_token where expires_at < $1) as "links!",
             (select count(*) from initial_access_token where expires_at < $1) as "initial_access!""#,
        cutoff.to_offset(),
        tabs_cutoff.to_offset(),
    )
    .fetch_one(db.raw())
    .await?;
    let all = [counts.codes, counts.tabs, counts.revoked, counts.assertions, counts.links, counts.initial_access];
    Ok(all.map(|n| u64::try_from(n).unwrap_or(0)))
}

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventLog {
    /// What happened to users and clients.
    Users,
    /// What administrators did.
    Administrators,
}

/// Deletes up to `limit` events of a realm that happened before the cut-off.
pub async fn delete_old_events(
    db: &mut Db<'_>,
    log: EventLog,
    realm: &RealmId,
    cutoff: Timestamp,
    limit: i64,
) -> Result<u64, StoreError> {
    let done = match log {
        EventLog::Users => {
            sqlx::query!(
                "delete from event where realm_id = $1 and event_id in (
               select event_id from event where realm_id = $1 and occurred_at < $2 order by occurred_at limit $3
               for update skip locked)",
                realm.as_str(),
                cutoff.to_offset(),
                limit,
            )
            .execute(db.raw())
            .await?
        }
        EventLog::Administrators => {
            sqlx::query!(
                "delete from admin_event where realm_id = $1 and event_id in (
               select event_id from admin_event where realm_id = $1 and occurred_at < $2 order by occurred_at limit $3
               for update skip locked)",
                realm.as_str(),
                cutoff.to_offset(),
                limit,
            )
            .execute(db.raw())
            .await?
        }
    };
    Ok(done.rows_affected())
}

/// How many events of a realm happened before the cut-off.
pub async fn count_old_events(db: &mut Db<'_>, log: EventLog, realm: &RealmId, cutoff: Timestamp) -> Result<u64, StoreError> {
    let (realm, cutoff) = (realm.as_str(), cutoff.to_offset());
    let count = match log {
        EventLog::Users => {
            sqlx::query_scalar!(
                r#"select count(*) as "count!" from event where realm_id = $1 and occurred_at < $2"#,
                realm,
                cutoff
            )
            .fetch_one(db.raw())
            .await?
        }
        EventLog::Administrators => {
            sqlx::query_scalar!(
                r#"select count(*) as "count!" from admin_event where realm_id = $1 and occurred_at < $2"#,
                realm,
                cutoff
            )
            .fetch_one(db.raw())
            .await?
        }
    };
    Ok(u64::try_from(count).unwrap_or(0))
}
