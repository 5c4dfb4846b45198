//! Clients, their secrets, and the client scopes and roles that they are tied to.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::{Secret, Timestamp};
use crate::model::client::is_secret_attribute;
use crate::model::{ClientId, ClientScopeId, ClientSettings, ClientUuid, RealmId, RoleId};

/// Another client of the realm has this `client_id`.
pub const CLIENT_ID_KEY: &str = "client_client_id_key";

fn context(realm: &RealmId, client: &str) -> String {
    format!("{realm}|client|sealed_secret|{client}")
}

fn attributes_context(realm: &RealmId, client: &str) -> String {
    format!("{realm}|client|sealed_attributes|{client}")
}

/// The settings without the attributes that are secret, and these, sealed.
fn parted(db: &Db<'_>, realm: &RealmId, client: &ClientRow<'_>) -> Result<(ClientSettings, Option<String>), StoreError> {
    let mut settings = client.settings.clone();
    let (secret, open): (BTreeMap<_, _>, BTreeMap<_, _>) =
        settings.attributes.into_iter().partition(|(name, _)| is_secret_attribute(name));
    settings.attributes = open;
    if secret.is_empty() {
        return Ok((settings, None));
    }
    let secret = serde_json::to_vec(&secret).map_err(StoreError::inconsistent)?;
    Ok((settings, Some(db.seal.seal(&attributes_context(realm, client.uuid.as_str()), &secret))))
}

/// A client's own row.
#[derive(Clone, Debug)]
pub struct ClientRow<'a> {
    pub uuid: &'a ClientUuid,
    pub client_id: &'a ClientId,
    pub enabled: bool,
    pub not_before: i64,
    pub secret: Option<&'a Secret>,
    pub settings: &'a ClientSettings,
}

/// A client's row as it was read, before what belongs to it is put together.
#[derive(Debug)]
pub(super) struct FoundClient {
    pub uuid: ClientUuid,
    pub client_id: ClientId,
    pub enabled: bool,
    pub not_before: i64,
    pub secret: Option<Secret>,
    pub settings: ClientSettings,
    pub registration_token: Option<String>,
}

pub async fn insert_client(db: &mut Db<'_>, realm: &RealmId, client: &ClientRow<'_>, now: Timestamp) -> Result<(), StoreError> {
    let sealed = client.secret.map(|s| db.seal.seal(&context(realm, client.uuid.as_str()), s.expose().as_bytes()));
    let (settings, attributes) = parted(db, realm, client)?;
    sqlx::query!(
        "insert into client (realm_id, client_uuid, client_id, enabled, not_before, sealed_secret, settings, sealed_attributes,
           created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        realm.as_str(),
        client.uuid.as_str(),
        client.client_id.as_str(),
        client.enabled,
        client.not_before,
        sealed,
        Json(settings) as _,
        attributes,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_client(db: &mut Db<'_>, realm: &RealmId, client: &ClientRow<'_>) -> Result<bool, StoreError> {
    let sealed = client.secret.map(|s| db.seal.seal(&context(realm, client.uuid.as_str()), s.expose().as_bytes()));
    let (settings, attributes) = parted(db, realm, client)?;
    let done = sqlx::query!(
        "update client set client_id = $3, enabled = $4, not_before = $5, sealed_secret = $6, settings = $7, sealed_attributes = $8
         where realm_id = $1 and client_uuid = $2",
        realm.as_str(),
        client.uuid.as_str(),
        client.client_id.as_str(),
        client.enabled,
        client.not_before,
        sealed,
        Json(settings) as _,
        attributes,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// What was issued to the client before this is stale; a later one stays.
pub async fn raise_not_before(db: &mut Db<'_>, realm: &RealmId, client: &ClientUuid, not_before: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "update client set not_before = greatest(not_before, $3) where realm_id = $1 and client_uuid = $2",
        realm.as_str(),
        client.as_str(),
        not_before,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Makes this the one registration access token that is good for the client.
pub async fn put_registration_token(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    token: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update client set registration_token = $3 where realm_id = $1 and client_uuid = $2",
        realm.as_str(),
        client.as_str(),
        token,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Deletes a client and all that refers to it. Call it within a transaction.
pub async fn delete_client(db: &mut Db<'_>, realm: &RealmId, client: &ClientUuid) -> Result<bool, StoreError> {
    db.unhurried().await?;
    let done = sqlx::query!("delete from client where realm_id = $1 and client_uuid = $2", realm.as_str(), client.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub(super) async fn list_clients(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<FoundClient>, StoreError> {
    let rows = sqlx::query!(
        r#"select client_uuid, client_id, enabled, not_before, sealed_secret, sealed_attributes, registration_token,
             settings as "settings: Json<ClientSettings>"
           from client where realm_id = $1"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let mut clients = Vec::with_capacity(rows.len());
    for r in rows {
        let open = |context: String, sealed: Option<String>| sealed.map(|s| db.seal.open(&context, &s)).transpose();
        let secret = open(context(realm, &r.client_uuid), r.sealed_secret)?;
        let secret = secret.map(|bytes| String::from_utf8(bytes.to_vec())).transpose();
        let mut settings = r.settings.0;
        if let Some(attributes) = open(attributes_context(realm, &r.client_uuid), r.sealed_attributes)? {
            let attributes: BTreeMap<String, String> = serde_json::from_slice(&attributes).map_err(StoreError::inconsistent)?;
            settings.attributes.extend(attributes);
        }
        clients.push(FoundClient {
            secret: secret.map_err(StoreError::inconsistent)?.map(Secret::new),
            uuid: ClientUuid::new(r.client_uuid),
            client_id: ClientId::new(r.client_id),
            enabled: r.enabled,
            not_before: r.not_before,
            settings,
            registration_token: r.registration_token,
        });
    }
    Ok(clients)
}

/// Gives the client a client scope; one that it has already becomes default or optional as told.
pub async fn put_client_scope(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    scope: &ClientScopeId,
    optional: bool,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into client_scope_of_client (realm_id, client_uuid, client_scope_id, optional) values ($1, $2, $3, $4)
         on conflict (realm_id, client_uuid, client_scope_id) do update set optional = excluded.optional",
        realm.as_str(),
        client.as_str(),
        scope.as_str(),
        optional,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_client_scope(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    scope: &ClientScopeId,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from client_scope_of_client where realm_id = $1 and client_uuid = $2 and client_scope_id = $3",
        realm.as_str(),
        client.as_str(),
        scope.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Which client has which client scope: (client, scope, optional).
pub(super) async fn list_assignments(
    db: &mut Db<'_>,
    realm: &RealmId,
) -> Result<Vec<(ClientUuid, ClientScopeId, bool)>, StoreError> {
    let rows = sqlx::query!(
        "select client_uuid, client_scope_id, optional from client_scope_of_client where realm_id = $1 order by client_scope_id",
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(|r| (ClientUuid::new(r.client_uuid), ClientScopeId::new(r.client_scope_id), r.optional)).collect())
}

pub async fn insert_scope_mapping(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    role: &RoleId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into client_scope_mapping (realm_id, client_uuid, role_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        client.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_scope_mapping(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    role: &RoleId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from client_scope_mapping where realm_id = $1 and client_uuid = $2 and role_id = $3",
        realm.as_str(),
        client.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub(super) async fn list_scope_mappings(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<(ClientUuid, RoleId)>, StoreError> {
    let rows = sqlx::query!("select client_uuid, role_id from client_scope_mapping where realm_id = $1", realm.as_str())
        .fetch_all(db.raw())
        .await?;
    Ok(rows.into_iter().map(|r| (ClientUuid::new(r.client_uuid), RoleId::new(r.role_id))).collect())
}
