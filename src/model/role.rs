//! A role of the realm or of a client; a composite role holds others.

use std::collections::BTreeMap;

use super::{ClientUuid, RoleId};

#[derive(Clone, Debug)]
pub struct Role {
    pub id: RoleId,
    /// The client it belongs to; none for a role of the realm.
    pub client: Option<ClientUuid>,
    pub name: String,
    pub description: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Roles that whoever holds this one holds too.
    pub children: Vec<RoleId>,
}
