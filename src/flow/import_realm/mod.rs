//! Making a realm, from nothing or from a file: everything in one transaction, or nothing.

mod components;
mod keys;
mod master;
mod passwords;
mod sound;
mod users;
mod without_effect;
mod writer;

use self::components::{parts_of, without_place};
use self::keys::keys_of;
pub(in crate::flow) use self::passwords::hash_passwords;
use self::sound::{check, roles_that_are_only_named};
pub use self::users::service_account;
use self::without_effect::without_effect;
pub use self::writer::{Creator, ImportError};
pub(in crate::flow) use self::writer::{Names, Writer};
use super::context::Server;
use super::new_realm;
use crate::model::credential::Credential;
use crate::model::realm_import::{ClientImport, ClientScopeImport, GroupImport, RealmImport, RoleImport, RoleRef, ScopeOwner};
use crate::model::signing_key::StoredKey;
use crate::model::{ClientId, ClientScope, ClientScopeId, ClientUuid, Group, GroupId, GroupPath, RealmId, Role, RoleId};
use crate::store::client::ClientRow;
use crate::store::protocol_mapper::MapperOwner;
use crate::store::{self, Db, StoreError};

/// A realm that was made.
#[derive(Clone, Debug)]
pub struct Imported {
    pub realm: RealmId,
    /// What its file says and this server does not act on, each by its path. The log has it too.
    pub not_taken_over: Vec<String>,
}

/// Makes the realm. Roles over it in the master realm are made along.
pub async fn run(server: &Server, import: RealmImport, creator: Option<&Creator<'_>>) -> Result<Imported, ImportError> {
    make(server, import, creator, false).await
}

/// Makes the realm and takes it back: what a file comes to, for whoever wants to know before.
pub async fn rehearse(server: &Server, import: RealmImport) -> Result<Imported, ImportError> {
    make(server, import, None, true).await
}

/// Why a transaction did not last.
enum Undone {
    Failed(ImportError),
    /// What found no place, as if it had been written.
    Rehearsed(Vec<String>),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

async fn make(
    server: &Server,
    mut import: RealmImport,
    creator: Option<&Creator<'_>>,
    rehearses: bool,
) -> Result<Imported, ImportError> {
    let now = server.clock.now();
    let mut not_taken_over = std::mem::take(&mut import.not_taken_over);
    not_taken_over.extend(without_effect(&import));
    check(&import)?;
    new_realm::complete(&mut import, &server.entropy);
    roles_that_are_only_named(&mut import);
    let realm = import.id.clone().unwrap_or_else(|| RealmId::new(server.entropy.uuid()));
    let keys = keys_of(server, &import, now, &mut not_taken_over).await?;
    not_taken_over.extend(without_place(&import));
    let credentials = hash_passwords(server, &mut import, now).await?;
    let writer = Writer::new(server, &realm, now, &import);
    let made = server.store.in_tx_or(async |db| {
        let lost = writer.write(db, &keys, &credentials, creator).await.map_err(Undone::Failed)?;
        if rehearses { Err(Undone::Rehearsed(lost)) } else { Ok(lost) }
    });
    match made.await {
        Ok(lost) => not_taken_over.extend(lost),
        Err(Undone::Failed(error)) => return Err(explain(error, &import.name)),
        Err(Undone::Rehearsed(lost)) => {
            not_taken_over.extend(lost);
            return Ok(Imported { realm, not_taken_over });
        }
    }
    server.realms.invalidate(&realm);
    if let Some(master) = server.realms.get(&server.store, "master").await? {
        server.realms.invalidate(&master.snapshot.realm.id);
    }
    for path in &not_taken_over {
        tracing::warn!(realm = import.name, path, "the realm file says this, and nothing here acts on it");
    }
    Ok(Imported { realm, not_taken_over })
}

/// What a conflict in the database means for the file.
fn explain(error: ImportError, name: &str) -> ImportError {
    match error {
        ImportError::Store(StoreError::Conflict(constraint)) => match constraint.as_str() {
            store::realm::NAME_KEY => ImportError::Exists(name.to_owned()),
            store::realm::ID_KEY => ImportError::SameId,
            _ => ImportError::Duplicate,
        },
        other => other,
    }
}

impl Writer<'_> {
    /// Writes everything. Answers what found no place, by its path.
    async fn write(
        &self,
        db: &mut Db<'_>,
        keys: &[StoredKey],
        credentials: &[Vec<Credential>],
        creator: Option<&Creator<'_>>,
    ) -> Result<Vec<String>, ImportError> {
        let mut names = Names::default();
        let default_role = self.role_ids(&mut names);
        let realm = store::realm::NewRealm {
            id: self.realm,
            name: &self.import.name,
            enabled: self.import.enabled,
            not_before: self.import.not_before,
            default_role: &default_role,
            user_profile: self.import.user_profile.as_ref(),
            settings: &self.import.document,
        };
        store::realm::insert_realm(db, &realm, self.now).await?;
        for key in keys {
            store::signing_key::insert_key(db, self.realm, key, self.now).await?;
        }
        for component in parts_of(self.import, self.realm) {
            store::component::insert_component(db, self.realm, &component, self.now).await?;
        }
        for scope in self.import.client_scopes.iter().flatten() {
            self.scope(db, &mut names, scope).await?;
        }
        for (what, list) in [
            ("defaultDefaultClientScopes", &self.import.default_scopes),
            ("defaultOptionalClientScopes", &self.import.optional_scopes),
        ] {
            let unknown = list.iter().flatten().filter(|name| !names.scopes.contains_key(*name));
            let lost: Vec<String> = unknown.map(|name| format!("{what}.{name}")).collect();
            names.lost.extend(lost);
        }
        for client in &self.import.clients {
            self.client(db, &mut names, client).await?;
        }
        self.roles(db, &names).await?;
        self.scope_mappings(db, &names).await?;
        for group in &self.import.groups {
            self.group(db, &mut names, group, None, &GroupPath::default()).await?;
        }
        let mut defaults: Vec<GroupId> = Vec::new();
        for path in &self.import.default_groups {
            match names.group(path) {
                Ok(group) => defaults.push(group.clone()),
                Err(_) => names.lost.push(format!("defaultGroups.{path}")),
            }
        }
        store::realm::set_default_groups(db, self.realm, &defaults).await?;
        for (user, credentials) in self.import.users.iter().zip(credentials) {
            self.user(db, &names, user, credentials).await?;
        }
        self.service_accounts(db, &names, &default_role).await?;
        if self.import.name != "master" {
            self.roles_in_master(db, creator).await?;
        }
        Ok(names.lost)
    }

    /// Gives every role its id beforehand, because roles name each other. Returns the default role's.
    fn role_ids(&self, names: &mut Names) -> RoleId {
        for role in &self.import.roles {
            let id = role.id.clone().unwrap_or_else(|| RoleId::new(self.new_id()));
            names.roles.insert(role.role.clone(), id);
        }
        let name = self.import.default_role.clone().unwrap_or_default();
        names.roles.get(&RoleRef { client: None, name }).cloned().unwrap_or_else(|| RoleId::new(self.new_id()))
    }

    async fn scope(&self, db: &mut Db<'_>, names: &mut Names, scope: &ClientScopeImport) -> Result<(), ImportError> {
        let id = ClientScopeId::new(scope.id.clone().unwrap_or_else(|| self.new_id()));
        let row = ClientScope {
            id: id.clone(),
            name: scope.name.clone(),
            description: scope.description.clone(),
            protocol: scope.protocol.clone(),
            attributes: scope.attributes.clone(),
            mappers: Vec::new(),
            role_mappings: Vec::new(),
        };
        store::client_scope::insert_scope(db, self.realm, &row).await?;
        for mapper in &scope.mappers {
            store::protocol_mapper::insert_mapper(db, self.realm, MapperOwner::Scope(&id), mapper).await?;
        }
        let lists = [(&self.import.default_scopes, false), (&self.import.optional_scopes, true)];
        for (_, optional) in lists.iter().filter(|(list, _)| list.iter().flatten().any(|n| *n == scope.name)) {
            store::client_scope::set_assignment(db, self.realm, &id, Some(*optional)).await?;
        }
        names.scopes.insert(scope.name.clone(), (id, scope.protocol.clone()));
        Ok(())
    }

    pub(in crate::flow) async fn client(
        &self,
        db: &mut Db<'_>,
        names: &mut Names,
        client: &ClientImport,
    ) -> Result<(), ImportError> {
        let uuid = client.uuid.clone().unwrap_or_else(|| ClientUuid::new(self.new_id()));
        let row = ClientRow {
            uuid: &uuid,
            client_id: &ClientId::new(client.client_id.as_str()),
            enabled: client.enabled,
            not_before: client.not_before,
            secret: client.secret.as_ref(),
            settings: &client.settings,
        };
        store::client::insert_client(db, self.realm, &row, self.now).await?;
        for mapper in &client.mappers {
            store::protocol_mapper::insert_mapper(db, self.realm, MapperOwner::Client(&uuid), mapper).await?;
        }
        let inherited = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let (mut default, optional) = match &client.scopes {
            Some(own) => {
                let named = own.default.iter().chain(&own.optional).filter(|name| !names.scopes.contains_key(*name));
                let lost: Vec<String> = named.map(|name| format!("clients.{}.clientScopes.{name}", client.client_id)).collect();
                names.lost.extend(lost);
                (own.default.clone(), own.optional.clone())
            }
            None => (inherited(&self.import.default_scopes), inherited(&self.import.optional_scopes)),
        };
        if client.settings.service_accounts_enabled && !self.brings_account(&client.client_id) {
            default.push("service_account".to_owned());
        }
        let protocol = client.settings.protocol.as_deref().unwrap_or("openid-connect");
        for (list, is_optional) in [(optional, true), (default, false)] {
            for (scope, _) in list.iter().filter_map(|n| names.scopes.get(n)).filter(|(_, p)| p == protocol) {
                store::client::put_client_scope(db, self.realm, &uuid, scope, is_optional).await?;
            }
        }
        names.clients.insert(client.client_id.clone(), uuid);
        Ok(())
    }

    async fn roles(&self, db: &mut Db<'_>, names: &Names) -> Result<(), ImportError> {
        for role in &self.import.roles {
            let row = self.role_row(names, role)?;
            store::role::insert_role(db, self.realm, &row).await?;
        }
        for role in &self.import.roles {
            let id = names.role(&role.role)?;
            for child in &role.composites {
                store::role::insert_composite(db, self.realm, id, names.role(child)?).await?;
            }
        }
        Ok(())
    }

    fn role_row(&self, names: &Names, role: &RoleImport) -> Result<Role, ImportError> {
        let client = match &role.role.client {
            None => None,
            Some(client_id) => {
                let found = names.clients.get(client_id).cloned();
                Some(found.ok_or_else(|| ImportError::Unknown(format!("App doesn't exist in role definitions: {client_id}")))?)
            }
        };
        Ok(Role {
            id: names.role(&role.role)?.clone(),
            client,
            name: role.role.name.clone(),
            description: role.description.clone(),
            attributes: role.attributes.clone(),
            children: Vec::new(),
        })
    }

    async fn scope_mappings(&self, db: &mut Db<'_>, names: &Names) -> Result<(), ImportError> {
        for mapping in &self.import.scope_mappings {
            for role in &mapping.roles {
                let role = names.role(role)?;
                match &mapping.owner {
                    ScopeOwner::Client(name) => {
                        let client = names.clients.get(name);
                        let client = client.ok_or_else(|| {
                            ImportError::Unknown(format!("Unknown client specification in scope mappings: {name}"))
                        })?;
                        store::client::insert_scope_mapping(db, self.realm, client, role).await?;
                    }
                    ScopeOwner::ClientScope(name) => {
                        let scope = names.scopes.get(name);
                        let (scope, _) = scope
                            .ok_or_else(|| ImportError::Unknown(format!("Unknown client scope in scope mappings: {name}")))?;
                        store::client_scope::insert_role(db, self.realm, scope, role).await?;
                    }
                }
            }
        }
        Ok(())
    }

    pub(in crate::flow) async fn group(
        &self,
        db: &mut Db<'_>,
        names: &mut Names,
        group: &GroupImport,
        parent: Option<&GroupId>,
        above: &GroupPath,
    ) -> Result<(), ImportError> {
        let id = group.id.clone().unwrap_or_else(|| GroupId::new(self.new_id()));
        let row = Group {
            id: id.clone(),
            parent: parent.cloned(),
            name: group.name.clone(),
            description: group.description.clone(),
            attributes: group.attributes.clone(),
            roles: Vec::new(),
        };
        store::group::insert_group(db, self.realm, &row).await?;
        for role in &group.roles {
            store::group::insert_role(db, self.realm, &id, names.role(role)?).await?;
        }
        let path = above.below(&group.name);
        for child in &group.groups {
            Box::pin(self.group(db, names, child, Some(&id), &path)).await?;
        }
        names.groups.insert(path, id);
        Ok(())
    }
}
