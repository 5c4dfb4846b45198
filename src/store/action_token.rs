//! Links in letters, and what opening one proves. Using one is one conditional statement: of any number who open it at once, one goes on.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ActionDetails, ActionKind, ActionToken, RealmId, UserId};

/// Keeps a new link, if the user has fewer than `at_most` of its kind that may still be used; false if not. A stranger cannot
/// fill a postbox by asking again and again.
pub async fn insert_action_token(
    db: &mut Db<'_>,
    realm: &RealmId,
    hash: &[u8; 32],
    token: &ActionToken,
    at_most: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into action_token (realm_id, token_hash, user_id, kind, details, created_at, expires_at)
         select $1, $2, $3, $4, $5, $6, $7
         where (select count(*) from action_token
                where realm_id = $1 and user_id = $3 and kind = $4 and used_at is null and expires_at > $6) < $8",
        realm.as_str(),
        &hash[..],
        token.user.as_str(),
        token.kind.as_str(),
        Json(&token.details) as _,
        token.created_at.to_offset(),
        token.expires_at.to_offset(),
        at_most,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// The link with this hash, used or not, expired or not.
pub async fn find_action_token(db: &mut Db<'_>, realm: &RealmId, hash: &[u8; 32]) -> Result<Option<ActionToken>, StoreError> {
    let row = sqlx::query!(
        r#"select user_id, kind, details as "details: Json<ActionDetails>", created_at, expires_at, used_at
           from action_token where realm_id = $1 and token_hash = $2"#,
        realm.as_str(),
        &hash[..],
    )
    .fetch_optional(db.raw())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let kind = ActionKind::parse(&row.kind).ok_or_else(|| StoreError::Inconsistent(format!("action_token.kind {}", row.kind)))?;
    Ok(Some(ActionToken {
        user: UserId::new(row.user_id),
        kind,
        details: row.details.0,
        created_at: Timestamp::from_offset(row.created_at),
        expires_at: Timestamp::from_offset(row.expires_at),
        is_used: row.used_at.is_some(),
    }))
}

/// Uses the link: false if it was used before, or has expired.
pub async fn take_action_token(db: &mut Db<'_>, realm: &RealmId, hash: &[u8; 32], now: Timestamp) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update action_token set used_at = $3 where realm_id = $1 and token_hash = $2 and used_at is null and expires_at > $3",
        realm.as_str(),
        &hash[..],
        now.to_offset(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Makes the user's other links of a kind worthless.
pub async fn spend_action_tokens(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    kind: ActionKind,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update action_token set used_at = $4 where realm_id = $1 and user_id = $2 and kind = $3 and used_at is null",
        realm.as_str(),
        user.as_str(),
        kind.as_str(),
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// The address is the user's, and nobody asks for that any more. False if the user has another address by now, is switched off,
/// or is gone.
pub async fn set_email_verified(db: &mut Db<'_>, realm: &RealmId, user: &UserId, email: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set email_verified = true, required_actions = array_remove(required_actions, 'VERIFY_EMAIL'),
           version = version + 1
         where realm_id = $1 and user_id = $2 and email = $3 and enabled",
        realm.as_str(),
        user.as_str(),
        email,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
