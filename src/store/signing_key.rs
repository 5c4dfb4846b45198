//! Keys of a realm, one row for each key provider. Their private parts are sealed for the very row that they stand in.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::component::Config;
use crate::model::signing_key::{KeyUse, StoredKey};
use crate::model::{ComponentId, KeyId, RealmId};

fn context(realm: &RealmId, row: &str) -> String {
    format!("{realm}|signing_key|sealed|{row}")
}

/// Inserts a key. Its row has the kid for its id, as releases before 0013 expect it; of two providers of one key the later
/// one's row has the provider's id.
pub async fn insert_key(db: &mut Db<'_>, realm: &RealmId, key: &StoredKey, now: Timestamp) -> Result<(), StoreError> {
    if !insert_row(db, realm, key, (key.id.as_str(), None), now).await? {
        insert_row(db, realm, key, (key.component.as_str(), Some(key.id.as_str())), now).await?;
    }
    Ok(())
}

async fn insert_row(
    db: &mut Db<'_>,
    realm: &RealmId,
    key: &StoredKey,
    (row, kid): (&str, Option<&str>),
    created_at: Timestamp,
) -> Result<bool, StoreError> {
    let sealed = db.seal.seal(&context(realm, row), &key.material);
    let done = sqlx::query!(
        "insert into signing_key (realm_id, key_id, kid, component_id, name, provider_id, priority, algorithm, key_use, active,
           enabled, sealed, certificate, config, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict (realm_id, key_id) do nothing",
        realm.as_str(),
        row,
        kid,
        key.component.as_str(),
        key.name,
        key.provider_id,
        key.priority,
        key.algorithm,
        key.key_use.as_str(),
        key.active,
        key.enabled,
        sealed,
        key.certificate.as_deref(),
        Json(&key.config) as _,
        created_at.to_offset(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Puts a key in the place of its provider's present one; `false` if there is no such provider.
pub async fn replace_key(db: &mut Db<'_>, realm: &RealmId, key: &StoredKey) -> Result<bool, StoreError> {
    let Some(created_at) = delete_row(db, realm, &key.component).await? else { return Ok(false) };
    insert_key(db, realm, key, created_at).await?;
    Ok(true)
}

/// Takes away a provider's key.
pub async fn delete_key(db: &mut Db<'_>, realm: &RealmId, component: &ComponentId) -> Result<bool, StoreError> {
    Ok(delete_row(db, realm, component).await?.is_some())
}

async fn delete_row(db: &mut Db<'_>, realm: &RealmId, component: &ComponentId) -> Result<Option<Timestamp>, StoreError> {
    let row = sqlx::query!(
        "delete from signing_key where realm_id = $1 and coalesce(component_id, key_id) = $2 returning created_at",
        realm.as_str(),
        component.as_str(),
    );
    Ok(row.fetch_optional(db.raw()).await?.map(|r| Timestamp::from_offset(r.created_at)))
}

/// Every key, the one to sign with first.
pub async fn list_keys(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<StoredKey>, StoreError> {
    let rows = sqlx::query!(
        r#"select key_id, kid, component_id, name, provider_id, priority, algorithm, key_use, active, enabled, sealed, certificate,
             config as "config: Json<Config>"
           from signing_key where realm_id = $1 order by priority desc, created_at desc, key_id"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let mut keys = Vec::with_capacity(rows.len());
    for r in rows {
        let key_use = KeyUse::parse(&r.key_use).ok_or_else(|| StoreError::inconsistent("signing_key.key_use"))?;
        let mut key = StoredKey {
            material: db.seal.open(&context(realm, &r.key_id), &r.sealed)?,
            component: ComponentId::new(r.component_id.unwrap_or_else(|| r.key_id.clone())),
            id: KeyId::new(r.kid.unwrap_or(r.key_id)),
            name: r.name,
            provider_id: r.provider_id,
            priority: r.priority,
            algorithm: r.algorithm,
            key_use,
            active: r.active,
            enabled: r.enabled,
            certificate: r.certificate,
            config: Config::new(),
        };
        key.config = r.config.map_or_else(|| key.plain_config(), |config| config.0);
        keys.push(key);
    }
    Ok(keys)
}
