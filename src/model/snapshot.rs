//! A realm's whole configuration at one version, as one immutable value that decisions are taken on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::signing_key::StoredKey;
use super::{Client, ClientId, ClientScope, ClientScopeId, ClientUuid, Group, GroupId, Realm, Role, RoleId, User};

#[derive(Clone, Debug)]
pub struct RealmSnapshot {
    pub realm: Realm,
    pub clients: HashMap<ClientUuid, Arc<Client>>,
    pub client_ids: HashMap<ClientId, ClientUuid>,
    pub scopes: HashMap<ClientScopeId, ClientScope>,
    pub roles: HashMap<RoleId, Role>,
    pub groups: HashMap<GroupId, Group>,
    pub keys: Vec<StoredKey>,
}

impl RealmSnapshot {
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.client_ids.get(client_id).and_then(|uuid| self.clients.get(uuid))
    }

    pub fn scope_named(&self, name: &str) -> Option<&ClientScope> {
        self.scopes.values().find(|s| s.name == name)
    }

    pub fn realm_role(&self, name: &str) -> Option<&Role> {
        self.roles.values().find(|r| r.client.is_none() && r.name == name)
    }

    pub fn client_role(&self, client: &ClientUuid, name: &str) -> Option<&Role> {
        self.roles.values().find(|r| r.client.as_ref() == Some(client) && r.name == name)
    }

    /// The roles and all that they hold, however deep; a circle of composites ends where it began.
    pub fn expand<'a>(&'a self, roles: impl IntoIterator<Item = &'a RoleId>) -> HashSet<&'a RoleId> {
        let mut found = HashSet::new();
        let mut open: Vec<&RoleId> = roles.into_iter().collect();
        while let Some(id) = open.pop() {
            if let Some(role) = self.roles.get(id)
                && found.insert(&role.id)
            {
                open.extend(&role.children);
            }
        }
        found
    }

    /// Every role that the user holds: directly, through groups and the groups above them, and through composites.
    pub fn roles_of(&self, user: &User) -> HashSet<&RoleId> {
        let by_group = user.groups.iter().flat_map(|g| self.lineage(g)).flat_map(|g| &g.roles);
        let direct = user.roles.iter().filter_map(|id| self.roles.get(id)).map(|r| &r.id);
        self.expand(direct.chain(by_group).collect::<Vec<_>>())
    }

    /// Every role that a member of the group has by it: its own, those of the groups above it, and what they hold.
    pub fn roles_by_group(&self, group: &GroupId) -> HashSet<&RoleId> {
        self.expand(self.lineage(group).into_iter().flat_map(|g| &g.roles))
    }

    /// The groups directly below a group, or at the top; by name.
    pub fn groups_below(&self, parent: Option<&GroupId>) -> Vec<&Group> {
        let mut below: Vec<&Group> = self.groups.values().filter(|g| g.parent.as_ref() == parent).collect();
        below.sort_by(|a, b| a.name.cmp(&b.name));
        below
    }

    /// The group and those above it, from the inside out.
    pub fn lineage(&self, group: &GroupId) -> Vec<&Group> {
        let mut line: Vec<&Group> = Vec::new();
        let mut next = self.groups.get(group);
        while let Some(group) = next {
            if line.len() > self.groups.len() {
                break;
            }
            line.push(group);
            next = group.parent.as_ref().and_then(|p| self.groups.get(p));
        }
        line
    }

    /// `/staff/night`: the names from the outside in.
    pub fn group_path(&self, group: &GroupId) -> String {
        self.lineage(group).iter().rev().map(|g| format!("/{}", g.name)).collect()
    }

    /// The group at this path; none if two of them share it.
    pub fn group_at(&self, path: &str) -> Option<&Group> {
        let mut found = self.groups.values().filter(|group| self.group_path(&group.id) == path);
        found.next().filter(|_| found.next().is_none())
    }
}
