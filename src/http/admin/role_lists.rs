//! Lists of roles: in bodies, where their ids count, and in answers.

use serde_json::Value;

use crate::flow::Cx;
use crate::http::error::AdminError;
use crate::http::representation::{RoleRepresentation, brief_role};
use crate::model::{RealmSnapshot, Role, RoleId};

/// A role in a body.
pub(crate) type ListedRole = RoleRepresentation;

/// The roles with the ids of the body; `missing` is said where there is none.
pub(crate) fn resolve(cx: &Cx, listed: &[ListedRole], missing: &'static str) -> Result<Vec<RoleId>, AdminError> {
    let known = |role: &ListedRole| {
        let id = role.id.as_ref()?;
        cx.snapshot().roles.get(id.0.as_str()).map(|r| r.id.clone())
    };
    listed.iter().map(|role| known(role).ok_or(AdminError::NotFound(missing))).collect()
}

/// These roles in brief, by name.
pub(crate) fn roles_shown(snapshot: &RealmSnapshot, ids: &[RoleId], wanted: impl Fn(&Role) -> bool) -> Value {
    let mut roles: Vec<&Role> = ids.iter().filter_map(|id| snapshot.roles.get(id)).filter(|r| wanted(r)).collect();
    roles.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Value::from(roles.into_iter().map(|r| Value::from(brief_role(snapshot, r))).collect::<Vec<_>>())
}
