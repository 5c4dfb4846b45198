//! Nobody hands out an administrative role that they do not hold: not to a user, not by a group.
//!
//! Keycloak: RolePermissions. Whoever may manage may let others view, and queries are free.

use super::Admin;
use crate::model::{GroupId, Role, RoleId};
use crate::oidc::admin_roles::{ADMIN_ROLES, CREATE_REALM, REALM_MANAGEMENT};

/// Whether the caller may give (or take) these roles, with all that they hold.
pub(super) fn allows<'a, P>(admin: &'a Admin<P>, roles: impl IntoIterator<Item = &'a RoleId>) -> bool {
    let snapshot = admin.cx.snapshot();
    let all = snapshot.expand(roles);
    all.into_iter().filter_map(|id| snapshot.roles.get(id)).all(|role| allows_one(admin, role))
}

/// The same for the roles of a group and of those above it.
pub(super) fn allows_group<P>(admin: &Admin<P>, group: &GroupId) -> bool {
    let snapshot = admin.cx.snapshot();
    allows(admin, snapshot.lineage(group).into_iter().flat_map(|g| &g.roles))
}

fn allows_one<P>(admin: &Admin<P>, role: &Role) -> bool {
    let realm = &admin.cx.snapshot().realm;
    let Some(client) = &role.client else {
        return !(realm.is_master() && role.name == CREATE_REALM) || admin.administrator.has_realm_role(CREATE_REALM);
    };
    let Some(client) = admin.cx.snapshot().clients.get(client) else { return true };
    let administered = match client.client_id.as_str() {
        REALM_MANAGEMENT if !realm.is_master() => realm.name.as_str(),
        id if realm.is_master() => match id.strip_suffix("-realm") {
            Some(name) => name,
            None => return true,
        },
        _ => return true,
    };
    if !ADMIN_ROLES.iter().any(|(name, _)| *name == role.name) {
        return true;
    }
    let held = admin.administrator.roles_in(administered);
    let manages = |family: &str| held.contains(&format!("manage-{family}"));
    held.contains(&role.name)
        || role.name.starts_with("query-")
        || role.name.strip_prefix("view-").is_some_and(manages)
        || role.name == "create-client" && manages("clients")
}
