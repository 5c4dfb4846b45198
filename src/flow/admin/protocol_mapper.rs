//! Protocol mappers of clients and client scopes: made, one or several at once, changed, deleted.

use super::{Refusal, fits, taken, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::ProtocolMapper;
use crate::model::admin_event::ResourceType;
use crate::oidc::mapper::kind;
use crate::store;
use crate::store::protocol_mapper::{MapperOwner, NAME_KEY};

const NOT_FOUND: Refusal = Refusal::NotFound("Model not found");

/// The mapper with this id among those of its owner.
pub fn find<'a>(mappers: &'a [ProtocolMapper], id: &str) -> Result<&'a ProtocolMapper, Refusal> {
    mappers.iter().find(|m| m.id.as_str() == id).ok_or(NOT_FOUND)
}

/// What Keycloak's tables would refuse, and a kind that nobody knows.
pub(in crate::flow) fn check(mapper: &ProtocolMapper) -> Result<(), Refusal> {
    if mapper.name.trim().is_empty() || mapper.protocol.trim().is_empty() {
        return Err(Refusal::Duplicate);
    }
    fits(&mapper.name)?;
    if kind::is_known(&mapper.mapper_type) { Ok(()) } else { Err(Refusal::NotFound("ProtocolMapper provider not found")) }
}

/// Adds a mapper.
pub async fn create(cx: &Cx, owner: MapperOwner<'_>, mapper: &ProtocolMapper) -> Result<(), Refusal> {
    check(mapper)?;
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        let inserted = store::protocol_mapper::insert_mapper(db, realm, owner, mapper).await;
        inserted.map_err(|e| taken(e, NAME_KEY, || "Protocol mapper exists with same name".to_owned()))?;
        Ok(note(cx, db, Change::create(ResourceType::ProtocolMapper, mapper.id.as_str())).await?)
    })
    .await
}

/// Adds several mappers, or none.
pub async fn create_all(cx: &Cx, owner: MapperOwner<'_>, mappers: &[ProtocolMapper]) -> Result<(), Refusal> {
    mappers.iter().try_for_each(check)?;
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        for mapper in mappers {
            let inserted = store::protocol_mapper::insert_mapper(db, realm, owner, mapper).await;
            inserted.map_err(|error| match error.is_conflict(NAME_KEY) {
                true => Refusal::DuplicateOf("Protocol mapper name must be unique per protocol"),
                false => error.into(),
            })?;
        }
        Ok(note(cx, db, Change::add(ResourceType::ProtocolMapper)).await?)
    })
    .await
}

/// Writes the mapper as it is to be.
pub async fn update(cx: &Cx, mapper: &ProtocolMapper) -> Result<(), Refusal> {
    check(mapper)?;
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        let updated = store::protocol_mapper::update_mapper(db, realm, mapper).await;
        updated.map_err(|e| taken(e, NAME_KEY, || "Protocol mapper exists with same name".to_owned()))?;
        Ok(note(cx, db, Change::update(ResourceType::ProtocolMapper)).await?)
    })
    .await
}

pub async fn delete(cx: &Cx, mapper: &ProtocolMapper) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        if !store::protocol_mapper::delete_mapper(db, realm, &mapper.id).await? {
            return Err(NOT_FOUND);
        }
        Ok(note(cx, db, Change::delete(ResourceType::ProtocolMapper)).await?)
    })
    .await
}
