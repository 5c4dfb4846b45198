//! The roles that administer a realm: names, what they hold, and which of them a caller has.

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
