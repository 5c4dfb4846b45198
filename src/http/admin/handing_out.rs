//! Nobody hands out an administrative role that they do not hold: not to a user, not by a group.
//!
//! Keycloak: RolePermissions. Whoever may manage may let others view, and queries are free.

use super::Admin;
use super::authenticate::Administrator;
use crate::model::{GroupId, RealmSnapshot, Role, RoleId};
use crate::oidc::admin_roles::{ADMIN, REALM_ADMIN, administered_by, is_administrative};

/// Whether the caller may give (or take) these roles, with all that they hold.
pub(super) fn allows<'a, P>(admin: &'a Admin<P>, roles: impl IntoIterator<Item = &'a RoleId>) -> bool {
    allows_in(admin.cx.snapshot(), &admin.administrator, roles)
}

/// The same for the roles of a group and of those above it.
pub(super) fn allows_group<P>(admin: &Admin<P>, group: &GroupId) -> bool {
    let snapshot = admin.cx.snapshot();
    allows(admin, snapshot.lineage(group).into_iter().flat_map(|g| &g.roles))
}

/// The same in a realm as it is by now.
pub(super) fn allows_in<'a>(
    snapshot: &'a RealmSnapshot,
    administrator: &Administrator,
    roles: impl IntoIterator<Item = &'a RoleId>,
) -> bool {
    let all = snapshot.expand(roles);
    all.into_iter().filter_map(|id| snapshot.roles.get(id)).all(|role| allows_one(snapshot, administrator, role))
}

fn allows_one(snapshot: &RealmSnapshot, administrator: &Administrator, role: &Role) -> bool {
    // What the two composites hold is looked at one by one.
    if !is_administrative(snapshot, role) || [ADMIN, REALM_ADMIN].contains(&role.name.as_str()) {
        return true;
    }
    let client = role.client.as_ref().and_then(|uuid| snapshot.clients.get(uuid));
    let Some(administered) = client.and_then(|c| administered_by(&snapshot.realm, &c.client_id)) else {
        return administrator.has_realm_role(&role.name);
    };
    let held = administrator.roles_in(administered);
    let manages = |family: &str| held.contains(&format!("manage-{family}"));
    held.contains(&role.name)
        || role.name.starts_with("query-")
        || role.name.strip_prefix("view-").is_some_and(manages)
        || role.name == "create-client" && manages("clients")
}
