//! Who a user is at identity providers: links, kept with the user.

use serde_json::Value;
use sqlx::types::Json;

use super::{Db, StoreError};
use crate::model::{RealmId, UserId};

/// A user's link to an identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FederatedIdentity {
    pub identity_provider: String,
    pub user_id: String,
    pub user_name: String,
}

pub async fn list_federated_identities(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
) -> Result<Vec<FederatedIdentity>, StoreError> {
    let row = sqlx::query_scalar!(
        r#"select federated_identities as "links: Json<Vec<Value>>" from user_account
           where realm_id = $1 and user_id = $2"#,
        realm.as_str(),
        user.as_str(),
    );
    let links = row.fetch_optional(db.raw()).await?.map(|links| links.0).unwrap_or_default();
    // A realm's file was once kept as it was: what is no link there is none here.
    Ok(links.into_iter().filter_map(|link| serde_json::from_value(link).ok()).collect())
}

/// The links of several users, as they are kept; of those only who have any.
pub async fn list_links_of(db: &mut Db<'_>, realm: &RealmId, users: &[UserId]) -> Result<Vec<(UserId, Value)>, StoreError> {
    let users: Vec<String> = users.iter().map(|user| user.as_str().to_owned()).collect();
    let rows = sqlx::query!(
        "select user_id, federated_identities from user_account
         where realm_id = $1 and user_id = any($2) and jsonb_array_length(federated_identities) > 0",
        realm.as_str(),
        &users,
    );
    Ok(rows.fetch_all(db.raw()).await?.into_iter().map(|r| (UserId::new(r.user_id), r.federated_identities)).collect())
}

/// Links the user; false if there is a link to the provider already.
pub async fn insert_federated_identity(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    link: &FederatedIdentity,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set federated_identities = federated_identities || $3
         where realm_id = $1 and user_id = $2
           and not federated_identities @> jsonb_build_array(jsonb_build_object('identityProvider', $4::text))",
        realm.as_str(),
        user.as_str(),
        Json([link]) as _,
        link.identity_provider,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// Takes the link to the provider away; false if there is none.
pub async fn delete_federated_identity(
    db: &mut Db<'_>,
    realm: &RealmId,
    user: &UserId,
    provider: &str,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update user_account set federated_identities = coalesce(
           (select jsonb_agg(link) from jsonb_array_elements(federated_identities) link where link ->> 'identityProvider' <> $3),
           '[]'::jsonb)
         where realm_id = $1 and user_id = $2
           and federated_identities @> jsonb_build_array(jsonb_build_object('identityProvider', $3::text))",
        realm.as_str(),
        user.as_str(),
        provider,
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
