//! What the steps of an import share: the names that were given ids, the transaction's realm, and how they fail.

use std::collections::HashMap;

use thiserror::Error;

use crate::base::Timestamp;
use crate::flow::context::{Cx, Server};
use crate::model::realm_import::{RealmImport, RoleRef};
use crate::model::{ClientScopeId, ClientUuid, GroupId, RealmId, RoleId, UserId};
use crate::store::StoreError;

/// The administrator who makes a realm.
#[derive(Debug)]
pub struct Creator<'a> {
    /// The request in the realm that issued the administrator's token: its events tell of the new one.
    pub cx: &'a Cx,
    /// Who gets the roles over the new realm, where the administrator has not got all by one that holds them.
    pub gets_roles: Option<&'a UserId>,
}

/// Why a realm was not made.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A realm of this name is there.
    #[error("Realm {0} already exists")]
    Exists(String),
    /// Two things of the file have one name, or one id.
    #[error("Duplicate resource error")]
    Duplicate,
    /// The file speaks of something that it does not have.
    #[error("{0}")]
    Unknown(String),
    #[error("too many passwords are being hashed at this moment")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What has been written so far, by name.
#[derive(Default)]
pub(super) struct Names {
    pub(super) clients: HashMap<String, ClientUuid>,
    pub(super) scopes: HashMap<String, (ClientScopeId, String)>,
    pub(super) roles: HashMap<RoleRef, RoleId>,
    pub(super) groups: HashMap<String, GroupId>,
    /// What is named and is not there, by its path.
    pub(super) lost: Vec<String>,
}

impl Names {
    pub(super) fn role(&self, reference: &RoleRef) -> Result<&RoleId, ImportError> {
        self.roles.get(reference).ok_or_else(|| ImportError::Unknown(format!("Unable to find role {}", reference.name)))
    }
}

pub(super) struct Writer<'a> {
    pub(super) server: &'a Server,
    pub(super) realm: &'a RealmId,
    pub(super) now: Timestamp,
    pub(super) import: &'a RealmImport,
}

impl Writer<'_> {
    pub(super) fn new_id(&self) -> String {
        self.server.entropy.uuid()
    }
}
