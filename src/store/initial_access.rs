//! Initial access tokens. Each registration takes one of those that remain: one conditional statement, so that no number of
//! requests at the same moment registers more clients than were allowed.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{InitialAccess, InitialAccessId, RealmId};

pub async fn insert_initial_access(db: &mut Db<'_>, realm: &RealmId, token: &InitialAccess) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into initial_access_token (realm_id, token_id, created_at, lifespan, expires_at, count, remaining, web_origins)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        realm.as_str(),
        token.id.as_str(),
        token.created_at.to_offset(),
        token.lifespan,
        token.expires_at.map(Timestamp::to_offset),
        token.count,
        token.remaining,
        Json(&token.web_origins) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Those of the realm, the oldest first.
pub async fn list_initial_access(db: &mut Db<'_>, realm: &RealmId) -> Result<Vec<InitialAccess>, StoreError> {
    let rows = sqlx::query!(
        r#"select token_id, created_at, lifespan, expires_at, count, remaining, web_origins as "web_origins: Json<Vec<String>>"
           from initial_access_token where realm_id = $1 order by created_at, token_id"#,
        realm.as_str(),
    );
    let rows = rows.fetch_all(db.raw()).await?;
    Ok(rows
        .into_iter()
        .map(|r| InitialAccess {
            id: InitialAccessId::new(r.token_id),
            created_at: Timestamp::from_offset(r.created_at),
            lifespan: r.lifespan,
            expires_at: r.expires_at.map(Timestamp::from_offset),
            count: r.count,
            remaining: r.remaining,
            web_origins: r.web_origins.0,
        })
        .collect())
}

/// How many clients may still be registered with the token; `None` if it is not there.
pub async fn find_remaining(db: &mut Db<'_>, realm: &RealmId, id: &InitialAccessId) -> Result<Option<i32>, StoreError> {
    let found = sqlx::query_scalar!(
        "select remaining from initial_access_token where realm_id = $1 and token_id = $2",
        realm.as_str(),
        id.as_str(),
    );
    Ok(found.fetch_optional(db.raw()).await?)
}

/// Uses the token for one client; false if it is good for none.
pub async fn use_initial_access(
    db: &mut Db<'_>,
    realm: &RealmId,
    id: &InitialAccessId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update initial_access_token set remaining = remaining - 1
         where realm_id = $1 and token_id = $2 and remaining > 0 and (expires_at is null or expires_at > $3)",
        realm.as_str(),
        id.as_str(),
        now.to_offset(),
    );
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}

/// False if it was not there.
pub async fn delete_initial_access(db: &mut Db<'_>, realm: &RealmId, id: &InitialAccessId) -> Result<bool, StoreError> {
    let done =
        sqlx::query!("delete from initial_access_token where realm_id = $1 and token_id = $2", realm.as_str(), id.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
