//! The first start on an empty database: the master realm and its administrator.

use super::context::Server;
use super::import_realm::{self, ImportError};
use super::new_realm;
use crate::base::Secret;
use crate::model::realm_import::{PasswordImport, RoleRef, UserImport};
use crate::oidc::admin_roles::ADMIN;

/// Who administers at first.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    pub username: String,
    pub password: Secret,
}

/// What the start found or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bootstrapped {
    /// The master realm was there; nothing was changed.
    AlreadyThere,
    Made,
}

/// Makes the master realm if there is none. Of any number of nodes that start at once, one makes it.
pub async fn run(server: &Server, admin: Option<&FirstAdmin>) -> Result<Bootstrapped, ImportError> {
    if server.realms.current(&server.store, "master").await?.is_some() {
        return Ok(Bootstrapped::AlreadyThere);
    }
    let mut import = new_realm::empty("master", true);
    import.users.extend(admin.map(administrator));
    match import_realm::run(server, import, None).await {
        Ok(_) => Ok(Bootstrapped::Made),
        Err(ImportError::Exists(_)) => Ok(Bootstrapped::AlreadyThere),
        Err(error) => Err(error),
    }
}

fn administrator(admin: &FirstAdmin) -> UserImport {
    let role = |name: &str| RoleRef { client: None, name: name.to_owned() };
    UserImport {
        id: None,
        username: admin.username.clone(),
        email: None,
        email_verified: false,
        first_name: None,
        last_name: None,
        enabled: true,
        not_before: 0,
        attributes: std::collections::BTreeMap::new(),
        required_actions: Vec::new(),
        created_at: None,
        service_account_of: None,
        federated_identities: serde_json::json!([]),
        roles: vec![role(ADMIN), role("default-roles-master")],
        groups: Vec::new(),
        passwords: vec![PasswordImport::Clear(admin.password.clone())],
        consents: Vec::new(),
    }
}
