//! What a user has to agree to before a client gets tokens (OIDC Core §3.1.2.4).

use super::scope::GrantedScopes;
use crate::model::{Client, ClientScope, User};

/// One line of the consent page.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    Scope(&'a ClientScope),
    /// The client itself stands on the page.
    Client(&'a Client),
}

impl Item<'_> {
    /// The id of the scope's or the client's row.
    pub fn id(&self) -> &str {
        match self {
            Self::Scope(scope) => scope.id.as_str(),
            Self::Client(client) => client.uuid.as_str(),
        }
    }
}

/// Everything that the client asks and the user has to see; nothing where the client needs no consent.
pub fn required<'a>(client: &'a Client, scopes: &GrantedScopes<'a>) -> Vec<Item<'a>> {
    if !client.settings.consent_required {
        return Vec::new();
    }
    let itself = client.flag("display.on.consent.screen", false).then_some(Item::Client(client));
    let shown = scopes.permitted.iter().copied().filter(|s| s.is_shown_on_consent()).map(Item::Scope);
    itself.into_iter().chain(shown).collect()
}

/// What of it the user has not agreed to yet.
pub fn missing<'a>(client: &'a Client, user: &User, scopes: &GrantedScopes<'a>) -> Vec<Item<'a>> {
    let consent = user.consent_for(&client.uuid);
    let is_given = |item: &Item<'_>| match item {
        Item::Scope(scope) => consent.is_some_and(|c| c.scopes.contains(&scope.id)),
        Item::Client(_) => consent.is_some_and(|c| c.client_itself),
    };
    required(client, scopes).into_iter().filter(|item| !is_given(item)).collect()
}
