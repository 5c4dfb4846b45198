//! Mappers over roles: which roles a token carries, under which names and claims.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Facts;
use super::claim::{path, put};
use crate::model::ProtocolMapper;

/// The names of the roles in a token, after the mappers that add and rename roles.
#[derive(Clone, Debug, Default)]
pub struct RoleNames {
    pub realm: BTreeSet<String>,
    /// By `client_id`.
    pub clients: BTreeMap<String, BTreeSet<String>>,
}

impl RoleNames {
    pub(super) fn of(facts: &Facts<'_>, mappers: &[&ProtocolMapper]) -> Self {
        let mut names = Self::default();
        for role in facts.roles.iter().filter_map(|id| facts.realm.roles.get(*id)) {
            match role.client.as_ref().and_then(|uuid| facts.realm.clients.get(uuid)) {
                Some(client) => names.add(Some(client.client_id.as_str()), &role.name),
                None => names.add(None, &role.name),
            }
        }
        for mapper in mappers {
            match mapper.mapper_type.as_str() {
                "oidc-hardcoded-role-mapper" => names.add_written(mapper.config("role")),
                "oidc-role-name-mapper" => names.rename(mapper),
                _ => {}
            }
        }
        names
    }

    fn add(&mut self, client: Option<&str>, name: &str) {
        match client {
            Some(client) => self.clients.entry(client.to_owned()).or_default().insert(name.to_owned()),
            None => self.realm.insert(name.to_owned()),
        };
    }

    fn remove(&mut self, client: Option<&str>, name: &str) -> bool {
        match client {
            Some(client) => self.clients.get_mut(client).is_some_and(|roles| roles.remove(name)),
            None => self.realm.remove(name),
        }
    }

    /// Adds a role as mappers write it: `role`, or `client.role`.
    fn add_written(&mut self, written: Option<&str>) {
        if let Some((client, name)) = written.and_then(split) {
            self.add(client, name);
        }
    }

    fn rename(&mut self, mapper: &ProtocolMapper) {
        let from = mapper.config("role").and_then(split);
        let to = mapper.config("new.role.name").and_then(split);
        if let (Some((client, name)), Some((new_client, new_name))) = (from, to)
            && self.remove(client, name)
        {
            self.add(new_client, new_name);
        }
    }
}

fn split(written: &str) -> Option<(Option<&str>, &str)> {
    match written.rsplit_once('.') {
        _ if written.is_empty() => None,
        Some((client, name)) => Some((Some(client), name)),
        None => Some((None, written)),
    }
}

/// The roles of the realm, with an optional prefix.
pub(super) fn realm_roles(mapper: &ProtocolMapper, roles: &RoleNames, claims: &mut Map<String, Value>) {
    let prefix = mapper.config("usermodel.realmRoleMapping.rolePrefix").unwrap_or_default();
    put_list(mapper.config("claim.name").unwrap_or("realm_access.roles"), prefix, &roles.realm, claims);
}

/// The roles of every client, or of one; `${client_id}` in the claim's name stands for the client.
pub(super) fn client_roles(mapper: &ProtocolMapper, roles: &RoleNames, claims: &mut Map<String, Value>) {
    let prefix = mapper.config("usermodel.clientRoleMapping.rolePrefix").unwrap_or_default();
    let only = mapper.config("usermodel.clientRoleMapping.clientId").filter(|c| !c.is_empty());
    let name = mapper.config("claim.name").unwrap_or("resource_access.${client_id}.roles");
    for (client, names) in roles.clients.iter().filter(|(client, _)| only.is_none_or(|o| o == *client)) {
        let escaped = client.replace('\\', "\\\\").replace('.', "\\.");
        put_list(&name.replace("${client_id}", &escaped), prefix, names, claims);
    }
}

fn put_list(claim: &str, prefix: &str, names: &BTreeSet<String>, claims: &mut Map<String, Value>) {
    if !names.is_empty() {
        let list = names.iter().map(|n| Value::from(format!("{prefix}{n}"))).collect();
        put(&path(claim), Value::Array(list), claims);
    }
}

/// The clients whose roles the token carries: they may be called with it. The issuing client is not its own audience.
pub(super) fn audiences(facts: &Facts<'_>, roles: &RoleNames) -> BTreeSet<String> {
    let with_roles = roles.clients.iter().filter(|(_, names)| !names.is_empty()).map(|(client, _)| client);
    with_roles.filter(|client| *client != facts.client.client_id.as_str()).cloned().collect()
}
