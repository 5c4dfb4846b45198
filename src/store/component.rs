//! Components that hold no key of the realm: their secrets are sealed for the very row that they stand in.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::component::{Config, is_secret};
use crate::model::{Component, ComponentId, RealmId};

fn context(realm: &RealmId, component: &str) -> String {
    format!("{realm}|component|sealed_config|{component}")
}

/// What may be read by whoever reads the database, and the rest, sealed.
fn parted(db: &Db<'_>, realm: &RealmId, component: &Component) -> Result<(Config, Option<String>), StoreError> {
    let (secret, open): (Config, Config) = component.config.clone().into_iter().partition(|(name, _)| is_secret(name));
    if secret.is_empty() {
        return Ok((open, None));
    }
    let secret = serde_json::to_vec(&secret).map_err(StoreError::inconsistent)?;
    Ok((open, Some(db.seal.seal(&context(realm, component.id.as_str()), &secret))))
}

pub async fn insert_component(db: &mut Db<'_>, realm: &RealmId, component: &Component, now: Timestamp) -> Result<(), StoreError> {
    let (open, sealed) = parted(db, realm, component)?;
    sqlx::query!(
        "insert into component (realm_id, component_id, parent_id, name, provider_type, provider_id, sub_type, config,
           sealed_config, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        realm.as_str(),
        component.id.as_str(),
        component.parent,
        component.name,
        component.provider_type,
        component.provider_id,
        component.sub_type,
        Json(open) as _,
        sealed,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_component(db: &mut Db<'_>, realm: &RealmId, component: &Component) -> Result<bool, StoreError> {
    let (open, sealed) = parted(db, realm, component)?;
    let done = sqlx::query!(
        "update component set parent_id = $3, name = $4, sub_type = $5, config = $6, sealed_config = $7
         where realm_id = $1 and component_id = $2",
        realm.as_str(),
        component.id.as_str(),
        component.parent,
        component.name,
        component.sub_type,
        Json(open) as _,
        sealed,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Deletes a component and those below it.
pub async fn delete_component(db: &mut Db<'_>, realm: &RealmId, component: &ComponentId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from component where realm_id = $1 and (component_id = $2 or parent_id = $2)",
        realm.as_str(),
        component.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() > 0)
}

/// Every component, by name.
pub async fn list_components(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<Component>, StoreError> {
    let rows = sqlx::query!(
        r#"select component_id, parent_id, name, provider_type, provider_id, sub_type, config as "config: Json<Config>",
             sealed_config
           from component where realm_id = $1 order by name, component_id"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let mut components = Vec::with_capacity(rows.len());
    for r in rows {
        let mut config = r.config.0;
        if let Some(sealed) = r.sealed_config {
            let secret = db.seal.open(&context(realm, &r.component_id), &sealed)?;
            config.extend(serde_json::from_slice::<Config>(&secret).map_err(StoreError::inconsistent)?);
        }
        components.push(Component {
            id: ComponentId::new(r.component_id),
            name: r.name,
            provider_type: r.provider_type,
            provider_id: r.provider_id,
            parent: r.parent_id,
            sub_type: r.sub_type,
            config,
        });
    }
    Ok(components)
}
