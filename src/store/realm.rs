//! Realms: names, versions, settings. What a realm contains stands in files of its own.

use serde_json::{Map, Value, json};
use sqlx::types::Json;

use super::{Db, Store, StoreError};
use crate::base::{Secret, Timestamp};
use crate::model::realm::{IDENTITY_PROVIDER_SECRET, IDENTITY_PROVIDERS, MAIL, MAIL_SECRETS};
use crate::model::{GroupId, RealmId, RoleId};

/// A realm's name is taken.
pub const NAME_KEY: &str = "realm_name_key";
/// A realm's id is taken.
pub const ID_KEY: &str = "realm_pkey";

/// A realm as it is first written.
#[derive(Clone, Debug)]
pub struct NewRealm<'a> {
    pub id: &'a RealmId,
    pub name: &'a str,
    pub enabled: bool,
    pub not_before: i64,
    pub default_role: &'a RoleId,
    pub user_profile: Option<&'a Value>,
    pub settings: &'a Map<String, Value>,
}

/// The settings with the secrets of the mail server and of identity providers sealed: `{"sealed": "…"}` stands in the place of
/// each. One that is sealed already stays, so it is in the clear nowhere but in the message that is being sent.
fn sealed(db: &Db<'_>, realm: &RealmId, settings: &Map<String, Value>) -> Map<String, Value> {
    let seal = |secret: Option<&mut Value>, context: String| {
        if let Some(secret) = secret
            && let Some(text) = secret.as_str()
        {
            *secret = json!({"sealed": db.seal.seal(&context, text.as_bytes())});
        }
    };
    let mut settings = settings.clone();
    for name in MAIL_SECRETS {
        seal(settings.get_mut(MAIL).and_then(|mail| mail.get_mut(name)), format!("{realm}|realm|smtp_{name}"));
    }
    for provider in settings.get_mut(IDENTITY_PROVIDERS).and_then(Value::as_array_mut).into_iter().flatten() {
        let secret = provider.get_mut("config").and_then(|config| config.get_mut(IDENTITY_PROVIDER_SECRET));
        seal(secret, format!("{realm}|realm|identity_provider_secret"));
    }
    settings
}

/// Opens a secret of the mail server for the letter that is about to be sent; none if there is none.
pub fn open_mail_secret(
    store: &Store,
    realm: &RealmId,
    settings: &Map<String, Value>,
    name: &str,
) -> Result<Option<Secret>, StoreError> {
    let Some(kept) = settings.get(MAIL).and_then(|mail| mail.get(name)) else { return Ok(None) };
    let Some(sealed) = kept.get("sealed").and_then(Value::as_str) else { return Ok(kept.as_str().map(Secret::new)) };
    let opened = store.seal.open(&format!("{realm}|realm|smtp_{name}"), sealed)?;
    let text = std::str::from_utf8(&opened).map_err(|_| StoreError::Inconsistent(format!("smtpServer.{name} is no text")))?;
    Ok(Some(Secret::new(text)))
}

/// The settings with the secrets of the mail server and of identity providers in the clear, for a file that has them all.
pub fn open_secrets(db: &Db<'_>, realm: &RealmId, settings: &Map<String, Value>) -> Result<Map<String, Value>, StoreError> {
    let open = |secret: Option<&mut Value>, context: String| -> Result<(), StoreError> {
        if let Some(secret) = secret
            && let Some(sealed) = secret.get("sealed").and_then(Value::as_str)
        {
            let opened = db.seal.open(&context, sealed)?;
            *secret = json!(std::str::from_utf8(&opened).map_err(StoreError::inconsistent)?);
        }
        Ok(())
    };
    let mut settings = settings.clone();
    for name in MAIL_SECRETS {
        open(settings.get_mut(MAIL).and_then(|mail| mail.get_mut(name)), format!("{realm}|realm|smtp_{name}"))?;
    }
    for provider in settings.get_mut(IDENTITY_PROVIDERS).and_then(Value::as_array_mut).into_iter().flatten() {
        let secret = provider.get_mut("config").and_then(|config| config.get_mut(IDENTITY_PROVIDER_SECRET));
        open(secret, format!("{realm}|realm|identity_provider_secret"))?;
    }
    Ok(settings)
}

pub async fn insert_realm(db: &mut Db<'_>, realm: &NewRealm<'_>, now: Timestamp) -> Result<(), StoreError> {
    let settings = sealed(db, realm.id, realm.settings);
    sqlx::query!(
        "insert into realm (realm_id, name, enabled, not_before, version, lifespans_changed_at, default_role_id, user_profile,
           settings, created_at)
         values ($1, $2, $3, $4, nextval('first_version'), $5, $6, $7, $8, $5)",
        realm.id.as_str(),
        realm.name,
        realm.enabled,
        realm.not_before,
        now.to_offset(),
        realm.default_role.as_str(),
        realm.user_profile.map(Json) as _,
        Json(&settings) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Keeps everybody from changing the realm, until what is returned is dropped. It takes a connection beside the one of whoever
/// works meanwhile: `None` where the pool has no second one.
pub async fn hold(store: &Store, realm: &RealmId) -> Result<Option<Db<'static>>, StoreError> {
    if store.max_connections() < 2 {
        return Ok(None);
    }
    let mut db = store.begin().await?;
    sqlx::query!("select version from realm where realm_id = $1 for share", realm.as_str()).fetch_optional(db.raw()).await?;
    Ok(Some(db))
}

/// The id and the present version of a realm.
pub async fn find_version(db: &mut Db<'_>, name: &str) -> Result<Option<(RealmId, i64)>, StoreError> {
    let row = sqlx::query!("select realm_id, version from realm where name = $1", name).fetch_optional(db.raw()).await?;
    Ok(row.map(|r| (RealmId::new(r.realm_id), r.version)))
}

/// Name and version of every realm, by name.
pub async fn list_versions(db: &mut Db<'_>) -> Result<Vec<(RealmId, String, i64)>, StoreError> {
    let rows = sqlx::query!("select realm_id, name, version from realm order by name").fetch_all(db.raw()).await?;
    Ok(rows.into_iter().map(|r| (RealmId::new(r.realm_id), r.name, r.version)).collect())
}

/// Marks the configuration as changed: first in every transaction that writes to it, so that writers queue here.
pub async fn touch(db: &mut Db<'_>, realm: &RealmId) -> Result<bool, StoreError> {
    let done = sqlx::query!("update realm set version = version + 1 where realm_id = $1", realm.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// The same for a change that was decided on this version; `false` if the configuration has moved since.
pub async fn touch_at(db: &mut Db<'_>, realm: &RealmId, version: i64) -> Result<bool, StoreError> {
    let done =
        sqlx::query!("update realm set version = version + 1 where realm_id = $1 and version = $2", realm.as_str(), version,);
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// What a change of a realm may set.
#[derive(Clone, Debug)]
pub struct RealmChange<'a> {
    pub name: &'a str,
    pub enabled: bool,
    pub not_before: i64,
    pub settings: &'a Map<String, Value>,
    /// Whether a session lifespan is another than before.
    pub changes_lifespans: bool,
}

pub async fn update_realm(db: &mut Db<'_>, realm: &RealmId, change: &RealmChange<'_>, now: Timestamp) -> Result<(), StoreError> {
    let settings = sealed(db, realm, change.settings);
    sqlx::query!(
        "update realm set name = $2, enabled = $3, not_before = $4, settings = $5,
           lifespans_changed_at = case when $6 then $7 else lifespans_changed_at end
         where realm_id = $1",
        realm.as_str(),
        change.name,
        change.enabled,
        change.not_before,
        Json(&settings) as _,
        change.changes_lifespans,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// What was issued in the realm before this is stale; a later one stays.
pub async fn raise_not_before(db: &mut Db<'_>, realm: &RealmId, not_before: i64) -> Result<(), StoreError> {
    sqlx::query!("update realm set not_before = greatest(not_before, $2) where realm_id = $1", realm.as_str(), not_before)
        .execute(db.raw())
        .await?;
    Ok(())
}

/// None: as in a fresh realm.
pub async fn set_user_profile(db: &mut Db<'_>, realm: &RealmId, profile: Option<&Value>) -> Result<(), StoreError> {
    sqlx::query!("update realm set user_profile = $2 where realm_id = $1", realm.as_str(), profile).execute(db.raw()).await?;
    Ok(())
}

/// Makes these groups the ones that new users join.
pub async fn set_default_groups(db: &mut Db<'_>, realm: &RealmId, groups: &[GroupId]) -> Result<(), StoreError> {
    let ids: Vec<String> = groups.iter().map(|g| g.as_str().to_owned()).collect();
    sqlx::query!("update user_group set is_default = group_id = any($2) where realm_id = $1", realm.as_str(), &ids)
        .execute(db.raw())
        .await?;
    Ok(())
}

/// Deletes a realm and all that is in it. Call it within a transaction.
pub async fn delete_realm(db: &mut Db<'_>, realm: &RealmId) -> Result<bool, StoreError> {
    db.unhurried().await?;
    let done = sqlx::query!("delete from realm where realm_id = $1", realm.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
