//! A group of users: its members hold its roles, and those of the groups above it.

use std::collections::BTreeMap;

use super::{GroupId, RoleId};

/// Groups stand this deep at the most, counted from the top: whatever walks down them has an end, and a file of the realm can be
/// read again, which nests two levels of JSON for each (readers give up at 127).
pub const MAX_DEPTH: usize = 60;

#[derive(Clone, Debug)]
pub struct Group {
    pub id: GroupId,
    pub parent: Option<GroupId>,
    pub name: String,
    pub description: Option<String>,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub roles: Vec<RoleId>,
}
