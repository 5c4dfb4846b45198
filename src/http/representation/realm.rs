//! Realms as Keycloak shows them, and as it reads them: settings, and for a realm that is made everything in it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::ClientRepresentation;
use super::client_scope::ClientScopeRepresentation;
use super::component::Components;
use super::imported_user::{ImportedGroup, ImportedUser};
use super::lenient::{Flag, Ignored, Names, Number, Text, text, texts};
use super::realm_settings::{Settings, shown};
use super::role::{RoleRepresentation, brief_role};
use crate::base::{Entropy, Timestamp};
use crate::http::extract::Representation;
use crate::model::realm_import::{RealmImport, RoleImport, RoleRef, ScopeMappingImport, ScopeOwner};
use crate::model::{RealmId, RealmSnapshot};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RealmRepresentation {
    pub id: Option<Text>,
    pub realm: Option<Text>,
    pub enabled: Option<Flag>,
    pub not_before: Option<Number>,
    roles: Option<Roles>,
    default_role: Option<RoleRepresentation>,
    groups: Option<Vec<ImportedGroup>>,
    default_groups: Option<Vec<Text>>,
    users: Option<Vec<ImportedUser>>,
    clients: Option<Vec<ClientRepresentation>>,
    client_scopes: Option<Vec<ClientScopeRepresentation>>,
    default_default_client_scopes: Option<Vec<Text>>,
    default_optional_client_scopes: Option<Vec<Text>>,
    scope_mappings: Option<Vec<ScopeMapping>>,
    client_scope_mappings: Option<BTreeMap<String, Vec<ScopeMapping>>>,
    components: Option<Components>,
    #[serde(flatten)]
    pub settings: Settings,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Roles {
    realm: Option<Vec<RoleRepresentation>>,
    client: Option<BTreeMap<String, Vec<RoleRepresentation>>>,
    application: Option<BTreeMap<String, Vec<RoleRepresentation>>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ScopeMapping {
    client: Option<Text>,
    client_scope: Option<Text>,
    roles: Option<Vec<Text>>,
    #[serde(flatten)]
    ignored: Ignored<MappingFields>,
}

#[derive(Clone, Debug)]
struct MappingFields;

impl Names for MappingFields {
    const NAMES: &'static [&'static str] = &["clientTemplate"];
    const DERIVED: &'static [&'static str] = &["self"];
}

impl ScopeMapping {
    /// `client`: whose roles these are; none: the realm's.
    fn to_import(&self, client: Option<&str>) -> Option<ScopeMappingImport> {
        let owner = match (&self.client, &self.client_scope) {
            (Some(client), _) => ScopeOwner::Client(client.0.clone()),
            (None, Some(scope)) => ScopeOwner::ClientScope(scope.0.clone()),
            (None, None) => return None,
        };
        let names = self.roles.iter().flatten();
        let roles = names.map(|name| RoleRef { client: client.map(str::to_owned), name: name.0.clone() }).collect();
        Some(ScopeMappingImport { owner, roles })
    }
}

impl Representation for RealmRepresentation {
    const NAME: &'static str = "RealmRepresentation";
}

impl RealmRepresentation {
    pub(crate) fn name(&self) -> Option<&str> {
        self.realm.as_ref().map(|t| t.0.as_str())
    }

    /// The realm that is made from this.
    pub(crate) fn to_import(&self, now: Timestamp, entropy: &Entropy) -> RealmImport {
        let list = |given: &Option<Vec<Text>>| given.as_deref().map(texts);
        RealmImport {
            id: text(self.id.as_ref()).filter(|id| !id.is_empty()).map(RealmId::new),
            name: text(self.realm.as_ref()).unwrap_or_default(),
            enabled: self.enabled.is_some_and(|f| f.0),
            not_before: self.not_before.map_or(0, |n| n.0),
            document: self.settings.for_new_realm(),
            default_role: self.default_role.as_ref().and_then(|r| text(r.name.as_ref())),
            roles: self.roles(),
            groups: self.groups.iter().flatten().map(ImportedGroup::to_import).collect(),
            default_groups: list(&self.default_groups).unwrap_or_default(),
            client_scopes: self.client_scopes.as_ref().map(|all| all.iter().map(|s| s.to_import(entropy)).collect()),
            default_scopes: list(&self.default_default_client_scopes),
            optional_scopes: list(&self.default_optional_client_scopes),
            clients: self.clients.iter().flatten().map(|c| c.to_new(true, entropy)).collect(),
            scope_mappings: self.scope_mappings(),
            users: self.users.iter().flatten().map(|u| u.to_import(now, entropy)).collect(),
            components: self.components.as_ref().map(|all| all.to_model(entropy)).unwrap_or_default(),
            user_profile: self.components.as_ref().and_then(Components::user_profile),
            not_taken_over: self.not_taken_over(),
        }
    }

    /// The paths of its groups, each where the file says it.
    pub(crate) fn group_paths(&self) -> Vec<Option<String>> {
        self.groups.iter().flatten().map(|group| text(group.path.as_ref())).collect()
    }

    fn roles(&self) -> Vec<RoleImport> {
        self.all_roles().map(|(client, role)| role.to_import(client)).collect()
    }

    /// The roles of the realm, and those of clients with the `client_id`.
    fn all_roles(&self) -> impl Iterator<Item = (Option<&str>, &RoleRepresentation)> {
        let of_realm = self.roles.iter().flat_map(|roles| roles.realm.iter().flatten()).map(|role| (None, role));
        let of_clients = self.roles.iter().flat_map(|roles| roles.client.iter().chain(&roles.application).flatten());
        of_realm.chain(of_clients.flat_map(|(client, roles)| roles.iter().map(move |role| (Some(client.as_str()), role))))
    }

    fn mappings(&self) -> impl Iterator<Item = (Option<&str>, &ScopeMapping)> {
        let of_realm = self.scope_mappings.iter().flatten().map(|mapping| (None, mapping));
        let of_clients = self.client_scope_mappings.iter().flatten();
        of_realm.chain(of_clients.flat_map(|(client, all)| all.iter().map(move |mapping| (Some(client.as_str()), mapping))))
    }

    fn scope_mappings(&self) -> Vec<ScopeMappingImport> {
        self.mappings().filter_map(|(client, mapping)| mapping.to_import(client)).collect()
    }

    /// What the file says and this server does not act on, each by its path.
    fn not_taken_over(&self) -> Vec<String> {
        let mut report: Vec<String> = self.settings.ignored.clone();
        for (client, mapping) in self.mappings() {
            mapping
                .ignored
                .report(&client.map_or_else(|| "scopeMappings".to_owned(), |c| format!("clientScopeMappings.{c}")), &mut report);
        }
        for client in self.clients.iter().flatten() {
            client.report(&mut report);
        }
        for scope in self.client_scopes.iter().flatten() {
            scope.report(&mut report);
        }
        for role in self.all_roles() {
            role.1.ignored.report(&format!("roles.{}", text(role.1.name.as_ref()).unwrap_or_default()), &mut report);
        }
        for user in self.users.iter().flatten() {
            user.report(&mut report);
        }
        if let Some(components) = &self.components {
            components.report(&mut report);
        }
        report
    }
}

/// A realm in full, as for those who may view it.
pub(crate) fn realm(snapshot: &RealmSnapshot) -> Value {
    let realm = &snapshot.realm;
    let mut whole = shown(&realm.document);
    whole.extend(brief_fields(snapshot));
    whole.insert("notBefore".to_owned(), json!(realm.not_before));
    if let Some(role) = snapshot.roles.get(&realm.default_role) {
        whole.insert("defaultRole".to_owned(), Value::from(brief_role(snapshot, role)));
    }
    if !realm.default_groups.is_empty() {
        let mut paths: Vec<String> = realm.default_groups.iter().map(|g| snapshot.group_path(g)).collect();
        paths.sort_unstable();
        whole.insert("defaultGroups".to_owned(), json!(paths));
    }
    Value::from(whole)
}

/// A realm in a list that asks for little.
pub(crate) fn brief_realm(snapshot: &RealmSnapshot) -> Value {
    let mut brief = brief_fields(snapshot);
    if let Some(name) = &snapshot.realm.settings.display_name {
        brief.insert("displayName".to_owned(), json!(name));
    }
    Value::from(brief)
}

fn brief_fields(snapshot: &RealmSnapshot) -> Map<String, Value> {
    let realm = &snapshot.realm;
    let fields = [("id", json!(realm.id)), ("realm", json!(realm.name)), ("enabled", json!(realm.enabled))];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What every administrator of a realm sees of it.
pub(crate) fn public_realm(snapshot: &RealmSnapshot) -> Value {
    let realm = &snapshot.realm;
    let field = |name: &str, default: Value| realm.document.get(name).cloned().unwrap_or(default);
    json!({
        "realm": realm.name,
        "bruteForceProtected": field("bruteForceProtected", json!(false)),
        "registrationEmailAsUsername": field("registrationEmailAsUsername", json!(false)),
        "organizationsEnabled": field("organizationsEnabled", json!(false)),
        "supportedLocales": field("supportedLocales", json!([])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: Value) -> Result<RealmRepresentation, String> {
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    #[test]
    fn a_file_keeps_what_it_names() {
        let file = read(json!({
            "realm": "demo", "enabled": true, "notBefore": 1000.7, "ssoSessionIdleTimeout": "77", "displayName": 5,
            "roles": {"realm": [{"name": "chief", "composites": {"realm": ["auditor"]}}], "client": {"shop": [{"name": "buy"}]}},
            "groups": [{"name": "staff", "clientRoles": {"shop": ["buy"]}, "subGroups": [{"name": "night"}]}],
            "clients": [{"clientId": "shop", "secret": "s3cret", "serviceAccountsEnabled": true}],
            "users": [{"username": "alice", "attributes": {"a": "x", "b": ["y"]}, "credentials": [{"type": "password", "value": "p", "temporary": true}]}],
            "scopeMappings": [{"client": "shop", "roles": ["chief"]}],
        }))
        .unwrap();
        let import = file.to_import(Timestamp::from_unix_seconds(0), &Entropy::seeded(1));
        assert_eq!((import.name.as_str(), import.not_before), ("demo", 1000));
        assert_eq!(import.document["ssoSessionIdleTimeout"], json!(77));
        assert_eq!(import.document["displayName"], json!("5"));
        assert_eq!(import.roles.len(), 2);
        assert_eq!(import.groups[0].groups[0].name, "night");
        assert!(import.clients[0].secret.is_some() && import.clients[0].settings.attributes["realm_client"] == "false");
        assert_eq!(import.users[0].required_actions, [UPDATE]);
        assert_eq!(import.users[0].attributes["a"], ["x"]);
        assert!(import.client_scopes.is_none());
        assert_eq!(import.scope_mappings.len(), 1);
    }

    const UPDATE: &str = "UPDATE_PASSWORD";

    #[test]
    fn what_keycloak_does_not_know_is_refused_by_name_at_any_depth() {
        assert!(read(json!({"realm": "x", "nosuchfield": 1})).unwrap_err().starts_with("unknown field `nosuchfield`"));
        let deep = read(json!({"realm": "x", "users": [{"username": "a", "colour": 1}]})).unwrap_err();
        assert!(deep.starts_with("unknown field `colour`"), "{deep}");
        assert!(read(json!({"enabled": "maybe"})).is_err());
        assert!(read(json!({"accessTokenLifespan": "soon"})).is_err());
    }
}
