//! `/default-groups`: the groups that new users join.

use axum::extract::Path;
use serde_json::{Map, Value};

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, get, put};
use super::{Admin, ManageRealm, ViewRealm, handing_out};
use crate::flow::admin::group as groups;
use crate::http::error::AdminError;
use crate::http::representation::group::brief_group;
use crate::model::GroupId;

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/default-groups", get(list)).route("/{realm}/default-groups/{group}", put(add).delete(remove))
}

async fn list(admin: Admin<ViewRealm>) -> Answer {
    let snapshot = admin.cx.snapshot();
    let groups = snapshot.realm.default_groups.iter().filter_map(|id| snapshot.groups.get(id));
    Ok(shown(&Value::from(groups.map(|g| brief_group(snapshot, g)).collect::<Vec<Map<String, Value>>>())))
}

/// Whoever joins has the group's roles: only to be had from somebody who could give them.
async fn add(admin: Admin<ManageRealm>, Path((_, group)): Path<(String, String)>) -> Answer {
    let group = GroupId::new(group);
    if !handing_out::allows_group(&admin, &group) {
        return Err(AdminError::Forbidden);
    }
    groups::set_default(&admin.cx, &group, true).await?;
    Ok(done_uncached())
}

async fn remove(admin: Admin<ManageRealm>, Path((_, group)): Path<(String, String)>) -> Answer {
    groups::set_default(&admin.cx, &GroupId::new(group), false).await?;
    Ok(done_uncached())
}
