//! Counts of wrong passwords.

use serde_json::json;
use time::OffsetDateTime;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::login_failure::{DISABLED_REASON, LoginFailures, PERMANENT_LOCKOUT};
use crate::model::{RealmId, UserId};

struct Row {
    failures: i32,
    temporary_lockouts: i32,
    last_failure_at: Option<OffsetDateTime>,
    last_ip_address: Option<String>,
    locked_until: Option<OffsetDateTime>,
}

impl From<Row> for LoginFailures {
    fn from(row: Row) -> Self {
        Self {
            failures: row.failures,
            temporary_lockouts: row.temporary_lockouts,
            last_at: row.last_failure_at.map(Timestamp::from_offset),
            last_ip_address: row.last_ip_address,
            locked_until: row.locked_until.map(Timestamp::from_offset),
        }
    }
}

pub async fn find_failures(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<LoginFailures, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select failures, temporary_lockouts, last_failure_at, last_ip_address, locked_until
         from login_failure where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.as_str(),
    );
    Ok(row.fetch_optional(db.raw()).await?.map(LoginFailures::from).unwrap_or_default())
}

/// First in a transaction that counts: whoever counts for the same user waits. A row is made where there is none; `None` if
/// there is no such user.
pub async fn lock_failures(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<Option<LoginFailures>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "insert into login_failure (realm_id, user_id, failures, temporary_lockouts)
         select realm_id, user_id, 0, 0 from user_account where realm_id = $1 and user_id = $2
         on conflict (realm_id, user_id) do update set failures = login_failure.failures
         returning failures, temporary_lockouts, last_failure_at, last_ip_address, locked_until",
        realm.as_str(),
        user.as_str(),
    );
    Ok(row.fetch_optional(db.raw()).await?.map(LoginFailures::from))
}

pub async fn update_failures(db: &mut Db<'_>, realm: &RealmId, user: &UserId, now: &LoginFailures) -> Result<(), StoreError> {
    sqlx::query!(
        "update login_failure set failures = $3, temporary_lockouts = $4, last_failure_at = $5, last_ip_address = $6,
           locked_until = $7
         where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.as_str(),
        now.failures,
        now.temporary_lockouts,
        now.last_at.map(Timestamp::to_offset),
        now.last_ip_address,
        now.locked_until.map(Timestamp::to_offset),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// What stands in the row of the user, held until the end of the transaction: whoever counts waits, and who comes after a count
/// sees it. None if nothing was counted.
pub async fn hold_failures(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<Option<LoginFailures>, StoreError> {
    let row = sqlx::query_as!(
        Row,
        "select failures, temporary_lockouts, last_failure_at, last_ip_address, locked_until
         from login_failure where realm_id = $1 and user_id = $2 for update",
        realm.as_str(),
        user.as_str(),
    );
    Ok(row.fetch_optional(db.raw()).await?.map(LoginFailures::from))
}

/// False if there was nothing to forget.
pub async fn delete_failures(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<bool, StoreError> {
    let done = sqlx::query!("delete from login_failure where realm_id = $1 and user_id = $2", realm.as_str(), user.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() > 0)
}

pub async fn delete_all_failures(db: &mut Db<'_>, realm: &RealmId) -> Result<(), StoreError> {
    sqlx::query!("delete from login_failure where realm_id = $1", realm.as_str()).execute(db.raw()).await?;
    Ok(())
}

/// Disables the user, and says why; false for one who is disabled already, whoever did it.
pub async fn disable_user(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set enabled = false, attributes = attributes || $3, version = version + 1
         where realm_id = $1 and user_id = $2 and enabled",
        realm.as_str(),
        user.as_str(),
        json!({DISABLED_REASON: [PERMANENT_LOCKOUT]}),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
