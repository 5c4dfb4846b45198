//! A realm's whole configuration, read at one moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{Db, Store, StoreError, client, client_scope, group, role, signing_key};
use crate::base::Timestamp;
use crate::model::{
    Client, ClientScopeId, ClientUuid, ProtocolMapper, ProtocolMapperId, Realm, RealmId, RealmSettings, RealmSnapshot, RoleId,
};

/// Reads a realm; `None` if there is none with this id.
pub async fn load(store: &Store, realm: &RealmId) -> Result<Option<RealmSnapshot>, StoreError> {
    load_in(&mut store.snapshot().await?, realm).await
}

/// The same within a transaction, which has to see one moment.
pub async fn load_in(db: &mut Db<'_>, realm: &RealmId) -> Result<Option<RealmSnapshot>, StoreError> {
    let Some(row) = realm_row(db, realm).await? else { return Ok(None) };
    let mut mappers = mappers(db, realm).await?;
    let mut clients = clients(db, realm, &mut mappers.of_clients).await?;
    let scopes = client_scope::list_scopes(db, realm).await?;
    let groups = group::list_groups(db, realm).await?;
    let roles = role::list_roles(db, realm).await?;
    let keys = signing_key::list_keys(db, realm).await?;
    let assigned = |optional: bool| {
        let mut ids: Vec<_> = scopes.iter().filter(|(_, a)| *a == Some(optional)).map(|(s, _)| s.id.clone()).collect();
        ids.sort();
        ids
    };
    let realm = Realm {
        default_scopes: assigned(false),
        optional_scopes: assigned(true),
        default_groups: groups.iter().filter(|(_, is_default)| *is_default).map(|(g, _)| g.id.clone()).collect(),
        ..row
    };
    let client_ids = clients.iter().map(|c| (c.client_id.clone(), c.uuid.clone())).collect();
    Ok(Some(RealmSnapshot {
        realm,
        clients: clients.drain(..).map(|c| (c.uuid.clone(), Arc::new(c))).collect(),
        client_ids,
        scopes: scopes
            .into_iter()
            .map(|(mut scope, _)| {
                scope.mappers = mappers.of_scopes.remove(&scope.id).unwrap_or_default();
                (scope.id.clone(), scope)
            })
            .collect(),
        roles: roles.into_iter().map(|r| (r.id.clone(), r)).collect(),
        groups: groups.into_iter().map(|(g, _)| (g.id.clone(), g)).collect(),
        keys,
    }))
}

async fn realm_row(db: &mut Db<'_>, realm: &RealmId) -> Result<Option<Realm>, StoreError> {
    let row = sqlx::query!(
        r#"select name, enabled, not_before, version, lifespans_changed_at, default_role_id, user_profile,
             settings as "settings: Json<Map<String, Value>>"
           from realm where realm_id = $1"#,
        realm.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| Realm {
        id: realm.clone(),
        name: r.name,
        enabled: r.enabled,
        not_before: r.not_before,
        version: r.version,
        lifespans_changed_at: Timestamp::from_offset(r.lifespans_changed_at),
        default_role: RoleId::new(r.default_role_id),
        default_groups: Vec::new(),
        default_scopes: Vec::new(),
        optional_scopes: Vec::new(),
        user_profile: r.user_profile,
        settings: RealmSettings::of(&r.settings.0),
        document: r.settings.0,
    }))
}

async fn clients(
    db: &mut Db<'_>,
    realm: &RealmId,
    mappers: &mut HashMap<ClientUuid, Vec<ProtocolMapper>>,
) -> Result<Vec<Client>, StoreError> {
    let mut defaults: HashMap<ClientUuid, Vec<ClientScopeId>> = HashMap::new();
    let mut optionals: HashMap<ClientUuid, Vec<ClientScopeId>> = HashMap::new();
    for (client, scope, optional) in client::list_assignments(db, realm).await? {
        let lists = if optional { &mut optionals } else { &mut defaults };
        lists.entry(client).or_default().push(scope);
    }
    let mut scope_mappings: HashMap<ClientUuid, Vec<RoleId>> = HashMap::new();
    for (client, role) in client::list_scope_mappings(db, realm).await? {
        scope_mappings.entry(client).or_default().push(role);
    }
    let found = client::list_clients(db, realm).await?;
    Ok(found
        .into_iter()
        .map(|row| Client {
            default_scopes: defaults.remove(&row.uuid).unwrap_or_default(),
            optional_scopes: optionals.remove(&row.uuid).unwrap_or_default(),
            mappers: mappers.remove(&row.uuid).unwrap_or_default(),
            scope_mappings: scope_mappings.remove(&row.uuid).unwrap_or_default(),
            uuid: row.uuid,
            client_id: row.client_id,
            enabled: row.enabled,
            not_before: row.not_before,
            secret: row.secret,
            settings: row.settings,
            registration_token: row.registration_token,
        })
        .collect())
}

struct Mappers {
    of_clients: HashMap<ClientUuid, Vec<ProtocolMapper>>,
    of_scopes: HashMap<ClientScopeId, Vec<ProtocolMapper>>,
}

async fn mappers(db: &mut Db<'_>, realm: &RealmId) -> Result<Mappers, StoreError> {
    let rows = sqlx::query!(
        r#"select protocol_mapper_id, client_uuid, client_scope_id, name, protocol, mapper_type,
             config as "config: Json<BTreeMap<String, String>>"
           from protocol_mapper where realm_id = $1 order by name, protocol_mapper_id"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    let mut found = Mappers { of_clients: HashMap::new(), of_scopes: HashMap::new() };
    for r in rows {
        let mapper = ProtocolMapper {
            id: ProtocolMapperId::new(r.protocol_mapper_id),
            name: r.name,
            protocol: r.protocol,
            mapper_type: r.mapper_type,
            config: r.config.0,
        };
        match (r.client_uuid, r.client_scope_id) {
            (Some(client), _) => found.of_clients.entry(ClientUuid::new(client)).or_default().push(mapper),
            (None, Some(scope)) => found.of_scopes.entry(ClientScopeId::new(scope)).or_default().push(mapper),
            (None, None) => return Err(StoreError::inconsistent("protocol_mapper without an owner")),
        }
    }
    Ok(found)
}
