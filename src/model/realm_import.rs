//! A realm as a file describes it: everything by name, nothing looked up yet.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{Client, ClientSettings, ClientUuid, Component, GroupId, ProtocolMapper, RealmId, RoleId, UserId};
use crate::base::{Secret, Timestamp};
use crate::model::credential::Credential;

/// A role of the realm (`client` is none) or of the client with this `client_id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleRef {
    pub client: Option<String>,
    pub name: String,
}

#[derive(Clone, Default)]
pub struct RealmImport {
    pub id: Option<RealmId>,
    pub name: String,
    pub enabled: bool,
    pub not_before: i64,
    /// Settings, by Keycloak's names; what is missing is as in a fresh realm.
    pub document: Map<String, Value>,
    pub default_role: Option<String>,
    pub roles: Vec<RoleImport>,
    pub groups: Vec<GroupImport>,
    /// Paths.
    pub default_groups: Vec<String>,
    /// None: the built-in client scopes.
    pub client_scopes: Option<Vec<ClientScopeImport>>,
    pub default_scopes: Option<Vec<String>>,
    pub optional_scopes: Option<Vec<String>>,
    pub clients: Vec<ClientImport>,
    pub scope_mappings: Vec<ScopeMappingImport>,
    pub users: Vec<UserImport>,
    /// Those below the realm have no parent.
    pub components: Vec<Component>,
    pub user_profile: Option<Value>,
    /// What the file says and this server does not act on, each by its path.
    pub not_taken_over: Vec<String>,
}

/// Its name alone: settings and components hold secrets.
impl fmt::Debug for RealmImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RealmImport").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug)]
pub struct RoleImport {
    pub id: Option<RoleId>,
    pub role: RoleRef,
    pub description: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub composites: Vec<RoleRef>,
}

#[derive(Clone, Debug)]
pub struct GroupImport {
    pub id: Option<GroupId>,
    pub name: String,
    pub description: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub roles: Vec<RoleRef>,
    pub groups: Vec<GroupImport>,
}

impl GroupImport {
    /// How many groups stand below each other in it, itself among them.
    pub fn height(&self) -> usize {
        1 + self.groups.iter().map(Self::height).max().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct ClientScopeImport {
    pub id: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub protocol: String,
    pub attributes: BTreeMap<String, String>,
    pub mappers: Vec<ProtocolMapper>,
}

#[derive(Clone, Debug)]
pub struct ClientImport {
    pub uuid: Option<ClientUuid>,
    pub client_id: String,
    pub enabled: bool,
    pub not_before: i64,
    pub secret: Option<Secret>,
    pub settings: ClientSettings,
    /// None: the file does not say, so the client inherits the realm's.
    pub scopes: Option<AssignedScopes>,
    pub mappers: Vec<ProtocolMapper>,
}

/// The client as it stands, to be changed; its scopes stay.
impl From<&Client> for ClientImport {
    fn from(client: &Client) -> Self {
        Self {
            uuid: Some(client.uuid.clone()),
            client_id: client.client_id.to_string(),
            enabled: client.enabled,
            not_before: client.not_before,
            secret: client.secret.clone(),
            settings: client.settings.clone(),
            scopes: None,
            mappers: client.mappers.clone(),
        }
    }
}

/// The names of the client scopes that a client has.
#[derive(Clone, Debug, Default)]
pub struct AssignedScopes {
    pub default: Vec<String>,
    pub optional: Vec<String>,
}

/// Roles in the scope of a client or of a client scope.
#[derive(Clone, Debug)]
pub struct ScopeMappingImport {
    pub owner: ScopeOwner,
    pub roles: Vec<RoleRef>,
}

#[derive(Clone, Debug)]
pub enum ScopeOwner {
    Client(String),
    ClientScope(String),
}

#[derive(Clone, Debug)]
pub struct UserImport {
    pub id: Option<UserId>,
    pub username: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enabled: bool,
    pub not_before: i64,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub required_actions: Vec<String>,
    pub created_at: Option<Timestamp>,
    pub service_account_of: Option<String>,
    pub federated_identities: Value,
    pub roles: Vec<RoleRef>,
    /// Paths.
    pub groups: Vec<String>,
    pub passwords: Vec<PasswordImport>,
    pub consents: Vec<ConsentImport>,
}

/// A credential of a file: in the clear, or as it was stored.
#[derive(Clone, Debug)]
pub enum PasswordImport {
    Clear(Secret),
    Stored(Credential),
}

#[derive(Clone, Debug)]
pub struct ConsentImport {
    pub client: String,
    pub scopes: Vec<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}
