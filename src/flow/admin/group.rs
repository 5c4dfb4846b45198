//! Groups: made, changed, moved, deleted, the roles that they give, and which of them new users join.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Refusal, fits, taken, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::admin_event::ResourceType;
use crate::model::group::MAX_DEPTH;
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

/// What every group has to keep to.
pub(super) fn check(name: &str, description: Option<&str>, attributes: &BTreeMap<String, Vec<String>>) -> Result<(), Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::Invalid("Group name is missing".to_owned()));
    }
    let texts = [name].into_iter().chain(description).chain(attributes.values().flatten().map(String::as_str));
    texts.into_iter().try_for_each(fits)
}

pub(super) fn check_depth(depth: usize) -> Result<(), Refusal> {
    if depth > MAX_DEPTH { Err(Refusal::Invalid("Groups cannot be nested any deeper".to_owned())) } else { Ok(()) }
}

/// Whether the group, with all that stands below it, is where it may be.
fn check_place(cx: &Cx, group: &Group) -> Result<(), Refusal> {
    let snapshot = cx.snapshot();
    let above = group.parent.as_ref().map(|parent| snapshot.lineage(parent)).unwrap_or_default();
    if above.iter().any(|other| other.id == group.id) {
        return Err(Refusal::Invalid("A group cannot be moved below itself".to_owned()));
    }
    let depth_below = |other: &GroupId| snapshot.lineage(other).iter().position(|above| above.id == group.id);
    let height = snapshot.groups.keys().filter_map(depth_below).max().unwrap_or_default();
    check_depth(above.len() + 1 + height)
}

fn sibling_exists(group: &Group) -> String {
    format!("Sibling group named '{}' already exists.", group.name)
}

/// Makes the group where its parent says.
pub async fn create(cx: &Cx, group: &Group) -> Result<(), Refusal> {
    check(&group.name, group.description.as_deref(), &group.attributes)?;
    check_place(cx, group)?;
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
    check(&group.name, group.description.as_deref(), &group.attributes)?;
    let before = cx.snapshot().groups.get(&group.id);
    if before.is_none_or(|before| before.parent != group.parent) {
        check_place(cx, group)?;
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
