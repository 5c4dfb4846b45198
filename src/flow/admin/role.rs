//! Roles of the realm and of clients: made, changed, deleted, and composed.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Refusal, fits, taken, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::admin_event::ResourceType;
use crate::model::{ClientUuid, Role, RoleId};
use crate::oidc::admin_roles::is_administrative;
use crate::store;
use crate::store::role::NAME_KEY;

/// Descriptions and attributes are no longer than names.
pub(super) fn check(role: &Role) -> Result<(), Refusal> {
    fits(&role.name)?;
    role.description.iter().chain(role.attributes.values().flatten()).try_for_each(|text| fits(text))
}

/// What an event calls the role.
fn kind_of(role: &Role) -> ResourceType {
    if role.client.is_some() { ResourceType::ClientRole } else { ResourceType::RealmRole }
}

pub fn refuse_administrative(cx: &Cx, role: &Role) -> Result<(), Refusal> {
    if is_administrative(cx.snapshot(), role) { Err(Refusal::Forbidden) } else { Ok(()) }
}

pub const NOT_FOUND: Refusal = Refusal::NotFound("Could not find role");

/// The role of this name: of the realm, or of a client.
pub fn find<'a>(cx: &'a Cx, client: Option<&ClientUuid>, name: &str) -> Result<&'a Role, Refusal> {
    let found = match client {
        None => cx.snapshot().realm_role(name),
        Some(client) => cx.snapshot().client_role(client, name),
    };
    found.ok_or(NOT_FOUND)
}

/// A new role without anything in it.
pub fn new(cx: &Cx, client: Option<ClientUuid>, name: &str) -> Role {
    Role {
        id: RoleId::new(cx.entropy().uuid()),
        client,
        name: name.to_owned(),
        description: None,
        attributes: BTreeMap::new(),
        children: Vec::new(),
    }
}

pub async fn create(cx: &Cx, role: &Role) -> Result<(), Refusal> {
    check(role)?;
    refuse_administrative(cx, role)?;
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        let inserted = store::role::insert_role(db, realm, role).await;
        inserted.map_err(|e| taken(e, NAME_KEY, || format!("Role with name {} already exists", role.name)))?;
        for child in &role.children {
            store::role::insert_composite(db, realm, &role.id, child).await?;
        }
        let change = Change::create(kind_of(role), &role.name).with("id", role.id.as_str());
        Ok(note(cx, db, change.with("composite", !role.children.is_empty())).await?)
    })
    .await
}

pub async fn update(cx: &Cx, before: &Role, after: &Role) -> Result<(), Refusal> {
    check(after)?;
    if before.name != after.name {
        refuse_administrative(cx, before)?;
        refuse_administrative(cx, after)?;
    }
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        store::role::update_role(db, realm, after).await?;
        Ok(note(cx, db, Change::update(kind_of(after)).with("composite", !after.children.is_empty())).await?)
    })
    .await
}

/// Deletes a role; the one that every user has stays.
pub async fn delete(cx: &Cx, role: &Role) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    refuse_administrative(cx, role)?;
    if role.id == realm.default_role {
        return Err(Refusal::Invalid(format!("{} is default role of the realm and cannot be removed.", role.name)));
    }
    write_realm(cx, async |db| {
        if !store::role::delete_role(db, &realm.id, &role.id).await? {
            return Err(NOT_FOUND);
        }
        let shown = json!({"id": role.id, "name": role.name, "composite": !role.children.is_empty()});
        Ok(note(cx, db, Change::delete(kind_of(role)).showing(shown)).await?)
    })
    .await
}

/// Puts roles into a composite, or takes them out of it.
pub async fn change_composites(cx: &Cx, role: &Role, children: &[RoleId], add: bool) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        for child in children {
            if add {
                store::role::insert_composite(db, realm, &role.id, child).await?;
            } else {
                store::role::delete_composite(db, realm, &role.id, child).await?;
            }
        }
        Ok(note(cx, db, Change::add_or_remove(kind_of(role), add)).await?)
    })
    .await
}
