//! A client: an application that asks for tokens (RFC 6749 §2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ClientId, ClientScopeId, ClientUuid, ProtocolMapper, RoleId};
use crate::base::Secret;

/// One client of a realm, with what its tokens are made of.
#[derive(Clone, Debug)]
pub struct Client {
    pub uuid: ClientUuid,
    pub client_id: ClientId,
    pub enabled: bool,
    /// Tokens issued to this client before this second are stale; 0 for none.
    pub not_before: i64,
    pub secret: Option<Secret>,
    pub settings: ClientSettings,
    /// The id of the registration access token that is good for the client (RFC 7592 §3).
    pub registration_token: Option<String>,
    pub default_scopes: Vec<ClientScopeId>,
    pub optional_scopes: Vec<ClientScopeId>,
    pub mappers: Vec<ProtocolMapper>,
    /// Roles that a client without full scope may still put into tokens.
    pub scope_mappings: Vec<RoleId>,
}

/// What is stored of a client as one JSON object, with Keycloak's field names.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    pub surrogate_auth_required: bool,
    pub always_display_in_console: bool,
    pub client_authenticator_type: String,
    pub redirect_uris: Vec<String>,
    pub web_origins: Vec<String>,
    pub bearer_only: bool,
    pub consent_required: bool,
    pub standard_flow_enabled: bool,
    pub implicit_flow_enabled: bool,
    pub direct_access_grants_enabled: bool,
    pub service_accounts_enabled: bool,
    pub public_client: bool,
    pub frontchannel_logout: bool,
    /// None for the clients of other realms' administration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    pub attributes: BTreeMap<String, String>,
    pub authentication_flow_binding_overrides: Map<String, Value>,
    pub full_scope_allowed: bool,
    pub node_re_registration_timeout: i64,
    /// Hosts of the client's application, and when each was named, in seconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub registered_nodes: BTreeMap<String, i64>,
}

/// Without the attributes: private keys are among them.
impl std::fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientSettings").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Default for ClientSettings {
    fn default() -> Self {
        Self {
            name: None,
            description: None,
            kind: None,
            root_url: None,
            admin_url: None,
            base_url: None,
            surrogate_auth_required: false,
            always_display_in_console: false,
            client_authenticator_type: "client-secret".to_owned(),
            redirect_uris: Vec::new(),
            web_origins: Vec::new(),
            bearer_only: false,
            consent_required: false,
            standard_flow_enabled: true,
            implicit_flow_enabled: false,
            direct_access_grants_enabled: false,
            service_accounts_enabled: false,
            public_client: false,
            frontchannel_logout: false,
            protocol: Some("openid-connect".to_owned()),
            attributes: BTreeMap::new(),
            authentication_flow_binding_overrides: Map::new(),
            full_scope_allowed: true,
            node_re_registration_timeout: -1,
            registered_nodes: BTreeMap::new(),
        }
    }
}

/// Whether an attribute of this name is a secret: sealed at rest, and shown to nobody. Private keys stand there, and the secret
/// before the last.
pub fn is_secret_attribute(name: &str) -> bool {
    name.ends_with("private.key") || name == "client.secret.rotated"
}

impl Client {
    /// Where relative addresses of the client stand: its root URL, in which this server's own address may be named, else this
    /// server's origin.
    pub fn root_url(&self, server: &str) -> String {
        match self.settings.root_url.as_deref().filter(|root| !root.is_empty()) {
            Some(root) => root.replace("${authBaseUrl}", server).replace("${authAdminUrl}", server),
            None => url::Url::parse(server).map_or_else(|_| server.to_owned(), |url| url.origin().ascii_serialization()),
        }
    }

    /// The name that people are shown; may be a key of the message files.
    pub fn display_name(&self) -> &str {
        self.settings.name.as_deref().filter(|n| !n.is_empty()).unwrap_or(self.client_id.as_str())
    }

    /// An attribute that is there and not empty.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.settings.attributes.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.attribute(name).map_or(default, |v| v == "true")
    }

    /// An attribute that holds a positive number of seconds; blank, not a number, 0 and negative count as unset.
    pub fn positive_seconds(&self, name: &str) -> Option<i64> {
        self.attribute(name).and_then(|v| v.trim().parse().ok()).filter(|n| *n > 0)
    }

    pub fn is_openid_connect(&self) -> bool {
        self.settings.protocol.as_deref().is_none_or(|p| p == "openid-connect")
    }

    /// Whether refresh tokens are issued at all.
    pub fn uses_refresh_tokens(&self) -> bool {
        self.flag("use.refresh.tokens", true)
    }

    pub fn uses_lightweight_access_tokens(&self) -> bool {
        self.flag("client.use.lightweight.access.token.enabled", false)
    }

    /// Whether the client has a secret to prove itself with.
    pub fn is_confidential(&self) -> bool {
        !self.settings.public_client && !self.settings.bearer_only
    }
}
