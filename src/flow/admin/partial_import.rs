//! Adding clients, roles, groups and users of a file to a realm that is there: all of them, or none.
//!
//! What is there already fails the import, is passed over, or is overwritten. Overwriting keeps ids, so that what names a role or a
//! group by its id still does; Keycloak deletes and makes anew.

use std::collections::HashSet;

use super::{Refusal, client, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::import_realm::{ImportError, Names, Writer, hash_passwords};
use crate::model::admin_event::ResourceType;
use crate::model::credential::Credential;
use crate::model::realm_import::{ClientImport, GroupImport, RealmImport, RoleImport, RoleRef, UserImport};
use crate::model::{Group, RealmSnapshot, Role, RoleId, UserId};
use crate::store::{self, Db};

/// What happens to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfExists {
    Fail,
    Skip,
    Overwrite,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Added,
    Skipped,
    Overwritten,
}

/// What became of one thing of the file.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub action: Action,
    /// Keycloak's name of its kind, e.g. `REALM_ROLE`.
    pub kind: &'static str,
    pub name: String,
    pub id: String,
}

/// A file, and the paths of its groups.
#[derive(Clone, Debug)]
pub struct Addition {
    pub import: RealmImport,
    pub group_paths: Vec<Option<String>>,
    pub if_exists: IfExists,
    /// The passwords of its users, hashed.
    credentials: Vec<Vec<Credential>>,
}

impl Addition {
    /// Hashes the passwords of the file, which takes long: outside of any transaction.
    pub async fn new(
        cx: &Cx,
        mut import: RealmImport,
        group_paths: Vec<Option<String>>,
        if_exists: IfExists,
    ) -> Result<Self, Refusal> {
        let snapshot = cx.snapshot();
        import.document.clone_from(&snapshot.realm.document);
        let names = |ids: &[crate::model::ClientScopeId]| {
            ids.iter().filter_map(|id| snapshot.scopes.get(id)).map(|scope| scope.name.clone()).collect()
        };
        import.default_scopes = Some(names(&snapshot.realm.default_scopes));
        import.optional_scopes = Some(names(&snapshot.realm.optional_scopes));
        for new in &mut import.clients {
            client::fill_in_secret(new, cx.entropy(), cx.now);
        }
        let credentials = hash_passwords(&cx.server, &mut import, cx.now).await.map_err(explain)?;
        Ok(Self { import, group_paths, if_exists, credentials })
    }

    /// Every role that somebody or something would get by this.
    pub fn given_roles(&self) -> HashSet<&RoleRef> {
        fn of_groups<'a>(groups: &'a [GroupImport], all: &mut HashSet<&'a RoleRef>) {
            for group in groups {
                all.extend(&group.roles);
                of_groups(&group.groups, all);
            }
        }
        let mut all: HashSet<&RoleRef> = self.import.users.iter().flat_map(|user| &user.roles).collect();
        all.extend(self.import.roles.iter().flat_map(|role| &role.composites));
        of_groups(&self.import.groups, &mut all);
        all
    }
}

fn explain(error: ImportError) -> Refusal {
    match error {
        ImportError::Store(store::StoreError::Conflict(_)) | ImportError::Duplicate => {
            Refusal::Exists("Duplicate resource error".to_owned())
        }
        ImportError::Store(error) => error.into(),
        ImportError::Busy => store::StoreError::Busy.into(),
        ImportError::Exists(text) | ImportError::Unknown(text) => Refusal::Invalid(text),
    }
}

/// Adds everything in one transaction.
pub async fn run(cx: &Cx, addition: &Addition) -> Result<Vec<Outcome>, Refusal> {
    let writer = Writer { server: &cx.server, realm: &cx.snapshot().realm.id, now: cx.now, import: &addition.import };
    write_decided(cx, async |db| {
        let mut adding =
            Adding { cx, writer, names: names_of(cx.snapshot()), if_exists: addition.if_exists, outcomes: Vec::new() };
        for client in &addition.import.clients {
            adding.client(db, client).await?;
        }
        adding.roles(db, &addition.import.roles).await?;
        for (group, path) in addition.import.groups.iter().zip(&addition.group_paths) {
            adding.group(db, group, path.as_deref()).await?;
        }
        for (user, credentials) in addition.import.users.iter().zip(&addition.credentials) {
            adding.user(db, user, credentials).await?;
        }
        note(cx, db, Change::add(ResourceType::Realm)).await?;
        Ok(adding.outcomes)
    })
    .await
}

fn names_of(snapshot: &RealmSnapshot) -> Names {
    let of_client = |uuid: &crate::model::ClientUuid| snapshot.clients.get(uuid).map(|client| client.client_id.to_string());
    let mut names = Names::default();
    names.clients.extend(snapshot.clients.values().map(|client| (client.client_id.to_string(), client.uuid.clone())));
    names.scopes.extend(snapshot.scopes.values().map(|s| (s.name.clone(), (s.id.clone(), s.protocol.clone()))));
    for role in snapshot.roles.values() {
        let client = role.client.as_ref().and_then(of_client);
        names.roles.insert(RoleRef { client, name: role.name.clone() }, role.id.clone());
    }
    names.groups.extend(snapshot.groups.keys().map(|id| (snapshot.group_path(id), id.clone())));
    names
}

struct Adding<'a> {
    cx: &'a Cx,
    writer: Writer<'a>,
    names: Names,
    if_exists: IfExists,
    outcomes: Vec<Outcome>,
}

impl Adding<'_> {
    /// Whether what is there is overwritten; else it is passed over, which is noted.
    fn overwrites(&mut self, kind: &'static str, name: &str, id: &str, text: String) -> Result<bool, Refusal> {
        match self.if_exists {
            IfExists::Fail => Err(Refusal::Exists(text)),
            IfExists::Skip => {
                self.told(Action::Skipped, kind, name, id);
                Ok(false)
            }
            IfExists::Overwrite => Ok(true),
        }
    }

    fn told(&mut self, action: Action, kind: &'static str, name: &str, id: &str) {
        self.outcomes.push(Outcome { action, kind, name: name.to_owned(), id: id.to_owned() });
    }

    async fn client(&mut self, db: &mut Db<'_>, client: &ClientImport) -> Result<(), Refusal> {
        const KIND: &str = "CLIENT";
        let snapshot = self.cx.snapshot();
        let name = client.client_id.as_str();
        let mut new = client.clone();
        let mut action = Action::Added;
        if let Some(before) = snapshot.client(name) {
            if !self.overwrites(KIND, name, before.uuid.as_str(), format!("Client id '{name}' already exists"))? {
                return Ok(());
            }
            client::remove(self.cx, db, before).await?;
            new.uuid = Some(before.uuid.clone());
            action = Action::Overwritten;
        }
        client::check_new(self.cx, &new)?;
        self.writer.client(db, &mut self.names, &new).await.map_err(explain)?;
        let uuid = self.names.clients.get(name).cloned().ok_or(Refusal::NotFound("Could not find client"))?;
        if new.settings.service_accounts_enabled && !self.writer.brings_account(name) {
            client::open_account(self.cx, db, name, &uuid).await?;
        }
        self.told(action, KIND, name, uuid.as_str());
        Ok(())
    }

    /// The roles first, then what they hold: they may name each other.
    async fn roles(&mut self, db: &mut Db<'_>, roles: &[RoleImport]) -> Result<(), Refusal> {
        let mut written = Vec::new();
        for role in roles {
            if let Some(id) = self.role(db, role).await? {
                written.push((id, &role.composites));
            }
        }
        for (id, composites) in written {
            for child in composites {
                let child = self.names.role(child).map_err(explain)?;
                store::role::insert_composite(db, self.writer.realm, &id, child).await?;
            }
        }
        Ok(())
    }

    /// The role's id, if it was written.
    async fn role(&mut self, db: &mut Db<'_>, role: &RoleImport) -> Result<Option<RoleId>, Refusal> {
        let name = role.role.name.as_str();
        let (kind, shown, text) = match &role.role.client {
            None => ("REALM_ROLE", name.to_owned(), format!("Realm role '{name}' already exists")),
            Some(client) => ("CLIENT_ROLE", format!("{client}-->{name}"), format!("Client role '{name}' already exists")),
        };
        let client = match &role.role.client {
            None => None,
            Some(id) => Some(self.names.clients.get(id).cloned().ok_or(Refusal::NotFound("Could not find client"))?),
        };
        let before = self.names.roles.get(&role.role).cloned();
        let id = before.clone().or_else(|| role.id.clone()).unwrap_or_else(|| RoleId::new(self.writer.new_id()));
        let row = Role {
            id: id.clone(),
            client,
            name: name.to_owned(),
            description: role.description.clone(),
            attributes: role.attributes.clone(),
            children: Vec::new(),
        };
        if before.is_some() {
            if !self.overwrites(kind, &shown, id.as_str(), text)? {
                return Ok(None);
            }
            super::role::refuse_administrative(self.cx, &row)?;
            store::role::update_role(db, self.writer.realm, &row).await?;
            self.told(Action::Overwritten, kind, &shown, id.as_str());
        } else {
            store::role::insert_role(db, self.writer.realm, &row).await?;
            self.names.roles.insert(role.role.clone(), id.clone());
            self.told(Action::Added, kind, &shown, id.as_str());
        }
        Ok(Some(id))
    }

    /// A group is known by its path; without one it is new.
    async fn group(&mut self, db: &mut Db<'_>, group: &GroupImport, path: Option<&str>) -> Result<(), Refusal> {
        const KIND: &str = "GROUP";
        let before = path.and_then(|path| self.names.groups.get(path)).cloned();
        let Some(id) = before else {
            self.writer.group(db, &mut self.names, group, None, "").await.map_err(explain)?;
            let made = self.names.groups.get(&format!("/{}", group.name)).map(ToString::to_string).unwrap_or_default();
            self.told(Action::Added, KIND, &group.name, &made);
            return Ok(());
        };
        let shown = path.unwrap_or_default();
        if !self.overwrites(KIND, &group.name, id.as_str(), format!("Group '{shown}' already exists"))? {
            return Ok(());
        }
        let parent = self.cx.snapshot().groups.get(&id).and_then(|group| group.parent.clone());
        let row = Group {
            id: id.clone(),
            parent,
            name: group.name.clone(),
            description: group.description.clone(),
            attributes: group.attributes.clone(),
            roles: Vec::new(),
        };
        store::group::update_group(db, self.writer.realm, &row).await?;
        for role in self.cx.snapshot().groups.get(&id).iter().flat_map(|group| &group.roles) {
            store::group::delete_role(db, self.writer.realm, &id, role).await?;
        }
        for role in &group.roles {
            store::group::insert_role(db, self.writer.realm, &id, self.names.role(role).map_err(explain)?).await?;
        }
        self.told(Action::Overwritten, KIND, &group.name, id.as_str());
        Ok(())
    }

    async fn user(&mut self, db: &mut Db<'_>, user: &UserImport, credentials: &[Credential]) -> Result<(), Refusal> {
        const KIND: &str = "USER";
        let realm = self.writer.realm;
        let name = user.username.to_lowercase();
        let email = user.email.as_deref().filter(|_| !self.cx.settings().duplicate_emails_allowed);
        let mut new = user.clone();
        let mut action = Action::Added;
        if let Some(before) = store::user_list::find_same(db, realm, &name, email.map(str::to_lowercase).as_deref()).await? {
            let text = format!("User with user name {name} already exists.");
            if !self.overwrites(KIND, &name, before.as_str(), text)? {
                return Ok(());
            }
            store::user::delete_user(db, realm, &before).await?;
            new.id = Some(before);
            action = Action::Overwritten;
        }
        let id = new.id.clone().unwrap_or_else(|| UserId::new(self.writer.new_id()));
        new.id = Some(id.clone());
        self.writer.user(db, &self.names, &new, credentials).await.map_err(explain)?;
        self.told(action, KIND, &name, id.as_str());
        Ok(())
    }
}
