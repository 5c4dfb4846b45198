//! Clients as Keycloak shows them, and as it reads them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Flag, Hidden, Ignored, Names, Number, Text, put, text, texts};
use super::protocol_mapper::{ProtocolMapperRepresentation, protocol_mapper};
use crate::base::{Entropy, Secret};
use crate::flow::masking::MASK;
use crate::http::extract::Representation;
use crate::model::client::is_secret_attribute;
use crate::model::realm_import::{AssignedScopes, ClientImport};
use crate::model::{Client, ClientId, ClientScopeId, ClientSettings, ClientUuid, RealmSnapshot};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ClientRepresentation {
    pub id: Option<Text>,
    pub client_id: Option<Text>,
    pub name: Option<Text>,
    pub description: Option<Text>,
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    pub root_url: Option<Text>,
    pub admin_url: Option<Text>,
    pub base_url: Option<Text>,
    pub surrogate_auth_required: Option<Flag>,
    pub enabled: Option<Flag>,
    pub always_display_in_console: Option<Flag>,
    pub client_authenticator_type: Option<Text>,
    pub secret: Option<Hidden>,
    pub redirect_uris: Option<Vec<Text>>,
    pub web_origins: Option<Vec<Text>>,
    pub not_before: Option<Number>,
    pub bearer_only: Option<Flag>,
    pub consent_required: Option<Flag>,
    pub standard_flow_enabled: Option<Flag>,
    pub implicit_flow_enabled: Option<Flag>,
    pub direct_access_grants_enabled: Option<Flag>,
    pub service_accounts_enabled: Option<Flag>,
    pub public_client: Option<Flag>,
    pub frontchannel_logout: Option<Flag>,
    pub protocol: Option<Text>,
    pub attributes: Option<BTreeMap<String, Option<Text>>>,
    pub authentication_flow_binding_overrides: Option<Map<String, Value>>,
    pub full_scope_allowed: Option<Flag>,
    pub node_re_registration_timeout: Option<Number>,
    pub registered_nodes: Option<BTreeMap<String, i64>>,
    pub protocol_mappers: Option<Vec<ProtocolMapperRepresentation>>,
    pub default_client_scopes: Option<Vec<Text>>,
    pub optional_client_scopes: Option<Vec<Text>>,
    #[serde(flatten)]
    ignored: Ignored<ClientFields>,
}

#[derive(Clone, Debug)]
struct ClientFields;

impl Names for ClientFields {
    const NAMES: &'static [&'static str] = &[
        "authorizationServicesEnabled",
        "authorizationSettings",
        "clientTemplate",
        "defaultRoles",
        "directGrantsOnly",
        "registrationAccessToken",
        "useTemplateConfig",
        "useTemplateMappers",
        "useTemplateScope",
    ];
    const DERIVED: &'static [&'static str] = &["access", "origin"];
}

impl Representation for ClientRepresentation {
    const NAME: &'static str = "ClientRepresentation";
}

impl ClientRepresentation {
    /// A client that is made from this. `imported`: as a part of a realm, where Keycloak fills in other things.
    pub(crate) fn to_new(&self, imported: bool, entropy: &Entropy) -> ClientImport {
        // Whoever has to be asked for consent gets no role unasked (Keycloak).
        let full_scope_allowed = !self.consent_required.is_some_and(|f| f.0);
        let mut settings = ClientSettings { full_scope_allowed, ..ClientSettings::default() };
        self.put_settings(&mut settings);
        settings.attributes.entry("realm_client".to_owned()).or_insert_with(|| "false".to_owned());
        if imported && settings.protocol.as_deref() == Some("openid-connect") {
            settings.attributes.entry("post.logout.redirect.uris".to_owned()).or_insert_with(|| "+".to_owned());
        }
        ClientImport {
            uuid: text(self.id.as_ref()).map(ClientUuid::new),
            client_id: text(self.client_id.as_ref()).unwrap_or_default(),
            enabled: self.enabled.is_none_or(|f| f.0),
            not_before: self.not_before.map_or(0, |n| n.0),
            secret: self.given_secret().cloned(),
            settings,
            scopes: self.scopes(),
            mappers: self.protocol_mappers.iter().flatten().map(|m| m.to_model(entropy)).collect(),
        }
    }

    /// A client that registers itself: which row it stands in is not for it to say.
    pub(crate) fn to_registered(&self, entropy: &Entropy) -> ClientImport {
        let mut client = ClientImport { uuid: None, ..self.to_new(false, entropy) };
        // Whoever names the scopes to be asked for means no tokens without a `sub` (Keycloak).
        if let Some(scopes) = client.scopes.as_mut().filter(|_| self.default_client_scopes.is_none()) {
            scopes.default.push("basic".to_owned());
        }
        client
    }

    /// The client with what this names, its mappers and its scopes among it.
    pub(crate) fn put_whole(&self, client: &Client, entropy: &Entropy) -> ClientImport {
        let mut changed = ClientImport::from(&self.put_on(client));
        if let Some(mappers) = &self.protocol_mappers {
            changed.mappers = mappers.iter().map(|mapper| mapper.to_model(entropy)).collect();
        }
        changed.scopes = self.scopes();
        changed
    }

    /// The scopes that this names; none if it names neither list.
    fn scopes(&self) -> Option<AssignedScopes> {
        let named = self.default_client_scopes.is_some() || self.optional_client_scopes.is_some();
        let list = |given: &Option<Vec<Text>>| given.as_deref().map(texts).unwrap_or_default();
        named.then(|| AssignedScopes { default: list(&self.default_client_scopes), optional: list(&self.optional_client_scopes) })
    }

    /// The secret, unless it is empty or what stands for one that is not shown: a client gets or keeps its own then.
    fn given_secret(&self) -> Option<&Secret> {
        self.secret.as_ref().map(|hidden| &hidden.0).filter(|s| !s.expose().is_empty() && s.expose() != MASK)
    }

    /// What of the client is lost.
    pub(super) fn report(&self, report: &mut Vec<String>) {
        let path = format!("clients.{}", text(self.client_id.as_ref()).unwrap_or_default());
        if self.secret.as_ref().is_some_and(|hidden| hidden.0.expose() == MASK) {
            report.push(format!("{path}.secret"));
        }
        self.ignored.report(&path, report);
        for mapper in self.protocol_mappers.iter().flatten() {
            mapper.report(&path, report);
        }
    }

    /// The client with what this names; scopes and mappers have addresses of their own.
    pub(crate) fn put_on(&self, client: &Client) -> Client {
        let mut changed = client.clone();
        if let Some(id) = &self.client_id {
            changed.client_id = ClientId::new(id.0.as_str());
        }
        put(&mut changed.enabled, self.enabled.as_ref());
        put(&mut changed.not_before, self.not_before.as_ref());
        if let Some(secret) = self.given_secret() {
            changed.secret = Some(secret.clone());
        }
        self.put_settings(&mut changed.settings);
        changed
    }

    fn put_settings(&self, settings: &mut ClientSettings) {
        put(&mut settings.name, self.name.as_ref());
        put(&mut settings.description, self.description.as_ref());
        put(&mut settings.kind, self.kind.as_ref());
        put(&mut settings.root_url, self.root_url.as_ref());
        put(&mut settings.admin_url, self.admin_url.as_ref());
        put(&mut settings.base_url, self.base_url.as_ref());
        put(&mut settings.surrogate_auth_required, self.surrogate_auth_required.as_ref());
        put(&mut settings.always_display_in_console, self.always_display_in_console.as_ref());
        put(&mut settings.client_authenticator_type, self.client_authenticator_type.as_ref());
        put(&mut settings.bearer_only, self.bearer_only.as_ref());
        put(&mut settings.consent_required, self.consent_required.as_ref());
        put(&mut settings.standard_flow_enabled, self.standard_flow_enabled.as_ref());
        put(&mut settings.implicit_flow_enabled, self.implicit_flow_enabled.as_ref());
        put(&mut settings.direct_access_grants_enabled, self.direct_access_grants_enabled.as_ref());
        put(&mut settings.service_accounts_enabled, self.service_accounts_enabled.as_ref());
        put(&mut settings.public_client, self.public_client.as_ref());
        put(&mut settings.frontchannel_logout, self.frontchannel_logout.as_ref());
        put(&mut settings.protocol, self.protocol.as_ref());
        put(&mut settings.authentication_flow_binding_overrides, self.authentication_flow_binding_overrides.as_ref());
        put(&mut settings.full_scope_allowed, self.full_scope_allowed.as_ref());
        put(&mut settings.node_re_registration_timeout, self.node_re_registration_timeout.as_ref());
        put(&mut settings.registered_nodes, self.registered_nodes.as_ref());
        if let Some(uris) = &self.redirect_uris {
            settings.redirect_uris = texts(uris);
        }
        match &self.web_origins {
            Some(origins) => settings.web_origins = texts(origins),
            None if settings.web_origins.is_empty() => settings.web_origins = origins_of(&settings.redirect_uris),
            None => {}
        }
        for (key, value) in self.attributes.iter().flatten() {
            // Whoever puts a client back as it was shown keeps what was not shown.
            if is_secret_attribute(key) && value.as_ref().is_some_and(|v| v.0 == MASK) {
                continue;
            }
            match value.as_ref().filter(|v| !v.0.is_empty()) {
                Some(value) => settings.attributes.insert(key.clone(), value.0.clone()),
                None => settings.attributes.remove(key),
            };
        }
    }
}

/// The origins of redirect URIs, for a client that names none of its own.
pub(super) fn origins_of(redirect_uris: &[String]) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    for uri in redirect_uris.iter().filter(|u| u.starts_with("http")) {
        if let Ok(url) = url::Url::parse(uri) {
            let origin = url.origin().ascii_serialization();
            if url.has_host() && !origins.contains(&origin) {
                origins.push(origin);
            }
        }
    }
    origins
}

/// A client in full. `manages`: whether the caller may change it.
pub(crate) fn client(snapshot: &RealmSnapshot, client: &Client, manages: bool) -> Value {
    let mut shown = match serde_json::to_value(&client.settings) {
        Ok(Value::Object(settings)) => settings,
        _ => Map::new(),
    };
    for (name, value) in shown.get_mut("attributes").and_then(Value::as_object_mut).into_iter().flatten() {
        if is_secret_attribute(name) {
            *value = json!(MASK);
        }
    }
    shown.insert("id".to_owned(), json!(client.uuid));
    shown.insert("clientId".to_owned(), json!(client.client_id));
    shown.insert("enabled".to_owned(), json!(client.enabled));
    shown.insert("notBefore".to_owned(), json!(client.not_before));
    if let Some(secret) = client.secret.as_ref().filter(|_| !client.settings.public_client) {
        shown.insert("secret".to_owned(), json!(secret.expose()));
    }
    if !client.mappers.is_empty() {
        let mappers: Vec<Value> = client.mappers.iter().map(protocol_mapper).collect();
        shown.insert("protocolMappers".to_owned(), Value::from(mappers));
    }
    shown.insert("defaultClientScopes".to_owned(), json!(scope_names(snapshot, &client.default_scopes)));
    shown.insert("optionalClientScopes".to_owned(), json!(scope_names(snapshot, &client.optional_scopes)));
    shown.insert("access".to_owned(), json!({"view": true, "configure": manages, "manage": manages}));
    Value::from(shown)
}

/// A client as it is shown to itself: `token` is by which it may change itself.
pub(crate) fn registered_client(snapshot: &RealmSnapshot, registered: &Client, token: Option<&str>) -> Map<String, Value> {
    let mut shown = match client(snapshot, registered, false) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    shown.remove("access");
    if let Some(token) = token {
        shown.insert("registrationAccessToken".to_owned(), json!(token));
    }
    shown
}

pub(super) fn scope_names<'a>(snapshot: &'a RealmSnapshot, scopes: &[ClientScopeId]) -> Vec<&'a str> {
    let mut names: Vec<&str> = scopes.iter().filter_map(|id| snapshot.scopes.get(id)).map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_field_is_named() {
        let error = serde_json::from_str::<ClientRepresentation>(r#"{"clientId": "y", "nosuchfield": 1}"#).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `nosuchfield`"), "{error}");
        assert!(serde_json::from_str::<ClientRepresentation>(r#"{"clientId": "y", "access": {}}"#).is_ok());
    }

    #[test]
    fn attributes_merge_key_by_key() {
        let given: ClientRepresentation =
            serde_json::from_str(r#"{"attributes": {"a": null, "b": "", "c": 3}, "redirectUris": ["http://h:1/*"]}"#).unwrap();
        let mut settings = ClientSettings::default();
        for key in ["a", "b", "d"] {
            settings.attributes.insert(key.to_owned(), "old".to_owned());
        }
        given.put_settings(&mut settings);
        let left: Vec<_> = settings.attributes.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(left, ["c=3", "d=old"]);
        assert_eq!(settings.web_origins, ["http://h:1"]);
    }
}
