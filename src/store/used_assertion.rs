//! Assertions by which clients proved who they are (RFC 7523 §3), until they would have expired: each works once.

use super::{Db, StoreError};
use crate::base::{Timestamp, sha256};
use crate::model::{ClientUuid, RealmId};

/// Notes that a client used an assertion; `false` if it had done so before. Of any number of requests at once one is told `true`.
pub async fn use_once(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    jti: &str,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "insert into used_assertion (realm_id, client_uuid, jti_hash, expires_at) values ($1, $2, $3, $4) on conflict do nothing",
        realm.as_str(),
        client.as_str(),
        &sha256(jti.as_bytes()),
        until.to_offset(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
