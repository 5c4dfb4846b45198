//! What a user holds: roles, places in groups, and credentials; given and taken away.

use serde_json::Value;

use super::user::write;
use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::flow::event;
use crate::model::admin_event::ResourceType;
use crate::model::event::Event;
use crate::model::{CredentialId, GroupId, RoleId, User, UserId};
use crate::store::federated_identity::FederatedIdentity;
use crate::store::{self, StoreError};

/// Roles of the realm, or of one client; false if there is no such user. `change`: as the event tells of them.
pub async fn change_roles(cx: &Cx, user: &UserId, roles: &[RoleId], adds: bool, change: Change) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    write(cx, user, async |db| {
        for role in roles {
            if adds {
                store::user::insert_role(db, realm, user, role).await?;
            } else {
                store::user::delete_role(db, realm, user, role).await?;
            }
        }
        note(cx, db, change).await
    })
    .await
}

/// False if there is no such user. `shown`: the group as the event tells of it.
pub async fn change_membership(cx: &Cx, user: &User, group: &GroupId, joins: bool, shown: Value) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let change = Change::add_or_remove(ResourceType::GroupMembership, joins).showing(shown);
    write(cx, &user.id, async |db| {
        if joins {
            store::user::insert_membership(db, realm, &user.id, group).await?;
        } else {
            store::user::delete_membership(db, realm, &user.id, group).await?;
        }
        note(cx, db, change.detail("username", user.username.as_str())).await
    })
    .await
}

/// None if there is no such user, false if the user has no such credential. `told`: the event of a user who did it, written along.
pub async fn delete_credential(
    cx: &Cx,
    user: &UserId,
    credential: &CredentialId,
    told: Option<&Event>,
) -> Result<Option<bool>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut deleted = false;
    let is_there = write(cx, user, async |db| {
        let Some(kind) = store::credential::delete_credential(db, realm, user, credential).await? else { return Ok(()) };
        deleted = true;
        if let Some(told) = told {
            event::record_in(cx, db, told).await?;
        }
        let change = Change::action(ResourceType::User).detail("credential_type", kind);
        note(cx, db, change.detail("credential_id", credential.as_str())).await
    });
    Ok(is_there.await?.then_some(deleted))
}

/// Where a credential is put.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    First,
    Behind(&'a CredentialId),
}

/// Names the credential; as for all of these, `None` if there is no such user, false if the user has no such credential.
pub async fn label_credential(
    cx: &Cx,
    user: &UserId,
    credential: &CredentialId,
    label: &str,
) -> Result<Option<bool>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut is_labelled = false;
    let is_there = write(cx, user, async |db| {
        is_labelled = store::credential::set_label(db, realm, user, credential, label).await?;
        if !is_labelled {
            return Ok(());
        }
        note(cx, db, Change::update(ResourceType::User).showing_nothing().detail("credential_id", credential.as_str())).await
    });
    Ok(is_there.await?.then_some(is_labelled))
}

/// Puts the credential at another place in the order in which the user's are asked for.
pub async fn move_credential(
    cx: &Cx,
    user: &UserId,
    credential: &CredentialId,
    place: Place<'_>,
) -> Result<Option<bool>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut is_moved = false;
    let is_there = write(cx, user, async |db| {
        let held = store::credential::list_credentials(db, realm, user).await?;
        let mut order: Vec<&CredentialId> = held.iter().map(|held| &held.id).collect();
        let Some(from) = order.iter().position(|id| *id == credential) else { return Ok(()) };
        let moved = order.remove(from);
        let to = match place {
            Place::First => 0,
            Place::Behind(other) => match order.iter().position(|id| *id == other) {
                Some(at) => at + 1,
                None => return Ok(()),
            },
        };
        order.insert(to, moved);
        is_moved = true;
        store::credential::set_order(db, realm, user, &order).await?;
        note(cx, db, Change::update(ResourceType::User).showing_nothing().detail("credential_id", credential.as_str())).await
    });
    Ok(is_there.await?.then_some(is_moved))
}

/// Links the user to somebody at an identity provider; false where there is a link to it already.
pub async fn link(cx: &Cx, user: &UserId, identity: &FederatedIdentity) -> Result<Option<bool>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut is_linked = false;
    let is_there = write(cx, user, async |db| {
        is_linked = store::federated_identity::insert_federated_identity(db, realm, user, identity).await?;
        if is_linked { note(cx, db, Change::add(ResourceType::User)).await } else { Ok(()) }
    });
    Ok(is_there.await?.then_some(is_linked))
}

/// Takes the link to the provider away; false where there is none.
pub async fn unlink(cx: &Cx, user: &UserId, provider: &str) -> Result<Option<bool>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut was_linked = false;
    let is_there = write(cx, user, async |db| {
        was_linked = store::federated_identity::delete_federated_identity(db, realm, user, provider).await?;
        if was_linked { note(cx, db, Change::delete(ResourceType::User)).await } else { Ok(()) }
    });
    Ok(is_there.await?.then_some(was_linked))
}
