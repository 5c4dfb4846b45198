//! Protocol mappers of clients and of client scopes.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::model::{ClientScopeId, ClientUuid, ProtocolMapper, ProtocolMapperId, RealmId};

/// Another mapper of the client or scope has this name.
pub const NAME_KEY: &str = "protocol_mapper_name_key";

/// Whose mapper it is.
#[derive(Clone, Copy, Debug)]
pub enum MapperOwner<'a> {
    Client(&'a ClientUuid),
    Scope(&'a ClientScopeId),
}

pub async fn insert_mapper(
    db: &mut Db<'_>,
    realm: &RealmId,
    owner: MapperOwner<'_>,
    mapper: &ProtocolMapper,
) -> Result<(), StoreError> {
    let (client, scope) = match owner {
        MapperOwner::Client(client) => (Some(client.as_str()), None),
        MapperOwner::Scope(scope) => (None, Some(scope.as_str())),
    };
    sqlx::query!(
        "insert into protocol_mapper (realm_id, protocol_mapper_id, client_uuid, client_scope_id, name, protocol, mapper_type, config)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        realm.as_str(),
        mapper.id.as_str(),
        client,
        scope,
        mapper.name,
        mapper.protocol,
        mapper.mapper_type,
        Json(&mapper.config) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_mapper(db: &mut Db<'_>, realm: &RealmId, mapper: &ProtocolMapper) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update protocol_mapper set name = $3, protocol = $4, mapper_type = $5, config = $6
         where realm_id = $1 and protocol_mapper_id = $2",
        realm.as_str(),
        mapper.id.as_str(),
        mapper.name,
        mapper.protocol,
        mapper.mapper_type,
        Json(&mapper.config) as _,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn delete_mapper(db: &mut Db<'_>, realm: &RealmId, mapper: &ProtocolMapperId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from protocol_mapper where realm_id = $1 and protocol_mapper_id = $2",
        realm.as_str(),
        mapper.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
