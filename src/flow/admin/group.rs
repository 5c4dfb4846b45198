//! Groups: made, changed, moved, deleted, the roles that they give, and which of them new users join.

use std::collections::BTreeMap;

use serde_json::json;

use super::{MAX_NAME, Refusal, taken, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::admin_event::ResourceType;
use crate::model::{Group, GroupId, RoleId};
use crate::store;
use crate::store::group::NAME_KEY;

/// Of a group that is to be moved.
pub const NO_CHILD: Refusal = Refusal::NotFound("Could not find child by id");

/// The group with this id, or Keycloak's answer that there is none.
pub fn find<'a>(cx: &'a Cx, id: &str) -> Result<&'a Group, Refusal> {
    cx.snapshot().groups.get(id).ok_or(Refusal::NotFound("Could not find group by id"))
}

/// A new group without anything in it.
pub fn new(cx: &Cx, parent: Option<&GroupId>) -> Group {
    Group {
        id: GroupId::new(cx.entropy().uuid()),
        parent: parent.cloned(),
        name: String::new(),
        description: None,
        attributes: BTreeMap::new(),
        roles: Vec::new(),
    }
}

fn check(group: &Group) -> Result<(), Refusal> {
    if group.name.trim().is_empty() {
        return Err(Refusal::Invalid("Group name is missing".to_owned()));
    }
    let texts = [&group.name].into_iter().chain(&group.description).chain(group.attributes.values().flatten());
    if texts.into_iter().any(|text| text.chars().count() > MAX_NAME) {
        return Err(Refusal::Invalid("Database operation failed".to_owned()));
    }
    Ok(())
}

fn sibling_exists(group: &Group) -> String {
    format!("Sibling group named '{}' already exists.", group.name)
}

/// Makes the group where its parent says.
pub async fn create(cx: &Cx, group: &Group) -> Result<(), Refusal> {
    check(group)?;
    let realm = &cx.snapshot().realm.id;
    // Keycloak names the new one below its own address only at the top.
    let change = match &group.parent {
        None => Change::create(ResourceType::Group, group.id.as_str()),
        Some(_) => Change::add(ResourceType::Group),
    };
    write_decided(cx, async |db| {
        let inserted = store::group::insert_group(db, realm, group).await;
        inserted.map_err(|error| {
            taken(error, NAME_KEY, || match &group.parent {
                None => format!("Top level group named '{}' already exists.", group.name),
                Some(_) => sibling_exists(group),
            })
        })?;
        Ok(note(cx, db, change.with("id", group.id.as_str())).await?)
    })
    .await
}

/// Writes the group as it is to be, wherever it is to be.
pub async fn update(cx: &Cx, group: &Group) -> Result<(), Refusal> {
    check(group)?;
    if let Some(parent) = &group.parent
        && cx.snapshot().lineage(parent).iter().any(|above| above.id == group.id)
    {
        return Err(Refusal::Invalid("A group cannot be moved below itself".to_owned()));
    }
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        let updated = store::group::update_group(db, realm, group).await;
        updated.map_err(|error| taken(error, NAME_KEY, || sibling_exists(group)))?;
        Ok(note(cx, db, Change::update(ResourceType::Group)).await?)
    })
    .await
}

/// Deletes the group with all that stands below it.
pub async fn delete(cx: &Cx, group: &Group) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        if !store::group::delete_group(db, realm, &group.id).await? {
            return Err(Refusal::NotFound("Could not find group by id"));
        }
        Ok(note(
            cx,
            db,
            Change::delete(ResourceType::Group).showing(json!({"id": group.id, "name": group.name, "subGroups": []})),
        )
        .await?)
    })
    .await
}

/// Gives the group roles, or takes them away. `change`: as the event tells of them.
pub async fn change_roles(cx: &Cx, group: &GroupId, roles: &[RoleId], adds: bool, change: Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        for role in roles {
            if adds {
                store::group::insert_role(db, realm, group, role).await?;
            } else {
                store::group::delete_role(db, realm, group, role).await?;
            }
        }
        Ok(note(cx, db, change).await?)
    })
    .await
}

/// Whether users who are made from now on join the group.
pub async fn set_default(cx: &Cx, group: &GroupId, is_default: bool) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    let change = if is_default { Change::add(ResourceType::Group) } else { Change::delete(ResourceType::Group) };
    write_realm(cx, async |db| {
        if !store::group::set_default(db, realm, group, is_default).await? {
            return Err(Refusal::NotFound("Group not found"));
        }
        Ok(note(cx, db, change).await?)
    })
    .await
}
