//! What every realm contains, whoever made it: filled into the description of a new realm before it is written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use crate::base::Entropy;
use crate::flow::component::policies;
use crate::model::client_scope::OFFLINE_ACCESS;
use crate::model::component::REGISTRATION_POLICY;
use crate::model::realm_import::{
    ClientImport, ClientScopeImport, RealmImport, RoleImport, RoleRef, ScopeMappingImport, ScopeOwner,
};
use crate::model::required_action;
use crate::model::{ClientSettings, ProtocolMapper, ProtocolMapperId, realm};
use crate::oidc::admin_roles::{ACCOUNT_ROLES, ADMIN, ADMIN_ROLES, CREATE_REALM, REALM_ADMIN, REALM_MANAGEMENT, master_client};

/// The built-in client scopes (Keycloak 26.7.0).
const SCOPES: &str = include_str!("new_realm_scopes.json");

/// Built-in scopes that new clients get: always, and on request. `service_account` comes with service accounts alone.
const DEFAULT_SCOPES: [&str; 9] =
    ["role_list", "saml_organization", "AuthnContextClassRef", "profile", "email", "roles", "web-origins", "acr", "basic"];
const OPTIONAL_SCOPES: [&str; 5] = [OFFLINE_ACCESS, "address", "phone", "microprofile-jwt", "organization"];

/// Completes a description: what the file names stays as it is.
pub fn complete(import: &mut RealmImport, entropy: &Entropy) {
    settings(import);
    scopes(import, entropy);
    clients(import, entropy);
    roles(import);
    if !import.components.iter().any(|component| component.provider_type == REGISTRATION_POLICY) {
        import.components.extend(policies::defaults(entropy));
    }
}

fn settings(import: &mut RealmImport) {
    let mut document = realm::fresh_document().clone();
    if import.name == "master" {
        document.insert("accessTokenLifespan".to_owned(), 60.into());
    }
    let own = std::mem::take(&mut import.document);
    document.extend(own.into_iter().filter(|(_, value)| !value.is_null()));
    // A user may always be let delete the account, where the realm says so.
    if let Some(Value::Array(actions)) = document.get_mut(required_action::FIELD)
        && !actions.iter().any(|action| action.get("providerId").is_some_and(|id| id == "delete_account"))
    {
        let action = required_action::fresh().into_iter().find(|action| action.provider_id == "delete_account");
        actions.extend(action.and_then(|action| serde_json::to_value(action).ok()));
    }
    import.document = document;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScopeJson {
    name: String,
    description: Option<String>,
    protocol: String,
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    protocol_mappers: Vec<MapperJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MapperJson {
    name: String,
    protocol: String,
    protocol_mapper: String,
    config: BTreeMap<String, String>,
}

/// Without a list in the file all built-in scopes; with one, even an empty one, only `offline_access` is added.
fn scopes(import: &mut RealmImport, entropy: &Entropy) {
    let built_in: Vec<ScopeJson> = serde_json::from_str(SCOPES).expect("new_realm_scopes.json is a list of client scopes");
    let all = import.client_scopes.is_none();
    let scopes = import.client_scopes.get_or_insert_default();
    for scope in built_in {
        let wanted = all || scope.name == OFFLINE_ACCESS;
        if wanted && !scopes.iter().any(|s| s.name == scope.name) {
            scopes.push(scope_import(scope, entropy));
        }
    }
    // Where the file brings no scopes, the built-in ones are assigned as in every realm, beside what it names.
    let (default, optional) = (import.default_scopes.take(), import.optional_scopes.take());
    let is_named = |name: &str| default.iter().chain(&optional).flatten().any(|named| named == name);
    let unnamed = |list: &[&str]| list.iter().filter(|name| !is_named(name)).map(|name| (*name).to_owned()).collect();
    let own_default: Vec<String> = if all { unnamed(&DEFAULT_SCOPES) } else { Vec::new() };
    let own_optional: Vec<String> = match (all, &optional) {
        (true, _) => unnamed(&OPTIONAL_SCOPES),
        (false, None) => unnamed(&[OFFLINE_ACCESS]),
        (false, Some(_)) => Vec::new(),
    };
    import.default_scopes = Some(default.into_iter().flatten().chain(own_default).collect());
    import.optional_scopes = Some(optional.into_iter().flatten().chain(own_optional).collect());
    let role = realm_role(OFFLINE_ACCESS);
    let mapped = |m: &ScopeMappingImport| matches!(&m.owner, ScopeOwner::ClientScope(name) if name == OFFLINE_ACCESS);
    if !import.scope_mappings.iter().any(mapped) {
        let owner = ScopeOwner::ClientScope(OFFLINE_ACCESS.to_owned());
        import.scope_mappings.push(ScopeMappingImport { owner, roles: vec![role] });
    }
}

fn scope_import(scope: ScopeJson, entropy: &Entropy) -> ClientScopeImport {
    let mappers = scope.protocol_mappers.into_iter().map(|m| ProtocolMapper {
        id: ProtocolMapperId::new(entropy.uuid()),
        name: m.name,
        protocol: m.protocol,
        mapper_type: m.protocol_mapper,
        config: m.config,
    });
    ClientScopeImport {
        id: None,
        name: scope.name,
        description: scope.description,
        protocol: scope.protocol,
        attributes: scope.attributes,
        mappers: mappers.collect(),
    }
}

fn realm_role(name: &str) -> RoleRef {
    RoleRef { client: None, name: name.to_owned() }
}

fn client_role(client: &str, name: &str) -> RoleRef {
    RoleRef { client: Some(client.to_owned()), name: name.to_owned() }
}

fn clients(import: &mut RealmImport, entropy: &Entropy) {
    let realm = import.name.clone();
    let mut built_in = vec![
        account(&realm, "account"),
        account_console(&realm, entropy),
        admin_cli(),
        bearer_only("broker"),
        admin_console(&realm, entropy),
    ];
    if realm == "master" {
        built_in.push(realm_client(&realm));
    } else {
        built_in.push(bearer_only(REALM_MANAGEMENT));
    }
    for client in built_in {
        if !import.clients.iter().any(|c| c.client_id == client.client_id) {
            if client.client_id == "account-console" {
                let roles = ["manage-account", "view-groups"].map(|r| client_role("account", r)).to_vec();
                let owner = ScopeOwner::Client(client.client_id.clone());
                import.scope_mappings.push(ScopeMappingImport { owner, roles });
            }
            import.clients.push(client);
        }
    }
}

fn client(client_id: &str, attributes: &[(&str, &str)], settings: ClientSettings) -> ClientImport {
    let attributes = attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    ClientImport {
        uuid: None,
        client_id: client_id.to_owned(),
        enabled: true,
        not_before: 0,
        secret: None,
        settings: ClientSettings { attributes, node_re_registration_timeout: 0, ..settings },
        scopes: None,
        mappers: Vec::new(),
    }
}

fn account(realm: &str, client_id: &str) -> ClientImport {
    let settings = ClientSettings {
        name: Some(format!("${{client_{client_id}}}")),
        root_url: Some("${authBaseUrl}".to_owned()),
        base_url: Some(format!("/realms/{realm}/account/")),
        redirect_uris: vec![format!("/realms/{realm}/account/*")],
        public_client: true,
        full_scope_allowed: false,
        ..ClientSettings::default()
    };
    client(client_id, &[("post.logout.redirect.uris", "+"), ("realm_client", "false")], settings)
}

fn mapper(name: &str, kind: &str, config: &[(&str, &str)], entropy: &Entropy) -> ProtocolMapper {
    ProtocolMapper {
        id: ProtocolMapperId::new(entropy.uuid()),
        name: name.to_owned(),
        protocol: "openid-connect".to_owned(),
        mapper_type: kind.to_owned(),
        config: config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
    }
}

fn account_console(realm: &str, entropy: &Entropy) -> ClientImport {
    let mut console = account(realm, "account-console");
    console.settings.attributes.insert("pkce.code.challenge.method".to_owned(), "S256".to_owned());
    console.mappers = vec![mapper("audience resolve", "oidc-audience-resolve-mapper", &[], entropy)];
    console
}

fn admin_cli() -> ClientImport {
    let settings = ClientSettings {
        name: Some("${client_admin-cli}".to_owned()),
        standard_flow_enabled: false,
        direct_access_grants_enabled: true,
        public_client: true,
        ..ClientSettings::default()
    };
    client("admin-cli", &[("client.use.lightweight.access.token.enabled", "true"), ("realm_client", "false")], settings)
}

fn admin_console(realm: &str, entropy: &Entropy) -> ClientImport {
    let settings = ClientSettings {
        name: Some("${client_security-admin-console}".to_owned()),
        root_url: Some("${authAdminUrl}".to_owned()),
        base_url: Some(format!("/admin/{realm}/console/")),
        redirect_uris: vec![format!("/admin/{realm}/console/*")],
        web_origins: vec!["+".to_owned()],
        public_client: true,
        ..ClientSettings::default()
    };
    let attributes = [
        ("client.use.lightweight.access.token.enabled", "true"),
        ("pkce.code.challenge.method", "S256"),
        ("post.logout.redirect.uris", "+"),
        ("realm_client", "false"),
    ];
    let mut console = client("security-admin-console", &attributes, settings);
    let config = [
        ("access.token.claim", "true"),
        ("claim.name", "locale"),
        ("id.token.claim", "true"),
        ("introspection.token.claim", "true"),
        ("jsonType.label", "String"),
        ("user.attribute", "locale"),
        ("userinfo.token.claim", "true"),
    ];
    console.mappers = vec![mapper("locale", "oidc-usermodel-attribute-mapper", &config, entropy)];
    console
}

fn bearer_only(client_id: &str) -> ClientImport {
    let settings = ClientSettings {
        name: Some(format!("${{client_{client_id}}}")),
        bearer_only: true,
        full_scope_allowed: false,
        ..ClientSettings::default()
    };
    client(client_id, &[("realm_client", "true")], settings)
}

/// The client of the master realm that holds the administrative roles of a realm.
pub fn realm_client(realm: &str) -> ClientImport {
    let mut there = bearer_only(&master_client(realm));
    there.settings.name = Some(format!("{realm} Realm"));
    there.settings.protocol = None;
    there.scopes = Some(crate::model::realm_import::AssignedScopes::default());
    there
}

fn roles(import: &mut RealmImport) {
    let default_role = import.default_role.clone().unwrap_or_else(|| default_role_name(import));
    let mut built_in = vec![
        role(realm_role(OFFLINE_ACCESS), "${role_offline-access}", Vec::new()),
        role(realm_role("uma_authorization"), "${role_uma_authorization}", Vec::new()),
        role(
            realm_role(&default_role),
            "${role_default-roles}",
            vec![
                realm_role(OFFLINE_ACCESS),
                realm_role("uma_authorization"),
                client_role("account", "view-profile"),
                client_role("account", "manage-account"),
            ],
        ),
        described(client_role("broker", "read-token"), Vec::new()),
    ];
    for (name, children) in ACCOUNT_ROLES {
        let children = children.iter().map(|c| client_role("account", c)).collect();
        built_in.push(described(client_role("account", name), children));
    }
    if import.name == "master" {
        built_in.extend(admin_roles(&master_client("master")));
        let held = ADMIN_ROLES.iter().map(|(name, _)| client_role(&master_client("master"), name));
        let all = std::iter::once(realm_role(CREATE_REALM)).chain(held).collect();
        built_in.push(role(realm_role(ADMIN), "${role_admin}", all));
        built_in.push(role(realm_role(CREATE_REALM), "${role_create-realm}", Vec::new()));
    } else {
        built_in.extend(admin_roles(REALM_MANAGEMENT));
        let all = ADMIN_ROLES.iter().map(|(name, _)| client_role(REALM_MANAGEMENT, name)).collect();
        built_in.push(described(client_role(REALM_MANAGEMENT, REALM_ADMIN), all));
    }
    for role in built_in {
        if !import.roles.iter().any(|r| r.role == role.role) {
            import.roles.push(role);
        }
    }
    import.default_role = Some(default_role);
}

/// `default-roles-{realm}`, unless the file has a role of that name for something else.
fn default_role_name(import: &RealmImport) -> String {
    format!("default-roles-{}", import.name.to_lowercase())
}

/// The administrative roles of a realm, held by this client.
pub fn admin_roles(client: &str) -> Vec<RoleImport> {
    let roles = ADMIN_ROLES.iter().map(|(name, children)| {
        let children = children.iter().map(|c| client_role(client, c)).collect();
        described(client_role(client, name), children)
    });
    roles.collect()
}

fn described(reference: RoleRef, composites: Vec<RoleRef>) -> RoleImport {
    let description = format!("${{role_{}}}", reference.name);
    role(reference, &description, composites)
}

fn role(reference: RoleRef, description: &str, composites: Vec<RoleRef>) -> RoleImport {
    RoleImport { id: None, role: reference, description: Some(description.to_owned()), attributes: BTreeMap::new(), composites }
}

/// A realm with this name and nothing of its own.
pub fn empty(name: &str, enabled: bool) -> RealmImport {
    RealmImport { name: name.to_owned(), enabled, document: Map::new(), ..RealmImport::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_names_client_scopes_gets_offline_access_and_no_others() {
        let mut import = RealmImport { client_scopes: Some(Vec::new()), ..empty("demo", true) };
        complete(&mut import, &Entropy::seeded(1));
        let names: Vec<&str> = import.client_scopes.iter().flatten().map(|s| s.name.as_str()).collect();
        assert_eq!(names, [OFFLINE_ACCESS]);
        assert_eq!(import.optional_scopes, Some(vec![OFFLINE_ACCESS.to_owned()]));
        assert_eq!(import.default_scopes, Some(Vec::new()));
    }

    #[test]
    fn what_a_file_names_stays_as_it_is() {
        let mut import = empty("demo", true);
        let mut own = admin_cli();
        own.enabled = false;
        import.clients.push(own);
        complete(&mut import, &Entropy::seeded(1));
        assert_eq!(import.clients.iter().filter(|c| c.client_id == "admin-cli").count(), 1);
        assert!(import.clients.iter().any(|c| c.client_id == "admin-cli" && !c.enabled));
    }
}
