//! Client scopes: made, changed, deleted, and the roles that they are tied to.

use super::{Refusal, fits, taken, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::admin_event::ResourceType;
use crate::model::{ClientScope, ClientScopeId, RoleId};
use crate::store;
use crate::store::client_scope::NAME_KEY;
use crate::store::protocol_mapper::MapperOwner;

const PROTOCOLS: [&str; 3] = ["openid-connect", "saml", "oid4vc"];

/// The scope with this id, or Keycloak's answer that there is none.
pub fn find<'a>(cx: &'a Cx, id: &str) -> Result<&'a ClientScope, Refusal> {
    cx.snapshot().scopes.get(id).ok_or(Refusal::NotFound("Could not find client scope"))
}

/// A name is a word of the `scope` parameter (RFC 6749 §3.3).
fn check(scope: &ClientScope) -> Result<(), Refusal> {
    let is_word = scope.name.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if scope.name.is_empty() || !is_word {
        return Err(Refusal::Invalid(format!("Unexpected name \"{}\" for ClientScope", scope.name)));
    }
    if !PROTOCOLS.contains(&scope.protocol.as_str()) {
        return Err(Refusal::Invalid("Unexpected protocol".to_owned()));
    }
    fits(&scope.name)
}

pub async fn create(cx: &Cx, scope: &ClientScope) -> Result<(), Refusal> {
    check(scope)?;
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        let inserted = store::client_scope::insert_scope(db, realm, scope).await;
        inserted.map_err(|e| taken(e, NAME_KEY, || format!("Client Scope {} already exists", scope.name)))?;
        for mapper in &scope.mappers {
            store::protocol_mapper::insert_mapper(db, realm, MapperOwner::Scope(&scope.id), mapper).await?;
        }
        Ok(note(cx, db, Change::create(ResourceType::ClientScope, scope.id.as_str())).await?)
    })
    .await
}

pub async fn update(cx: &Cx, after: &ClientScope) -> Result<(), Refusal> {
    check(after)?;
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        let updated = store::client_scope::update_scope(db, realm, after).await;
        updated.map_err(|e| taken(e, NAME_KEY, || format!("Client Scope {} already exists", after.name)))?;
        Ok(note(cx, db, Change::update(ResourceType::ClientScope)).await?)
    })
    .await
}

pub async fn delete(cx: &Cx, scope: &ClientScope) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        if !store::client_scope::delete_scope(db, realm, &scope.id).await? {
            return Err(Refusal::NotFound("Could not find client scope"));
        }
        Ok(note(cx, db, Change::delete(ResourceType::ClientScope)).await?)
    })
    .await
}

/// Ties the scope to roles, or unties it.
pub async fn change_roles(cx: &Cx, scope: &ClientScopeId, roles: &[RoleId], add: bool, change: Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        for role in roles {
            if add {
                store::client_scope::insert_role(db, realm, scope, role).await?;
            } else {
                store::client_scope::delete_role(db, realm, scope, role).await?;
            }
        }
        Ok(note(cx, db, change).await?)
    })
    .await
}

/// What new clients get: a scope becomes default or optional for them, once.
pub async fn assign(cx: &Cx, scope: &str, optional: bool) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    let found = cx.snapshot().scopes.get(scope).ok_or(Refusal::NotFound("Client scope not found"))?;
    if realm.default_scopes.contains(&found.id) || realm.optional_scopes.contains(&found.id) {
        return Err(Refusal::Duplicate);
    }
    write_decided(cx, async |db| {
        store::client_scope::set_assignment(db, &realm.id, &found.id, Some(optional)).await?;
        Ok(note(cx, db, Change::add(ResourceType::ClientScope)).await?)
    })
    .await
}

/// New clients get the scope no more, whichever way they got it.
pub async fn unassign(cx: &Cx, scope: &str) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    let found = cx.snapshot().scopes.get(scope).ok_or(Refusal::NotFound("Client scope not found"))?;
    write_realm(cx, async |db| {
        store::client_scope::set_assignment(db, realm, &found.id, None).await?;
        Ok(note(cx, db, Change::delete(ResourceType::ClientScope)).await?)
    })
    .await
}
