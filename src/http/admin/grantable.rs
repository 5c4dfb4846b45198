//! Who may put which role into other hands: of administrative roles only what one holds oneself.

use super::Admin;
use crate::model::{Role, RoleId};
use crate::oidc::admin_roles::{ADMIN, CREATE_REALM, REALM_ADMIN, REALM_MANAGEMENT};

/// Whether the caller holds every administrative role that comes with this one.
pub(crate) fn may_grant<P>(admin: &Admin<P>, role: &RoleId) -> bool {
    let snapshot = admin.cx.snapshot();
    snapshot.expand([role]).into_iter().filter_map(|id| snapshot.roles.get(id)).all(|role| holds_or_is_harmless(admin, role))
}

fn holds_or_is_harmless<P>(admin: &Admin<P>, role: &Role) -> bool {
    let snapshot = admin.cx.snapshot();
    let is_master = snapshot.realm.is_master();
    let Some(client) = &role.client else {
        return !is_master
            || ![ADMIN, CREATE_REALM].contains(&role.name.as_str())
            || admin.administrator.has_realm_role(&role.name);
    };
    let client_id = snapshot.clients.get(client).map_or("", |c| c.client_id.as_str());
    let administered = match (is_master, client_id.strip_suffix("-realm")) {
        (true, Some(realm)) => realm,
        (false, _) if client_id == REALM_MANAGEMENT => snapshot.realm.name.as_str(),
        _ => return true,
    };
    // What the composite of all roles holds is looked at one by one.
    role.name == REALM_ADMIN || admin.administrator.roles_in(administered).contains(&role.name)
}
