//! What holds roles: users and groups have them, clients and client scopes let them into tokens.

use std::collections::HashSet;

use super::role_holders::{Holder, routes as routes_of};
use super::routes::Routes;
use super::user::{NOT_FOUND, user_of};
use super::{Admin, ManageClients, ManageUsers, Permission, ViewClients, ViewUsers, handing_out};
use crate::flow::admin::{client, client_scope, group, user_holding};
use crate::flow::admin_event::Change;
use crate::http::error::AdminError;
use crate::model::admin_event::ResourceType;
use crate::model::{Client, ClientScope, Group, RealmSnapshot, RoleId, User};

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(routes_of::<User>())
        .merge(routes_of::<Group>())
        .merge(routes_of::<Client>())
        .merge(routes_of::<ClientScope>())
}

const MAPPINGS: [ResourceType; 2] = [ResourceType::RealmRoleMapping, ResourceType::ClientRoleMapping];
const SCOPE_MAPPINGS: [ResourceType; 2] = [ResourceType::RealmScopeMapping, ResourceType::ClientScopeMapping];

impl Holder for User {
    type View = ViewUsers;
    type Manage = ManageUsers;
    const PLACE: &'static str = "/{realm}/users/{id}/role-mappings";
    const NO_CLIENT: &'static str = "Client not found";
    const NEEDS_NAMES: bool = true;
    const KINDS: [ResourceType; 2] = MAPPINGS;

    async fn find<P: Permission>(admin: &Admin<P>, id: &str) -> Result<Self, AdminError> {
        user_of(admin, id).await
    }

    fn direct(&self) -> &[RoleId] {
        &self.roles
    }

    fn effective<'a>(&'a self, snapshot: &'a RealmSnapshot) -> HashSet<&'a RoleId> {
        snapshot.roles_of(self)
    }

    fn may_give(admin: &Admin<ManageUsers>, roles: &[RoleId]) -> bool {
        handing_out::allows(admin, roles)
    }

    async fn change(&self, admin: &Admin<ManageUsers>, roles: &[RoleId], adds: bool, change: Change) -> Result<(), AdminError> {
        let is_there = user_holding::change_roles(&admin.cx, &self.id, roles, adds, change).await?;
        if is_there { Ok(()) } else { Err(NOT_FOUND) }
    }
}

impl Holder for Group {
    type View = ViewUsers;
    type Manage = ManageUsers;
    const PLACE: &'static str = "/{realm}/groups/{id}/role-mappings";
    const NO_CLIENT: &'static str = "Client not found";
    const NEEDS_NAMES: bool = true;
    const KINDS: [ResourceType; 2] = MAPPINGS;

    async fn find<P: Permission>(admin: &Admin<P>, id: &str) -> Result<Self, AdminError> {
        Ok(group::find(&admin.cx, id)?.clone())
    }

    fn direct(&self) -> &[RoleId] {
        &self.roles
    }

    fn effective<'a>(&'a self, snapshot: &'a RealmSnapshot) -> HashSet<&'a RoleId> {
        snapshot.roles_by_group(&self.id)
    }

    fn may_give(admin: &Admin<ManageUsers>, roles: &[RoleId]) -> bool {
        handing_out::allows(admin, roles)
    }

    async fn change(&self, admin: &Admin<ManageUsers>, roles: &[RoleId], adds: bool, change: Change) -> Result<(), AdminError> {
        Ok(group::change_roles(&admin.cx, &self.id, roles, adds, change).await?)
    }
}

/// A scope gives nobody a role: it lets those through that the user has.
impl Holder for Client {
    type View = ViewClients;
    type Manage = ManageClients;
    const PLACE: &'static str = "/{realm}/clients/{id}/scope-mappings";
    const NO_CLIENT: &'static str = "Could not find client";
    const NEEDS_NAMES: bool = false;
    const KINDS: [ResourceType; 2] = SCOPE_MAPPINGS;

    async fn find<P: Permission>(admin: &Admin<P>, id: &str) -> Result<Self, AdminError> {
        Ok(client::find(&admin.cx, id)?.clone())
    }

    fn direct(&self) -> &[RoleId] {
        &self.scope_mappings
    }

    fn effective<'a>(&'a self, snapshot: &'a RealmSnapshot) -> HashSet<&'a RoleId> {
        if self.settings.full_scope_allowed {
            return snapshot.roles.keys().collect();
        }
        snapshot.expand(&self.scope_mappings)
    }

    fn may_give(_: &Admin<ManageClients>, _: &[RoleId]) -> bool {
        true
    }

    async fn change(&self, admin: &Admin<ManageClients>, roles: &[RoleId], adds: bool, change: Change) -> Result<(), AdminError> {
        Ok(client::change_scope_mappings(&admin.cx, &self.uuid, roles, adds, change).await?)
    }
}

impl Holder for ClientScope {
    type View = ViewClients;
    type Manage = ManageClients;
    const PLACE: &'static str = "/{realm}/client-scopes/{id}/scope-mappings";
    const NO_CLIENT: &'static str = "Could not find client";
    const NEEDS_NAMES: bool = false;
    const KINDS: [ResourceType; 2] = SCOPE_MAPPINGS;

    async fn find<P: Permission>(admin: &Admin<P>, id: &str) -> Result<Self, AdminError> {
        Ok(client_scope::find(&admin.cx, id)?.clone())
    }

    fn direct(&self) -> &[RoleId] {
        &self.role_mappings
    }

    fn effective<'a>(&'a self, snapshot: &'a RealmSnapshot) -> HashSet<&'a RoleId> {
        snapshot.expand(&self.role_mappings)
    }

    fn may_give(_: &Admin<ManageClients>, _: &[RoleId]) -> bool {
        true
    }

    async fn change(&self, admin: &Admin<ManageClients>, roles: &[RoleId], adds: bool, change: Change) -> Result<(), AdminError> {
        Ok(client_scope::change_roles(&admin.cx, &self.id, roles, adds, change).await?)
    }
}
