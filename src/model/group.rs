//! A group of users: its members hold its roles, and those of the groups above it.

use std::collections::BTreeMap;

use super::{GroupId, RoleId};

#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub parent: Option<GroupId>,
    pub name: String,
    pub description: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub roles: Vec<RoleId>,
}
