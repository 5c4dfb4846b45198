//! Credentials. A password's hash stands as it is; the secret of any other kind is sealed.

use std::collections::HashSet;

use serde_json::Value;

use super::{Db, StoreError};
use crate::base::{Secret, Timestamp};
use crate::model::credential::{Credential, PASSWORD};
use crate::model::{CredentialId, RealmId, UserId};

fn context(realm: &RealmId, user: &UserId, credential: &str) -> String {
    format!("{realm}|credential|secret_data|{user}|{credential}")
}

/// The user's credentials, the one to try first first.
pub async fn list_credentials(db: &mut Db<'_>, realm: &RealmId, user: &UserId) -> Result<Vec<Credential>, StoreError> {
    let found = list_credentials_of(db, realm, std::slice::from_ref(user)).await?;
    Ok(found.into_iter().map(|(_, credential)| credential).collect())
}

/// The credentials of several users, each user's in the order in which they are tried.
pub async fn list_credentials_of(
    db: &mut Db<'_>,
    realm: &RealmId,
    users: &[UserId],
) -> Result<Vec<(UserId, Credential)>, StoreError> {
    let users: Vec<String> = users.iter().map(|user| user.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "select user_id, credential_id, kind, user_label, secret_data, credential_data, priority, created_at, last_step
         from credential where realm_id = $1 and user_id = any($2) order by user_id, priority, created_at, credential_id",
        realm.as_str(),
        &users,
    )
    .fetch_all(db.raw())
    .await?;
    let seal = db.seal.clone();
    rows.into_iter()
        .map(|r| {
            let user = UserId::new(r.user_id);
            let secret_data = if r.kind == PASSWORD {
                Secret::new(r.secret_data)
            } else {
                let plain = seal.open(&context(realm, &user, &r.credential_id), &r.secret_data)?;
                Secret::new(String::from_utf8(plain.to_vec()).map_err(StoreError::inconsistent)?)
            };
            let credential = Credential {
                id: CredentialId::new(r.credential_id),
                kind: r.kind,
                user_label: r.user_label,
                created_at: Timestamp::from_offset(r.created_at),
                secret_data,
                credential_data: r.credential_data,
                priority: r.priority,
                last_step: r.last_step,
            };
            Ok((user, credential))
        })
        .collect()
}

pub async fn insert_credential(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    credential: &Credential,
) -> Result<(), StoreError> {
    let secret = credential.secret_data.expose();
    let secret_data = if credential.kind == PASSWORD {
        secret.to_owned()
    } else {
        db.seal.seal(&context(realm, user, credential.id.as_str()), secret.as_bytes())
    };
    sqlx::query!(
        "insert into credential (realm_id, user_id, credential_id, kind, user_label, secret_data, credential_data, priority, created_at,
           last_step)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        realm.as_str(),
        user.as_str(),
        credential.id.as_str(),
        credential.kind,
        credential.user_label,
        secret_data,
        credential.credential_data,
        credential.priority,
        credential.created_at.to_offset(),
        credential.last_step,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Puts the user's credentials into this order.
pub async fn set_order(db: &mut Db<'_>, realm: &RealmId, user: &UserId, order: &[&CredentialId]) -> Result<(), StoreError> {
    let ids: Vec<String> = order.iter().map(|id| id.as_str().to_owned()).collect();
    sqlx::query!(
        "update credential c set priority = wanted.place::integer * 10
         from unnest($3::text[]) with ordinality wanted (id, place)
         where c.realm_id = $1 and c.user_id = $2 and c.credential_id = wanted.id",
        realm.as_str(),
        user.as_str(),
        &ids,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// A password's new hash: in the row that is there, whose id stays, or in a new one with the id that is handed in.
pub async fn put_password(db: &mut Db<'_>, realm: &RealmId, user: &UserId, password: &Credential) -> Result<(), StoreError> {
    let done = sqlx::query!(
        "update credential set secret_data = $3, credential_data = $4, created_at = $5, user_label = null
         where realm_id = $1 and user_id = $2 and kind = 'password'",
        realm.as_str(),
        user.as_str(),
        password.secret_data.expose(),
        password.credential_data,
        password.created_at.to_offset(),
    );
    if done.execute(db.raw()).await?.rows_affected() == 0 {
        insert_credential(db, realm, user, password).await?;
    }
    Ok(())
}

/// Which passwords of before are kept when a new one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptHistory {
    /// So many, the newest first.
    pub count: i64,
    /// And those that were set since.
    pub since: Option<Timestamp>,
}

/// Forgets the passwords of before that are not kept.
pub async fn trim_history(db: &mut Db<'_>, realm: &RealmId, user: &UserId, kept: KeptHistory) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from credential where realm_id = $1 and user_id = $2 and kind = 'password-history'
           and ($4::timestamptz is null or created_at < $4)
           and credential_id not in (
             select credential_id from credential where realm_id = $1 and user_id = $2 and kind = 'password-history'
             order by created_at desc, credential_id limit $3)",
        realm.as_str(),
        user.as_str(),
        kept.count,
        kept.since.map(Timestamp::to_offset),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Replaces a hash by a better one of the same password, unless the password was changed meanwhile.
pub async fn rehash_password(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    old: &Credential,
    secret_data: &Secret,
    credential_data: &Value,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update credential set secret_data = $4, credential_data = $5
         where realm_id = $1 and user_id = $2 and credential_id = $3 and kind = 'password' and secret_data = $6",
        realm.as_str(),
        user.as_str(),
        old.id.as_str(),
        secret_data.expose(),
        credential_data,
        old.secret_data.expose(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Those of the users who have a credential of this kind.
pub async fn holders_of(db: &mut Db<'_>, realm: &RealmId, kind: &str, users: &[UserId]) -> Result<HashSet<UserId>, StoreError> {
    let ids: Vec<String> = users.iter().map(|u| u.as_str().to_owned()).collect();
    let rows = sqlx::query_scalar!(
        "select distinct user_id from credential where realm_id = $1 and kind = $2 and user_id = any($3)",
        realm.as_str(),
        kind,
        &ids,
    );
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(UserId::new).collect())
}

/// Takes the code of a step, once: false if it, or a later one, was taken before.
pub async fn take_step(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    credential: &CredentialId,
    step: i64,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update credential set last_step = $4
         where realm_id = $1 and user_id = $2 and credential_id = $3 and (last_step is null or last_step < $4)",
        realm.as_str(),
        user.as_str(),
        credential.as_str(),
        step,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Names a credential of a user; false if the user has none of this id.
pub async fn set_label(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    credential: &CredentialId,
    label: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update credential set user_label = $4 where realm_id = $1 and user_id = $2 and credential_id = $3",
        realm.as_str(),
        user.as_str(),
        credential.as_str(),
        label,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

pub async fn delete_credential(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    credential: &CredentialId,
) -> Result<Option<String>, StoreError> {
    let deleted = sqlx::query_scalar!(
        "delete from credential where realm_id = $1 and user_id = $2 and credential_id = $3 returning kind",
        realm.as_str(),
        user.as_str(),
        credential.as_str(),
    );
    Ok(deleted.fetch_optional(db.raw()).await?)
}
