//! Users: who they are and what they hold.

use std::collections::BTreeMap;

use serde_json::Value;
use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ClientScopeId, ClientUuid, Consent, GroupId, RealmId, RoleId, User, UserId};

/// Another user of the realm has this name.
pub const USERNAME_KEY: &str = "user_account_username_key";
/// Another user of the realm has this e-mail address, and the realm allows each only once.
pub const EMAIL_KEY: &str = "user_account_email_key";

/// A consent as the statement below puts it together.
#[derive(serde::Deserialize)]
pub(super) struct ConsentRow {
    client: String,
    client_itself: bool,
    created: i64,
    updated: i64,
    scopes: Vec<String>,
}

pub(super) struct UserRow {
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) email_verified: bool,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) enabled: bool,
    pub(super) not_before: i64,
    pub(super) version: i64,
    pub(super) attributes: Json<BTreeMap<String, Vec<String>>>,
    pub(super) required_actions: Vec<String>,
    pub(super) service_account_client_uuid: Option<String>,
    pub(super) created_at: time::OffsetDateTime,
    pub(super) roles: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) consents: Json<Vec<ConsentRow>>,
}

impl From<UserRow> for User {
    fn from(r: UserRow) -> Self {
        Self {
            id: UserId::new(r.user_id),
            username: r.username,
            email: r.email,
            email_verified: r.email_verified,
            first_name: r.first_name,
            last_name: r.last_name,
            enabled: r.enabled,
            not_before: r.not_before,
            version: r.version,
            attributes: r.attributes.0,
            required_actions: r.required_actions,
            service_account_of: r.service_account_client_uuid.map(ClientUuid::new),
            created_at: Timestamp::from_offset(r.created_at),
            roles: r.roles.into_iter().map(RoleId::new).collect(),
            groups: r.groups.into_iter().map(GroupId::new).collect(),
            consents: r.consents.0.into_iter().map(Consent::from).collect(),
        }
    }
}

impl From<ConsentRow> for Consent {
    fn from(r: ConsentRow) -> Self {
        Self {
            client: ClientUuid::new(r.client),
            scopes: r.scopes.into_iter().map(ClientScopeId::new).collect(),
            client_itself: r.client_itself,
            created_at: Timestamp::from_unix_micros(r.created),
            updated_at: Timestamp::from_unix_micros(r.updated),
        }
    }
}

/// Reads users whole, each with one statement. The text after `where` names the realm as `$1`.
macro_rules! select_users {
    ($condition:literal $(+ $more:literal)*, $($argument:expr),+) => {
        sqlx::query_as!(
            UserRow,
            r#"select u.user_id, u.username, u.email, u.email_verified, u.first_name, u.last_name, u.enabled, u.not_before,
                 u.version, u.attributes as "attributes: Json<BTreeMap<String, Vec<String>>>", u.required_actions,
                 u.service_account_client_uuid, u.created_at,
                 array(select m.role_id from user_role m
                       where m.realm_id = $1 and m.user_id = u.user_id order by m.role_id) as "roles!",
                 array(select m.group_id from user_group_membership m
                       where m.realm_id = $1 and m.user_id = u.user_id order by m.group_id) as "groups!",
                 coalesce((select jsonb_agg(jsonb_build_object(
                     'client', c.client_uuid, 'client_itself', c.client_itself,
                     'created', (extract(epoch from c.created_at) * 1000000)::bigint,
                     'updated', (extract(epoch from c.updated_at) * 1000000)::bigint,
                     'scopes', array(select s.client_scope_id from user_consent_scope s
                                     where s.realm_id = $1 and s.user_id = u.user_id and s.client_uuid = c.client_uuid)))
                   from user_consent c where c.realm_id = $1 and c.user_id = u.user_id), '[]'::jsonb)
                   as "consents!: Json<Vec<ConsentRow>>"
               from user_account u where u.realm_id = $1 and "# + $condition $(+ $more)*,
            $($argument),+
        )
    };
}
pub(super) use select_users;

pub async fn find_user(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<Option<User>, StoreError> {
    let row = select_users!("u.user_id = $2", realm.as_str(), user.as_str()).fetch_optional(db.raw()).await?;
    Ok(row.map(User::from))
}

/// The user with this name or, if the realm allows it, this e-mail address; whatever the case of either.
pub async fn find_user_by_login(
    db: &mut Db<'_>,
    realm: &RealmId,
    login: &str,
    by_email: bool,
) -> Result<Option<User>, StoreError> {
    let login = login.trim().to_lowercase();
    let rows = select_users!(
        "(u.username = $2 or ($3 and u.email = $2)) order by u.username = $2 desc limit 2",
        realm.as_str(),
        login,
        by_email
    )
    .fetch_all(db.raw())
    .await?;
    let mut users: Vec<User> = rows.into_iter().map(User::from).collect();
    // An address that two users share signs nobody in.
    let ambiguous = users.len() == 2 && users[0].username != login;
    Ok(if ambiguous || users.is_empty() { None } else { Some(users.swap_remove(0)) })
}

pub async fn find_service_account(db: &mut Db<'_>, realm: &RealmId, client: &ClientUuid) -> Result<Option<User>, StoreError> {
    let row =
        select_users!("u.service_account_client_uuid = $2", realm.as_str(), client.as_str()).fetch_optional(db.raw()).await?;
    Ok(row.map(User::from))
}

/// The present versions of a realm and a user, to confirm a decision that was taken on copies of them.
pub async fn find_versions(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<Option<(i64, i64)>, StoreError> {
    let row = sqlx::query!(
        "select r.version as realm_version, u.version as user_version from realm r
         join user_account u on u.realm_id = r.realm_id and u.user_id = $2 where r.realm_id = $1",
        realm.as_str(),
        user.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| (r.realm_version, r.user_version)))
}

/// Inserts the user itself, at a version that nobody of its id ever had. `unique_email`: whether no other user may have the same
/// address.
pub async fn insert_user(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &User,
    unique_email: bool,
    federated_identities: &Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into user_account (realm_id, user_id, username, email, unique_email, email_verified, first_name, last_name, enabled,
           not_before, version, attributes, required_actions, federated_identities, service_account_client_uuid, created_at)
         values ($1, $2, $3, $4, case when $5 then $4 end, $6, $7, $8, $9, $10, nextval('first_version'), $11, $12, $13, $14, $15)",
        realm.as_str(),
        user.id.as_str(),
        user.username,
        user.email,
        unique_email,
        user.email_verified,
        user.first_name,
        user.last_name,
        user.enabled,
        user.not_before,
        Json(&user.attributes) as _,
        &user.required_actions,
        federated_identities,
        user.service_account_of.as_ref().map(ClientUuid::as_str),
        user.created_at.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn update_user(db: &mut Db<'_>, realm: &RealmId, user: &User, unique_email: bool) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set username = $3, email = $4, unique_email = case when $5 then $4 end, email_verified = $6,
           first_name = $7, last_name = $8, enabled = $9, not_before = $10, attributes = $11, required_actions = $12,
           version = version + 1
         where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.id.as_str(),
        user.username,
        user.email,
        unique_email,
        user.email_verified,
        user.first_name,
        user.last_name,
        user.enabled,
        user.not_before,
        Json(&user.attributes) as _,
        &user.required_actions,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Marks the user as changed: what they hold is written by functions of their own.
pub async fn touch(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set version = version + 1 where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Asks something of the user, who is not asked twice for the same; false if that is so already.
pub async fn add_required_action(db: &mut Db<'_>, realm: &RealmId, user: &UserId, action: &str) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set required_actions = array_append(required_actions, $3), version = version + 1
         where realm_id = $1 and user_id = $2 and not $3 = any(required_actions)",
        realm.as_str(),
        user.as_str(),
        action,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// The user has done what was asked. Nothing else of the user is written: an administrator may be changing it.
pub async fn delete_required_action(db: &mut Db<'_>, realm: &RealmId, user: &UserId, action: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "update user_account set required_actions = array_remove(required_actions, $3), version = version + 1
         where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.as_str(),
        action,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// What was issued to the user before this is stale; a later one stays.
pub async fn raise_not_before(db: &mut Db<'_>, realm: &RealmId, user: &UserId, not_before: i64) -> Result<(), StoreError> {
    sqlx::query!(
        "update user_account set not_before = greatest(not_before, $3), version = version + 1 where realm_id = $1 and user_id = $2",
        realm.as_str(),
        user.as_str(),
        not_before,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_user(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<bool, StoreError> {
    let done = sqlx::query!("delete from user_account where realm_id = $1 and user_id = $2", realm.as_str(), user.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn insert_role(db: &mut Db<'_>, realm: &RealmId, user: &UserId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into user_role (realm_id, user_id, role_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        user.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_role(db: &mut Db<'_>, realm: &RealmId, user: &UserId, role: &RoleId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from user_role where realm_id = $1 and user_id = $2 and role_id = $3",
        realm.as_str(),
        user.as_str(),
        role.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn insert_membership(db: &mut Db<'_>, realm: &RealmId, user: &UserId, group: &GroupId) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into user_group_membership (realm_id, user_id, group_id) values ($1, $2, $3) on conflict do nothing",
        realm.as_str(),
        user.as_str(),
        group.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_membership(db: &mut Db<'_>, realm: &RealmId, user: &UserId, group: &GroupId) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from user_group_membership where realm_id = $1 and user_id = $2 and group_id = $3",
        realm.as_str(),
        user.as_str(),
        group.as_str(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Holds the user's row until the end of the transaction: of those who call it, one goes on at a time. Whoever locks sessions, too,
/// begins with this. What is read of the user under it is read by a statement of its own, which sees what others wrote until then.
pub async fn lock(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<(), StoreError> {
    sqlx::query!(
        "select user_id from user_account where realm_id = $1 and user_id = $2 for no key update",
        realm.as_str(),
        user.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(())
}
