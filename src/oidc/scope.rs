//! The `scope` parameter and what it means for a client and a user (RFC 6749 §3.3, and Keycloak's client scopes).
//!
//! A client has scopes that always apply (default) and scopes that apply when named (optional). A scope that is tied to roles
//! is *permitted* only to users who hold one of them: it vanishes from tokens, but it was still *requested*.

use std::collections::HashSet;

use super::error::OAuthError;
use super::prompt::Prompt;
use crate::model::client_scope::OFFLINE_ACCESS;
use crate::model::{Client, ClientScope, RealmSnapshot, RoleId, own_attributes};

pub const OPENID: &str = "openid";

/// More words than any client asks for; beyond, the request is refused before anything is looked up (CVE-2026-4634).
const MAX_WORDS: usize = 200;

/// The words of a scope text.
pub fn words(scope: &str) -> impl Iterator<Item = &str> {
    scope.split(' ').filter(|w| !w.is_empty())
}

/// Checks that every word is assigned to the client. An absent parameter is fine, an empty one is not.
pub fn check(realm: &RealmSnapshot, client: &Client, parameter: Option<&str>) -> Result<(), OAuthError> {
    let Some(raw) = parameter else { return Ok(()) };
    let refused = || Err(OAuthError::invalid_scope(&raw.chars().take(500).collect::<String>()));
    if words(raw).next().is_none() || words(raw).nth(MAX_WORDS).is_some() {
        return refused();
    }
    let assigned: HashSet<&str> = assigned(realm, client).map(|s| s.name.as_str()).collect();
    if words(raw).all(|word| word == OPENID || assigned.contains(word)) { Ok(()) } else { refused() }
}

/// The scopes of a browser's request. Where the realm says so, `offline_access` without `prompt=consent` is passed over (OIDC Core
/// §11). A client that has it as a default scope has the administrator's word for it, and keeps it.
pub fn of_prompted(realm: &RealmSnapshot, prompt: Prompt, raw: &str) -> String {
    let needs = realm.realm.settings.attributes.get(own_attributes::OFFLINE_NEEDS_PROMPT).is_some_and(|v| v.trim() == "true");
    if !needs || prompt.consent {
        return raw.to_owned();
    }
    words(raw).filter(|word| *word != OFFLINE_ACCESS).collect::<Vec<_>>().join(" ")
}

/// Every client scope of the client, default and optional.
fn assigned<'a>(realm: &'a RealmSnapshot, client: &'a Client) -> impl Iterator<Item = &'a ClientScope> {
    let ids = client.default_scopes.iter().chain(&client.optional_scopes);
    ids.filter_map(|id| realm.scopes.get(id)).filter(|s| s.is_openid_connect())
}

/// What a grant covers for one user at one client.
#[derive(Clone, Debug)]
pub struct GrantedScopes<'a> {
    /// Default scopes and the optional ones that were named.
    pub requested: Vec<&'a ClientScope>,
    /// Those of them that the user's roles allow.
    pub permitted: Vec<&'a ClientScope>,
    pub openid: bool,
}

impl<'a> GrantedScopes<'a> {
    /// Resolves a scope text that was checked, for a user who holds these roles.
    pub fn resolve(realm: &'a RealmSnapshot, client: &'a Client, scope: Option<&str>, roles: &HashSet<&RoleId>) -> Self {
        let asked: HashSet<&str> = words(scope.unwrap_or_default()).collect();
        let defaults = client.default_scopes.iter().filter_map(|id| realm.scopes.get(id));
        let named =
            client.optional_scopes.iter().filter_map(|id| realm.scopes.get(id)).filter(|s| asked.contains(s.name.as_str()));
        let requested: Vec<&ClientScope> = defaults.chain(named).filter(|s| s.is_openid_connect()).collect();
        let permitted = requested.iter().copied().filter(|s| is_permitted(realm, s, roles)).collect();
        Self { requested, permitted, openid: asked.contains(OPENID) }
    }

    /// Whether an offline token is asked for: by the scope's presence, before roles are looked at.
    pub fn asks_offline(&self) -> bool {
        self.requested.iter().any(|s| s.name == OFFLINE_ACCESS)
    }

    pub fn permits_offline(&self) -> bool {
        self.permitted.iter().any(|s| s.name == OFFLINE_ACCESS)
    }

    /// The `scope` of access tokens and answers: without the scopes that are hidden from tokens.
    pub fn token_scope(&self) -> String {
        self.join(self.permitted.iter().filter(|s| s.is_in_token_scope()))
    }

    /// The `scope` of refresh tokens: all that was granted, hidden scopes included.
    pub fn full_scope(&self) -> String {
        self.join(self.permitted.iter())
    }

    fn join<'s>(&self, scopes: impl Iterator<Item = &'s &'s ClientScope>) -> String {
        let openid = self.openid.then_some(OPENID);
        openid.into_iter().chain(scopes.map(|s| s.name.as_str())).collect::<Vec<_>>().join(" ")
    }
}

fn is_permitted(realm: &RealmSnapshot, scope: &ClientScope, roles: &HashSet<&RoleId>) -> bool {
    scope.role_mappings.is_empty() || realm.expand(&scope.role_mappings).into_iter().any(|r| roles.contains(r))
}

/// The roles that may stand in the client's tokens: all that the user holds, or those in the client's scope.
pub fn effective_roles<'a>(
    realm: &'a RealmSnapshot,
    client: &'a Client,
    permitted: &[&'a ClientScope],
    held: &HashSet<&'a RoleId>,
) -> HashSet<&'a RoleId> {
    if client.settings.full_scope_allowed {
        return held.clone();
    }
    let own = realm.roles.values().filter(|r| r.client.as_ref() == Some(&client.uuid)).map(|r| &r.id);
    let by_scope = permitted.iter().flat_map(|s| &s.role_mappings);
    let allowed = realm.expand(own.chain(&client.scope_mappings).chain(by_scope).collect::<Vec<_>>());
    held.intersection(&allowed).copied().collect()
}

/// Whether the realm role `offline_access` is effective for user and client: the right to an offline token.
pub fn may_have_offline_token(realm: &RealmSnapshot, effective: &HashSet<&RoleId>) -> bool {
    realm.realm_role(OFFLINE_ACCESS).is_some_and(|role| effective.contains(&role.id))
}

/// A refresh may ask for less (RFC 6749 §6): the granted words that are also named.
pub fn narrow(granted: &str, parameter: Option<&str>) -> String {
    let Some(asked) = parameter else { return granted.to_owned() };
    let asked: HashSet<&str> = words(asked).collect();
    words(granted).filter(|w| asked.contains(w)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn narrowing_keeps_only_what_was_granted_and_named() {
        assert_eq!(narrow("openid phone email", Some("openid address")), "openid");
        assert_eq!(narrow("openid phone", None), "openid phone");
    }

    proptest! {
        #[test]
        fn a_refresh_never_widens(granted in "[a-d ]{0,20}", asked in "[a-f ]{0,20}") {
            let narrowed = narrow(&granted, Some(&asked));
            let before: HashSet<&str> = words(&granted).collect();
            let named: HashSet<&str> = words(&asked).collect();
            prop_assert!(words(&narrowed).all(|w| before.contains(w) && named.contains(w)));
        }
    }
}
