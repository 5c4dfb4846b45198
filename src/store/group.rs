//! Groups and the roles that they give.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::model::{Group, GroupId, RealmId, RoleId};

/// Another group at the same place has this name.
pub const NAME_KEY: &str = "user_group_name_key";

/// Inserts the group itself; its roles are written by [`insert_role`].
pub async fn insert_group(db: &mut Db<'_>, realm: &RealmId, group: &Group) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into user_group (realm_id, group_id, parent_group_id, name, description, attributes, is_default)
         values ($1, $2, $3, $4, $5, $6, false)",
        realm.as_str(),
        group.id.as_str(),
        group.parent.as_ref().map(GroupId::as_str),
        group.name,
        group.description,
        Json(&group.attributes) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Writes the group itself where it is to be; false if it is not there.
pub async fn update_group(db: &mut Db<'_>, realm: &RealmId, group: &Group) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_group set parent_group_id = $3, name = $4, description = $5, attributes = $6
         where realm_id = $1 and group_id = $2",
        realm.as_str(),
        group.id.as_str(),
        group.parent.as_ref().map(GroupId::as_str),
        group.name,
        group.description,
        Json(&group.attributes) as _,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Deletes the group with all that stands below it.
pub async fn delete_group(db: &mut Db<'_>, realm: &RealmId, group: &GroupId) -> Result<bool, StoreError> {
    let done = sqlx::query!("delete from user_group where realm_id = $1 and group_id = $2", realm.as_str(), group.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Whether new users join the group; false if there is no such group.
pub async fn set_default(db: &mut Db<'_>, realm: &RealmId, group: &GroupId, is_default: bool) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_group set is_default = $3 where realm_id = $1 and group_id = $2",
        realm.as_str(),
        group.as_str(),
        is_default,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn insert_role(db: &mut Db<'_>, realm: &RealmId, group: &GroupId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into group_role (realm_id, group_id, role_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        group.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_role(db: &mut Db<'_>, realm: &RealmId, group: &GroupId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from group_role where realm_id = $1 and group_id = $2 and role_id = $3",
        realm.as_str(),
        group.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Every group, and whether new users join it.
pub(super) async fn list_groups(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<(Group, bool)>, StoreError> {
    let rows = sqlx::query!(
        r#"select g.group_id, g.parent_group_id, g.name, g.description, g.is_default,
             g.attributes as "attributes: Json<BTreeMap<String, Vec<String>>>",
             array(select r.role_id from group_role r where r.realm_id = $1 and r.group_id = g.group_id) as "roles!"
           from user_group g where g.realm_id = $1"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let group = Group {
                id: GroupId::new(r.group_id),
                parent: r.parent_group_id.map(GroupId::new),
                name: r.name,
                description: r.description,
                attributes: r.attributes.0,
                roles: r.roles.into_iter().map(RoleId::new).collect(),
            };
            (group, r.is_default)
        })
        .collect())
}
