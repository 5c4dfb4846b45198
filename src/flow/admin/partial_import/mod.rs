//! Adding clients, roles, groups, users and identity providers of a file to a realm that is there: all of them, or none.
//!
//! What is there already fails the import, is passed over, or is overwritten. Overwriting keeps ids, and what others have given to
//! the thing, so that who holds a role or is in a group still does; Keycloak deletes and makes anew.

mod clients;
mod groups;
mod providers;
mod roles;
mod users;

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Refusal, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::import_realm::{ImportError, Names, Writer, hash_passwords};
use crate::model::admin_event::ResourceType;
use crate::model::credential::Credential;
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDERS};
use crate::model::realm_import::{GroupImport, RealmImport, RoleRef};
use crate::model::{ClientScopeId, ClientUuid, RealmSnapshot};
use crate::store;

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

impl Outcome {
    /// Where an event says that it stands (Keycloak's words).
    fn place(&self) -> &'static str {
        match self.kind {
            "CLIENT" | "CLIENT_ROLE" => "clients",
            "GROUP" => "groups",
            "USER" => "users",
            "IDP" => "identity-provider-settings",
            "IDP_MAPPER" => "mappers",
            _ => "realms",
        }
    }
}

/// A file, and the paths of its groups.
#[derive(Clone, Debug)]
pub struct Addition {
    import: RealmImport,
    group_paths: Vec<Option<String>>,
    if_exists: IfExists,
    /// The passwords of its users, hashed.
    credentials: Vec<Vec<Credential>>,
    providers: Vec<Map<String, Value>>,
    mappers: Vec<Map<String, Value>>,
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
        let (providers, mappers) = (listed(&import, IDENTITY_PROVIDERS), listed(&import, IDENTITY_PROVIDER_MAPPERS));
        import.document.clone_from(&snapshot.realm.document);
        let names =
            |ids: &[ClientScopeId]| ids.iter().filter_map(|id| snapshot.scopes.get(id)).map(|scope| scope.name.clone()).collect();
        import.default_scopes = Some(names(&snapshot.realm.default_scopes));
        import.optional_scopes = Some(names(&snapshot.realm.optional_scopes));
        let credentials = hash_passwords(&cx.server, &mut import, cx.now).await.map_err(explain)?;
        Ok(Self { import, group_paths, if_exists, credentials, providers, mappers })
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

    /// The path of every group that somebody would join by this.
    pub fn joined_groups(&self) -> HashSet<&str> {
        self.import.users.iter().flat_map(|user| &user.groups).map(String::as_str).collect()
    }
}

/// The parts of a file that ask for rights of their own.
pub fn changes_users(import: &RealmImport) -> bool {
    !import.users.is_empty() || !import.groups.is_empty()
}

/// A user who is to stand for a client is the client's.
pub fn changes_clients(import: &RealmImport) -> bool {
    !import.clients.is_empty()
        || import.roles.iter().any(|role| role.role.client.is_some())
        || import.users.iter().any(|user| user.service_account_of.is_some())
}

pub fn changes_providers(import: &RealmImport) -> bool {
    [IDENTITY_PROVIDERS, IDENTITY_PROVIDER_MAPPERS].iter().any(|part| !listed(import, part).is_empty())
}

fn listed(import: &RealmImport, part: &str) -> Vec<Map<String, Value>> {
    let all = import.document.get(part).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_object).cloned().collect()
}

fn explain(error: ImportError) -> Refusal {
    match error {
        ImportError::Store(store::StoreError::Conflict(_)) | ImportError::Duplicate | ImportError::SameId => {
            Refusal::Exists("Duplicate resource error".to_owned())
        }
        ImportError::Store(error) => error.into(),
        ImportError::Busy => store::StoreError::Busy.into(),
        ImportError::Exists(text) | ImportError::Unknown(text) => Refusal::Invalid(text),
    }
}

/// Adds everything in one transaction, with an event for each thing that was written.
pub async fn run(cx: &Cx, addition: &Addition) -> Result<Vec<Outcome>, Refusal> {
    let writer = Writer { server: &cx.server, realm: &cx.snapshot().realm.id, now: cx.now, import: &addition.import };
    let (outcomes, touched) = write_decided(cx, async |db| {
        let names = names_of(cx.snapshot());
        let mut adding = Adding { cx, writer, names, if_exists: addition.if_exists, outcomes: Vec::new(), touched: Vec::new() };
        adding.providers(db, &addition.providers, &addition.mappers).await?;
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
        for outcome in &adding.outcomes {
            let change = match outcome.action {
                Action::Skipped => continue,
                Action::Added => Change::add(ResourceType::Realm),
                Action::Overwritten => Change::update(ResourceType::Realm),
            };
            let told = serde_json::json!({"id": outcome.id, "name": outcome.name});
            note(cx, db, change.showing(told).at(&format!("{}/{}", outcome.place(), outcome.id))).await?;
        }
        Ok((adding.outcomes, adding.touched))
    })
    .await?;
    for user in touched {
        cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &user).await?;
    }
    Ok(outcomes)
}

fn names_of(snapshot: &RealmSnapshot) -> Names {
    let of_client = |uuid: &ClientUuid| snapshot.clients.get(uuid).map(|client| client.client_id.to_string());
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
    /// Users who were there before.
    touched: Vec<crate::model::UserId>,
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
}
