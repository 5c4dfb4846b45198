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
use std::fmt;

use serde_json::{Map, Value};

use super::{Refusal, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::import_realm::{ImportError, Names, Writer, hash_passwords};
use crate::model::admin_event::ResourceType;
use crate::model::credential::Credential;
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDERS};
use crate::model::realm_import::{RealmImport, RoleRef};
use crate::model::{ClientScopeId, ClientUuid, GroupId, GroupPaths, RealmSnapshot, RoleId};
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
pub struct Addition {
    import: RealmImport,
    group_paths: Vec<Option<String>>,
    if_exists: IfExists,
    /// The passwords of its users, hashed.
    credentials: Vec<Vec<Credential>>,
    providers: Vec<Map<String, Value>>,
    mappers: Vec<Map<String, Value>>,
}

/// Not the file: secrets are in it.
impl fmt::Debug for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addition").field("if_exists", &self.if_exists).finish_non_exhaustive()
    }
}

/// Whether the administrator may give (or take) these roles of the realm as it is by now.
pub type MayGive<'a> = &'a (dyn Fn(&RealmSnapshot, &[&RoleId]) -> bool + Send + Sync);

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

/// Adds everything in one transaction, with an event for each thing that was written. What would be handed out by it is asked of
/// `may_give` where it is written: by then the names of the file mean what they will have meant.
pub async fn run(cx: &Cx, addition: &Addition, may_give: MayGive<'_>) -> Result<Vec<Outcome>, Refusal> {
    let writer = Writer::new(&cx.server, &cx.snapshot().realm.id, cx.now, &addition.import);
    write_decided(cx, async |db| {
        let names = names_of(cx.snapshot());
        let mut adding =
            Adding { cx, writer, names, may_give, if_exists: addition.if_exists, outcomes: Vec::new(), written: HashSet::new() };
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
        Ok(adding.outcomes)
    })
    .await
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
    names.groups = GroupPaths::of(snapshot);
    names
}

struct Adding<'a> {
    cx: &'a Cx,
    writer: Writer<'a>,
    names: Names,
    may_give: MayGive<'a>,
    if_exists: IfExists,
    outcomes: Vec<Outcome>,
    /// The ids of the roles and groups of the file so far.
    written: HashSet<String>,
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

    /// Once for every role and group: what the file says of it a second time would be mixed with the first.
    fn once(&mut self, id: &str, name: &str) -> Result<(), Refusal> {
        if self.written.insert(id.to_owned()) { Ok(()) } else { Err(twice(name)) }
    }

    /// Refuses what the administrator could not give at its own address. A role of the file itself is judged by what it holds.
    fn check_giving<'r>(&self, roles: impl IntoIterator<Item = &'r RoleId>) -> Result<(), Refusal> {
        let roles: Vec<&RoleId> = roles.into_iter().collect();
        if (self.may_give)(self.cx.snapshot(), &roles) { Ok(()) } else { Err(Refusal::Forbidden) }
    }

    /// The same for what a group gives to those who are in it, or below it.
    fn check_group(&self, group: &GroupId) -> Result<(), Refusal> {
        self.check_giving(self.cx.snapshot().lineage(group).into_iter().flat_map(|group| &group.roles))
    }

    fn roles_named<'n>(&'n self, roles: &[RoleRef]) -> Result<Vec<&'n RoleId>, Refusal> {
        roles.iter().map(|role| self.names.role(role).map_err(explain)).collect()
    }

    fn told(&mut self, action: Action, kind: &'static str, name: &str, id: &str) {
        self.outcomes.push(Outcome { action, kind, name: name.to_owned(), id: id.to_owned() });
    }
}

fn twice(name: &str) -> Refusal {
    Refusal::Invalid(format!("'{name}' is twice in the file"))
}
