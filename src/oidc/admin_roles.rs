//! The roles that administer a realm: names, what they hold, and which of them a caller has.

use crate::model::{ClientId, Realm, RealmSnapshot, Role};

/// Every administrative role of a realm, and the roles that it holds.
pub const ADMIN_ROLES: [(&str, &[&str]); 21] = [
    ("create-client", &[]),
    ("impersonation", &[]),
    ("manage-authorization", &[]),
    ("manage-clients", &[]),
    ("manage-events", &[]),
    ("manage-identity-providers", &[]),
    ("manage-organizations", &[]),
    ("manage-realm", &[]),
    ("manage-users", &[]),
    ("query-clients", &[]),
    ("query-groups", &[]),
    ("query-organizations", &[]),
    ("query-realms", &[]),
    ("query-users", &[]),
    ("view-authorization", &[]),
    ("view-clients", &["query-clients"]),
    ("view-events", &[]),
    ("view-identity-providers", &[]),
    ("view-organizations", &["query-organizations"]),
    ("view-realm", &[]),
    ("view-users", &["query-users", "query-groups"]),
];

/// The client that holds a realm's administrative roles: within the realm, and in the master realm.
pub const REALM_MANAGEMENT: &str = "realm-management";

/// The realm that the roles of a client administer, if they administer one.
pub fn administered_by<'a>(realm: &'a Realm, client_id: &'a ClientId) -> Option<&'a str> {
    if realm.is_master() {
        client_id.as_str().strip_suffix("-realm")
    } else {
        (client_id.as_str() == REALM_MANAGEMENT).then_some(realm.name.as_str())
    }
}

/// Whether a role administers by its name. Rights are looked up by name, so such a role is neither made, renamed nor deleted by
/// way of the API: whoever could would give themselves any right.
pub fn is_administrative(realm: &RealmSnapshot, role: &Role) -> bool {
    let name = role.name.as_str();
    match &role.client {
        None => realm.realm.is_master() && [ADMIN, CREATE_REALM].contains(&name),
        Some(client) => realm.clients.get(client).is_some_and(|client| {
            let known = name == REALM_ADMIN || ADMIN_ROLES.iter().any(|(role, _)| *role == name);
            known && administered_by(&realm.realm, &client.client_id).is_some()
        }),
    }
}

pub fn master_client(realm_name: &str) -> String {
    format!("{realm_name}-realm")
}

/// The composite of all administrative roles in a realm of its own.
pub const REALM_ADMIN: &str = "realm-admin";
/// The composite of all administrative roles of all realms, in the master realm.
pub const ADMIN: &str = "admin";
/// Who holds it may make realms.
pub const CREATE_REALM: &str = "create-realm";

/// The roles of the `account` client: name and what each holds.
pub const ACCOUNT_ROLES: [(&str, &[&str]); 8] = [
    ("view-profile", &[]),
    ("manage-account", &["manage-account-links"]),
    ("manage-account-links", &[]),
    ("view-applications", &[]),
    ("view-consent", &[]),
    ("manage-consent", &["view-consent"]),
    ("view-groups", &[]),
    ("delete-account", &[]),
];
