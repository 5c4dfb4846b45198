//! Roles and their composites.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::model::{ClientUuid, RealmId, Role, RoleId};

/// Another role of the same realm or client has this name.
pub const NAME_KEY: &str = "role_name_key";

/// Inserts the role itself; its children are written by [`insert_composite`].
pub async fn insert_role(db: &mut Db<'_>, realm: &RealmId, role: &Role) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into role (realm_id, role_id, client_uuid, name, description, attributes) values ($1, $2, $3, $4, $5, $6)",
        realm.as_str(),
        role.id.as_str(),
        role.client.as_ref().map(ClientUuid::as_str),
        role.name,
        role.description,
        Json(&role.attributes) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_role(db: &mut Db<'_>, realm: &RealmId, role: &Role) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update role set name = $3, description = $4, attributes = $5 where realm_id = $1 and role_id = $2",
        realm.as_str(),
        role.id.as_str(),
        role.name,
        role.description,
        Json(&role.attributes) as _,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn delete_composite(db: &mut Db<'_>, realm: &RealmId, role: &RoleId, child: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from role_composite where realm_id = $1 and role_id = $2 and child_role_id = $3",
        realm.as_str(),
        role.as_str(),
        child.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn insert_composite(db: &mut Db<'_>, realm: &RealmId, role: &RoleId, child: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into role_composite (realm_id, role_id, child_role_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        role.as_str(),
        child.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_role(db: &mut Db<'_>, realm: &RealmId, role: &RoleId) -> Result<bool, StoreError> {
    let done = sqlx::query!("delete from role where realm_id = $1 and role_id = $2", realm.as_str(), role.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub(super) async fn list_roles(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<Role>, StoreError> {
    let rows = sqlx::query!(
        r#"select r.role_id, r.client_uuid, r.name, r.description,
             r.attributes as "attributes: Json<BTreeMap<String, Vec<String>>>",
             array(select c.child_role_id from role_composite c where c.realm_id = $1 and c.role_id = r.role_id) as "children!"
           from role r where r.realm_id = $1"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Role {
            id: RoleId::new(r.role_id),
            client: r.client_uuid.map(ClientUuid::new),
            name: r.name,
            description: r.description,
            attributes: r.attributes.0,
            children: r.children.into_iter().map(RoleId::new).collect(),
        })
        .collect())
}
