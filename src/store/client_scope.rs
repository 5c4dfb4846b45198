//! Client scopes, their roles, and which of them new clients get.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::model::{ClientScope, ClientScopeId, RealmId, RoleId};

/// Another client scope of the realm has this name.
pub const NAME_KEY: &str = "client_scope_name_key";

/// Inserts the scope itself; its mappers and roles are written by functions of their own.
pub async fn insert_scope(db: &mut Db<'_>, realm: &RealmId, scope: &ClientScope) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into client_scope (realm_id, client_scope_id, name, description, protocol, attributes, assignment)
         values ($1, $2, $3, $4, $5, $6, null)",
        realm.as_str(),
        scope.id.as_str(),
        scope.name,
        scope.description,
        scope.protocol,
        Json(&scope.attributes) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_scope(db: &mut Db<'_>, realm: &RealmId, scope: &ClientScope) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update client_scope set name = $3, description = $4, protocol = $5, attributes = $6
         where realm_id = $1 and client_scope_id = $2",
        realm.as_str(),
        scope.id.as_str(),
        scope.name,
        scope.description,
        scope.protocol,
        Json(&scope.attributes) as _,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn delete_scope(db: &mut Db<'_>, realm: &RealmId, scope: &ClientScopeId) -> Result<bool, StoreError> {
    let done =
        sqlx::query!("delete from client_scope where realm_id = $1 and client_scope_id = $2", realm.as_str(), scope.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Whether clients that are made from now on get the scope: always (`Some(false)`), on request (`Some(true)`), or not.
pub async fn set_assignment(
    db: &mut Db<'_>,
    realm: &RealmId,
    scope: &ClientScopeId,
    optional: Option<bool>,
) -> Result<(), StoreError> {
    let assignment = optional.map(|o| if o { "optional" } else { "default" });
    sqlx::query!(
        "update client_scope set assignment = $3 where realm_id = $1 and client_scope_id = $2",
        realm.as_str(),
        scope.as_str(),
        assignment,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Every scope without its mappers, and its assignment: default (`Some(false)`), optional (`Some(true)`) or none.
pub(super) async fn list_scopes(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<(ClientScope, Option<bool>)>, StoreError> {
    let rows = sqlx::query!(
        r#"select s.client_scope_id, s.name, s.description, s.protocol, s.assignment,
             s.attributes as "attributes: Json<BTreeMap<String, String>>",
             array(select r.role_id from client_scope_role r where r.realm_id = $1 and r.client_scope_id = s.client_scope_id) as "roles!"
           from client_scope s where s.realm_id = $1"#,
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| {
            let scope = ClientScope {
                id: ClientScopeId::new(r.client_scope_id),
                name: r.name,
                description: r.description,
                protocol: r.protocol,
                attributes: r.attributes.0,
                mappers: Vec::new(),
                role_mappings: r.roles.into_iter().map(RoleId::new).collect(),
            };
            (scope, r.assignment.map(|a| a == "optional"))
        })
        .collect())
}

pub async fn insert_role(db: &mut Db<'_>, realm: &RealmId, scope: &ClientScopeId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into client_scope_role (realm_id, client_scope_id, role_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        scope.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_role(db: &mut Db<'_>, realm: &RealmId, scope: &ClientScopeId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from client_scope_role where realm_id = $1 and client_scope_id = $2 and role_id = $3",
        realm.as_str(),
        scope.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}
