//! A client scope: a word of the `scope` parameter, the claims that it brings, and the roles that it is tied to.

use std::collections::BTreeMap;

use super::{ClientScopeId, ProtocolMapper, RoleId};

/// The scope whose presence turns a refresh token into an offline token, and the realm role that it is tied to.
pub const OFFLINE_ACCESS: &str = "offline_access";

#[derive(Clone, Debug)]
pub struct ClientScope {
    pub id: ClientScopeId,
    pub name: String,
    pub description: Option<String>,
    pub protocol: String,
    pub attributes: BTreeMap<String, String>,
    pub mappers: Vec<ProtocolMapper>,
    /// With roles, the scope is permitted only to users who hold one of them.
    pub role_mappings: Vec<RoleId>,
}

impl ClientScope {
    pub fn is_openid_connect(&self) -> bool {
        self.protocol == "openid-connect"
    }

    /// Whether the word stands in the `scope` of access tokens and answers.
    pub fn is_in_token_scope(&self) -> bool {
        self.attributes.get("include.in.token.scope").is_none_or(|v| v != "false")
    }

    pub fn is_shown_on_consent(&self) -> bool {
        self.attributes.get("display.on.consent.screen").is_none_or(|v| v != "false")
    }

    /// The text for the consent page: its own, or the name.
    pub fn consent_text(&self) -> &str {
        self.attributes.get("consent.screen.text").map(String::as_str).filter(|t| !t.is_empty()).unwrap_or(&self.name)
    }
}
