//! Keys of a realm. Their private parts are sealed for the very row that they stand in.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::signing_key::{KeyUse, StoredKey};
use crate::model::{KeyId, RealmId};

fn context(realm: &RealmId, key: &str) -> String {
    format!("{realm}|signing_key|sealed|{key}")
}

/// Inserts a key; one with the same id stays as it is.
pub async fn insert_key(db: &mut Db<'_>, realm: &RealmId, key: &StoredKey, now: Timestamp) -> Result<(), StoreError> {
    let sealed = db.seal.seal(&context(realm, key.id.as_str()), &key.material);
    sqlx::query!(
        "insert into signing_key (realm_id, key_id, name, provider_id, priority, algorithm, key_use, active, enabled, sealed,
           certificate, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (realm_id, key_id) do nothing",
        realm.as_str(),
        key.id.as_str(),
        key.name,
        key.provider_id,
        key.priority,
        key.algorithm,
        key.key_use.as_str(),
        key.active,
        key.enabled,
        sealed,
        key.certificate.as_deref(),
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Every key, the one to sign with first.
pub async fn list_keys(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<StoredKey>, StoreError> {
    let rows = sqlx::query!(
        "select key_id, name, provider_id, priority, algorithm, key_use, active, enabled, sealed, certificate
         from signing_key where realm_id = $1 order by priority desc, created_at desc, key_id",
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let seal = db.seal.clone();
    rows.into_iter()
        .map(|r| {
            let key_use = KeyUse::parse(&r.key_use).ok_or_else(|| StoreError::inconsistent("signing_key.key_use"))?;
            Ok(StoredKey {
                material: seal.open(&context(realm, &r.key_id), &r.sealed)?,
                id: KeyId::new(r.key_id),
                name: r.name,
                provider_id: r.provider_id,
                priority: r.priority,
                algorithm: r.algorithm,
                key_use,
                active: r.active,
                enabled: r.enabled,
                certificate: r.certificate,
            })
        })
        .collect()
}
