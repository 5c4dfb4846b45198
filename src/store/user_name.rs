//! The names that users sign in by: user names, and addresses where the realm lets them.

use super::{Db, StoreError};
use crate::model::{RealmId, UserId};

/// Lets one transaction at a time look whether these names are taken, and take them, whether as user name or as address: no
/// constraint compares the two. In the order of their hashes, so that nobody waits in a circle.
pub async fn hold_names(db: &mut Db<'_>, realm: &RealmId, username: &str, email: Option<&str>) -> Result<(), StoreError> {
    sqlx::query!(
        "select count(pg_advisory_xact_lock(name.hash))
         from (select distinct hashtextextended($1 || ' ' || given.name, 0) as hash
               from unnest(array[$2::text, $3::text]) given (name) where given.name is not null order by hash) name",
        realm.as_str(),
        username,
        email,
    )
    .fetch_one(db.raw())
    .await?;
    Ok(())
}

/// Which of the two a user other than `except` has already: the e-mail address, the name.
pub async fn find_taken(
    db: &mut Db<'_>,
    realm: &RealmId,
    username: &str,
    email: Option<&str>,
    except: Option<&UserId>,
) -> Result<(bool, bool), StoreError> {
    let row = sqlx::query!(
        r#"select coalesce(bool_or(email = $3), false) as "email!", coalesce(bool_or(username = $2), false) as "username!"
           from user_account where realm_id = $1 and (username = $2 or email = $3) and ($4::text is null or user_id <> $4)"#,
        realm.as_str(),
        username,
        email,
        except.map(UserId::as_str),
    )
    .fetch_one(db.raw())
    .await?;
    Ok((row.email, row.username))
}
