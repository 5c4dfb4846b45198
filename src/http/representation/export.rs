//! A realm as a file, as Keycloak writes one and reads one (`RealmRepresentation` with all that is in it).

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::client::client as shown_client;
use super::client_scope::client_scope;
use super::group::group as full_group;
use super::realm::realm as shown_realm;
use super::role::role as full_role;
use super::user::user as full_user;
use crate::flow::export_realm::WholeUser;
use crate::flow::masking::{MASK, mask};
use crate::model::authentication_flow::{AuthenticationFlow, CONFIGS, FLOWS, Flows};
use crate::model::component::is_secret;
use crate::model::credential::{Credential, OTP};
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDER_SECRET, IDENTITY_PROVIDERS, LOCALIZATION_TEXTS, MAIL};
use crate::model::{
    ClientScopeId, Component, Consent, Group, GroupId, GroupPath, GroupPaths, RealmSnapshot, Role, RoleId, User, required_action,
};

/// The version of Keycloak that reads such files.
const VERSION: &str = "26.7.0";

/// Which parts a file has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub clients: bool,
    pub groups_and_roles: bool,
    /// Whether secrets and private keys stand in the file, as they are in what it is made of; else masks do.
    pub secrets: bool,
}

impl Parts {
    pub(crate) const WHOLE: Self = Self { clients: true, groups_and_roles: true, secrets: true };
}

/// The realm without its users.
pub(crate) fn realm_file(snapshot: &RealmSnapshot, components: &[Component], parts: Parts) -> Map<String, Value> {
    let Value::Object(mut file) = shown_realm(snapshot) else { return Map::new() };
    let paths = GroupPaths::of(snapshot);
    if !snapshot.realm.default_groups.is_empty() {
        file.insert("defaultGroups".to_owned(), json!(paths_of(snapshot, &paths, &snapshot.realm.default_groups)));
    }
    file.extend(documents(snapshot, parts.secrets));
    if parts.secrets
        && let Some(mail) = snapshot.realm.document.get(MAIL)
    {
        file.insert(MAIL.to_owned(), mail.clone());
    }
    file.insert("keycloakVersion".to_owned(), json!(VERSION));
    let realm = &snapshot.realm;
    let mut scopes: Vec<_> = snapshot.scopes.values().collect();
    scopes.sort_by(|a, b| a.name.cmp(&b.name));
    file.insert("clientScopes".to_owned(), scopes.into_iter().map(client_scope).collect());
    file.insert("defaultDefaultClientScopes".to_owned(), json!(scope_names(snapshot, &realm.default_scopes)));
    file.insert("defaultOptionalClientScopes".to_owned(), json!(scope_names(snapshot, &realm.optional_scopes)));
    file.extend(scope_mappings(snapshot, parts.clients));
    file.insert("components".to_owned(), tree_of(components, realm.id.as_str(), parts.secrets));
    if parts.groups_and_roles {
        file.insert("roles".to_owned(), roles(snapshot));
        file.insert("groups".to_owned(), groups(snapshot, &paths));
    }
    if parts.clients {
        file.insert("clients".to_owned(), clients(snapshot, parts.secrets));
    }
    file
}

/// What of the realm's document has addresses of its own.
fn documents(snapshot: &RealmSnapshot, secrets: bool) -> Map<String, Value> {
    let realm = &snapshot.realm;
    let flows = Flows::of(realm);
    let list = |name: &str| realm.document.get(name).cloned().unwrap_or_else(|| json!([]));
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put(required_action::FIELD, json!(realm.settings.required_actions));
    put(FLOWS, flows.flows.iter().map(exported_flow).collect());
    put(CONFIGS, json!(flows.configs));
    put(LOCALIZATION_TEXTS, realm.document.get(LOCALIZATION_TEXTS).cloned().unwrap_or_else(|| json!({})));
    put(IDENTITY_PROVIDER_MAPPERS, list(IDENTITY_PROVIDER_MAPPERS));
    let mut providers = list(IDENTITY_PROVIDERS);
    for provider in providers.as_array_mut().into_iter().flatten().filter(|_| !secrets) {
        if let Some(secret) = provider.get_mut("config").and_then(|config| config.get_mut(IDENTITY_PROVIDER_SECRET)) {
            *secret = json!(MASK);
        }
    }
    put(IDENTITY_PROVIDERS, providers);
    shown
}

/// Executions have no ids in files.
fn exported_flow(flow: &AuthenticationFlow) -> Value {
    let mut shown = super::authentication_flow::flow(flow);
    if flow.description.is_none()
        && let Some(fields) = shown.as_object_mut()
    {
        fields.insert("description".to_owned(), json!(""));
    }
    shown
}

fn scope_names<'a>(snapshot: &'a RealmSnapshot, ids: &[ClientScopeId]) -> Vec<&'a str> {
    let mut names: Vec<&str> = ids.iter().filter_map(|id| snapshot.scopes.get(id)).map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    names
}

/// Roles by name: those of the realm, and those of each client by its `client_id`.
type ByContainer<'a> = BTreeMap<Option<&'a str>, Vec<&'a str>>;

fn by_container<'a>(snapshot: &'a RealmSnapshot, ids: &'a [RoleId]) -> ByContainer<'a> {
    let mut found: ByContainer<'a> = BTreeMap::new();
    for role in ids.iter().filter_map(|id| snapshot.roles.get(id)) {
        let container = role.client.as_ref().map(|uuid| snapshot.clients.get(uuid).map(|c| c.client_id.as_str()));
        match container {
            None => found.entry(None).or_default().push(&role.name),
            Some(Some(client)) => found.entry(Some(client)).or_default().push(&role.name),
            // A role of a client that is gone is gone with it.
            Some(None) => {}
        }
    }
    found.values_mut().for_each(|names| names.sort_unstable());
    found
}

/// `scopeMappings` has the roles of the realm, `clientScopeMappings` those of each client.
fn scope_mappings(snapshot: &RealmSnapshot, with_clients: bool) -> Map<String, Value> {
    let mut of_realm: Vec<Value> = Vec::new();
    let mut of_clients: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let scopes = snapshot.scopes.values().map(|scope| ("clientScope", scope.name.as_str(), &scope.role_mappings));
    let clients = snapshot.clients.values().filter(|_| with_clients);
    let clients = clients.map(|client| ("client", client.client_id.as_str(), &client.scope_mappings));
    let mut owners: Vec<_> = scopes.chain(clients).collect();
    owners.sort_unstable();
    for (kind, name, roles) in owners {
        for (container, roles) in by_container(snapshot, roles) {
            let mapping = json!({kind: name, "roles": roles});
            match container {
                None => of_realm.push(mapping),
                Some(client) => of_clients.entry(client).or_default().push(mapping),
            }
        }
    }
    let mut shown = Map::from_iter([("scopeMappings".to_owned(), Value::from(of_realm))]);
    if with_clients || !of_clients.is_empty() {
        shown.insert("clientScopeMappings".to_owned(), json!(of_clients));
    }
    shown
}

fn roles(snapshot: &RealmSnapshot) -> Value {
    let mut all: Vec<&Role> = snapshot.roles.values().collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let mut of_realm: Vec<Value> = Vec::new();
    let mut of_clients: BTreeMap<&str, Vec<Value>> =
        snapshot.clients.values().map(|client| (client.client_id.as_str(), Vec::new())).collect();
    for role in all {
        let shown = exported_role(snapshot, role);
        match role.client.as_ref().map(|uuid| snapshot.clients.get(uuid)) {
            None => of_realm.push(shown),
            Some(Some(client)) => of_clients.entry(client.client_id.as_str()).or_default().push(shown),
            Some(None) => {}
        }
    }
    json!({"realm": of_realm, "client": of_clients})
}

fn exported_role(snapshot: &RealmSnapshot, role: &Role) -> Value {
    let mut shown = full_role(snapshot, role);
    let children = by_container(snapshot, &role.children);
    if children.is_empty() {
        return shown;
    }
    let mut composites = Map::new();
    let mut of_clients = Map::new();
    for (container, names) in children {
        match container {
            None => composites.insert("realm".to_owned(), json!(names)),
            Some(client) => of_clients.insert(client.to_owned(), json!(names)),
        };
    }
    if !of_clients.is_empty() {
        composites.insert("client".to_owned(), Value::from(of_clients));
    }
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("composites".to_owned(), Value::from(composites));
    }
    shown
}

fn groups(snapshot: &RealmSnapshot, paths: &GroupPaths) -> Value {
    let mut below: HashMap<Option<&GroupId>, Vec<&Group>> = HashMap::new();
    for group in snapshot.groups.values() {
        below.entry(group.parent.as_ref()).or_default().push(group);
    }
    below.values_mut().for_each(|siblings| siblings.sort_by(|a, b| a.name.cmp(&b.name)));
    groups_below(snapshot, paths, &below, None)
}

fn groups_below(
    snapshot: &RealmSnapshot,
    paths: &GroupPaths,
    below: &HashMap<Option<&GroupId>, Vec<&Group>>,
    parent: Option<&GroupId>,
) -> Value {
    let shown = below.get(&parent).into_iter().flatten().map(|group| {
        let mut shown = full_group(snapshot, group);
        shown.insert("path".to_owned(), json!(paths.text(GroupPath::of(snapshot, &group.id))));
        shown.insert("subGroups".to_owned(), groups_below(snapshot, paths, below, Some(&group.id)));
        Value::from(shown)
    });
    shown.collect()
}

/// What a file calls the groups.
fn paths_of(snapshot: &RealmSnapshot, paths: &GroupPaths, groups: &[GroupId]) -> Vec<String> {
    let known = groups.iter().filter(|id| snapshot.groups.contains_key(*id));
    let mut all: Vec<String> = known.map(|id| paths.text(GroupPath::of(snapshot, id))).collect();
    all.sort_unstable();
    all
}

fn clients(snapshot: &RealmSnapshot, secrets: bool) -> Value {
    let mut all: Vec<_> = snapshot.clients.values().collect();
    all.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    let exported = all.into_iter().map(|client| {
        let mut shown = shown_client(snapshot, client, false);
        if let Some(fields) = shown.as_object_mut() {
            fields.remove("access");
            if secrets {
                fields.insert("attributes".to_owned(), json!(client.settings.attributes));
            }
        }
        if !secrets {
            mask(&mut shown);
        }
        shown
    });
    exported.collect()
}

/// Components by the type of their provider, each with those below it.
fn tree_of(components: &[Component], parent: &str, secrets: bool) -> Value {
    let mut by_type: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for component in components.iter().filter(|c| c.parent == parent) {
        let config: Map<String, Value> = component
            .config
            .iter()
            .filter(|(name, _)| secrets || !is_secret(name))
            .map(|(name, values)| (name.clone(), json!(values)))
            .collect();
        let mut shown = json!({
            "id": component.id,
            "name": component.name,
            "providerId": component.provider_id,
            "subComponents": tree_of(components, component.id.as_str(), secrets),
            "config": config,
        });
        if let (Some(sub_type), Some(fields)) = (&component.sub_type, shown.as_object_mut()) {
            fields.insert("subType".to_owned(), json!(sub_type));
        }
        by_type.entry(&component.provider_type).or_default().push(shown);
    }
    json!(by_type)
}

/// A user with all that there is of it.
pub(crate) fn whole_user(snapshot: &RealmSnapshot, paths: &GroupPaths, whole: &WholeUser) -> Map<String, Value> {
    let user = &whole.user;
    let mut shown = full_user(snapshot, user, whole.credentials.iter().any(|credential| credential.kind == OTP));
    // Whoever may read this file may read what a profile hides from administrators.
    if !user.attributes.is_empty() {
        shown.insert("attributes".to_owned(), json!(user.attributes));
    }
    shown.extend(held(snapshot, paths, user));
    shown.insert("credentials".to_owned(), whole.credentials.iter().map(credential).collect());
    if let Some(links) = &whole.links {
        shown.insert("federatedIdentities".to_owned(), links.clone());
    }
    if let Some(client) = user.service_account_of.as_ref().and_then(|uuid| snapshot.clients.get(uuid)) {
        shown.insert("serviceAccountClientId".to_owned(), json!(client.client_id));
    }
    let consents: Vec<Value> = user.consents.iter().filter_map(|given| consent(snapshot, given)).collect();
    if !consents.is_empty() {
        shown.insert("clientConsents".to_owned(), Value::from(consents));
    }
    shown
}

fn credential(credential: &Credential) -> Value {
    let mut shown = json!({
        "id": credential.id,
        "type": credential.kind,
        "createdDate": credential.created_at.unix_millis(),
        "secretData": credential.secret_data.expose(),
        "credentialData": credential.credential_data.to_string(),
        "priority": credential.priority,
    });
    if let Some(label) = &credential.user_label {
        shown["userLabel"] = json!(label);
    }
    shown
}

fn consent(snapshot: &RealmSnapshot, given: &Consent) -> Option<Value> {
    let client = snapshot.clients.get(&given.client)?;
    Some(json!({
        "clientId": client.client_id,
        "grantedClientScopes": scope_names(snapshot, &given.scopes),
        "createdDate": given.created_at.unix_millis(),
        "lastUpdatedDate": given.updated_at.unix_millis(),
    }))
}

/// What a user holds, by name: roles of the realm and of clients, and groups by path.
pub(crate) fn held(snapshot: &RealmSnapshot, paths: &GroupPaths, user: &User) -> Map<String, Value> {
    let mut of_clients = Map::new();
    let mut of_realm = Vec::new();
    for (container, names) in by_container(snapshot, &user.roles) {
        match container {
            None => of_realm = names,
            Some(client) => {
                of_clients.insert(client.to_owned(), json!(names));
            }
        }
    }
    let groups = paths_of(snapshot, paths, &user.groups);
    let mut shown = Map::from_iter([("realmRoles".to_owned(), json!(of_realm)), ("groups".to_owned(), json!(groups))]);
    if !of_clients.is_empty() {
        shown.insert("clientRoles".to_owned(), Value::from(of_clients));
    }
    shown
}
