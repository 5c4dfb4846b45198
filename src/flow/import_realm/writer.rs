//! What the steps of an import share: the names that were given ids, the transaction's realm, and how they fail.

use std::collections::{HashMap, HashSet};

use thiserror::Error;

use crate::base::Timestamp;
use crate::flow::context::{Cx, Server};
use crate::model::realm_import::{RealmImport, RoleRef};
use crate::model::{ClientScopeId, ClientUuid, GroupId, GroupPaths, NoGroup, RealmId, RoleId, UserId};
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
    /// A realm has the id that the file brings: it was taken in before, whatever it is called by now.
    #[error("Duplicate resource error")]
    SameId,
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
pub(in crate::flow) struct Names {
    pub(in crate::flow) clients: HashMap<String, ClientUuid>,
    pub(in crate::flow) scopes: HashMap<String, (ClientScopeId, String)>,
    pub(in crate::flow) roles: HashMap<RoleRef, RoleId>,
    pub(in crate::flow) groups: GroupPaths,
    /// What is named and is not there, by its path.
    pub(in crate::flow) lost: Vec<String>,
}

impl Names {
    pub(in crate::flow) fn role(&self, reference: &RoleRef) -> Result<&RoleId, ImportError> {
        self.roles.get(reference).ok_or_else(|| ImportError::Unknown(format!("Unable to find role {}", reference.name)))
    }

    pub(in crate::flow) fn group(&self, path: &str) -> Result<&GroupId, ImportError> {
        self.groups.find(path).map_err(|why| {
            ImportError::Unknown(match why {
                NoGroup::Unknown => format!("Unable to find group specified by path: {path}"),
                NoGroup::Several => format!("Several groups have the path {path}"),
            })
        })
    }
}

pub(in crate::flow) struct Writer<'a> {
    pub(in crate::flow) server: &'a Server,
    pub(in crate::flow) realm: &'a RealmId,
    pub(in crate::flow) now: Timestamp,
    pub(in crate::flow) import: &'a RealmImport,
    /// The clients whose accounts are among the users of the file.
    pub(super) accounts: HashSet<&'a str>,
}

impl<'a> Writer<'a> {
    pub(in crate::flow) fn new(server: &'a Server, realm: &'a RealmId, now: Timestamp, import: &'a RealmImport) -> Self {
        let accounts = import.users.iter().filter_map(|user| user.service_account_of.as_deref()).collect();
        Self { server, realm, now, import, accounts }
    }

    pub(in crate::flow) fn new_id(&self) -> String {
        self.server.entropy.uuid()
    }
}
