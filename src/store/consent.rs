//! What users agreed to.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ClientScopeId, ClientUuid, RealmId, UserId};

/// Adds to what the user agreed to for a client. Two tabs that agree at once add up: nothing is lost.
pub async fn grant(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    client: &ClientUuid,
    given: Given<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let scopes: Vec<String> = given.scopes.iter().map(|s| s.as_str().to_owned()).collect();
    sqlx::query!(
        "with agreed as (
           insert into user_consent (realm_id, user_id, client_uuid, client_itself, created_at, updated_at)
           values ($1, $2, $3, $5, $6, $6)
           on conflict (realm_id, user_id, client_uuid)
             do update set updated_at = greatest(user_consent.updated_at, excluded.updated_at),
               client_itself = user_consent.client_itself or excluded.client_itself
           returning realm_id, user_id, client_uuid)
         insert into user_consent_scope (realm_id, user_id, client_uuid, client_scope_id)
         select a.realm_id, a.user_id, a.client_uuid, scope from agreed a, unnest($4::text[]) scope
         on conflict do nothing",
        realm.as_str(),
        user.as_str(),
        client.as_str(),
        &scopes,
        given.client_itself,
        now.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// What the user says yes to.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    pub scopes: &'a [ClientScopeId],
    pub client_itself: bool,
}

/// Puts what the user agrees to in the place of what was agreed before; the time of the first agreement stays.
pub async fn replace(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    client: &ClientUuid,
    given: Given<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let scopes: Vec<String> = given.scopes.iter().map(|s| s.as_str().to_owned()).collect();
    sqlx::query!(
        "delete from user_consent_scope where realm_id = $1 and user_id = $2 and client_uuid = $3 and client_scope_id <> all($4)",
        realm.as_str(),
        user.as_str(),
        client.as_str(),
        &scopes,
    )
    .execute(db.raw())
    .await?;
    grant(db, realm, user, client, given, now).await
}

/// Takes a consent back whole; false if there was none.
pub async fn delete_consent(db: &mut Db<'_>, realm: &RealmId, user: &UserId, client: &ClientUuid) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "delete from user_consent where realm_id = $1 and user_id = $2 and client_uuid = $3",
        realm.as_str(),
        user.as_str(),
        client.as_str(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
