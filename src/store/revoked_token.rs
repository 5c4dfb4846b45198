//! Access tokens that were revoked by themselves (RFC 7009), until they would have expired.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::RealmId;

pub async fn insert_revoked(db: &mut Db<'_>, realm: &RealmId, jti: &str, until: Timestamp) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into revoked_token (realm_id, jti, expires_at) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        jti,
        until.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}
