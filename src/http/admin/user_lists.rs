//! Pages of users below something else: the members of a group, those who hold a role.

use serde_json::{Map, Value};

use super::Admin;
use super::answer::{Answer, shown};
use crate::http::extract::Query;
use crate::http::representation::user::{brief_user, user as full_user};
use crate::model::{User, UserId};
use crate::store::{self, Db};

/// These users, in full unless the query wants them brief.
pub(super) async fn page_of_users<P>(admin: &Admin<P>, db: &mut Db<'_>, users: &[User], query: &Query) -> Answer {
    let snapshot = admin.cx.snapshot();
    if query.flag("briefRepresentation").unwrap_or(false) {
        return Ok(shown(&Value::from(users.iter().map(brief_user).collect::<Vec<Map<String, Value>>>())));
    }
    let ids: Vec<UserId> = users.iter().map(|u| u.id.clone()).collect();
    let with_otp = store::credential::holders_of(db, &snapshot.realm.id, "otp", &ids).await?;
    let list = users.iter().map(|user| full_user(snapshot, user, with_otp.contains(&user.id)));
    Ok(shown(&Value::from(list.collect::<Vec<Map<String, Value>>>())))
}
