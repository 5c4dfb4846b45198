//! Letters that an administrator has sent to a user: whether they may be, and the link in them.

use super::Refusal;
use crate::flow::action_link::{self, Issued, Purpose};
use crate::flow::admin_event::{Change, note_alone};
use crate::flow::context::Cx;
use crate::flow::pending;
use crate::model::admin_event::ResourceType;
use crate::model::{ActionKind, Client, User};
use crate::oidc::redirect_uri;
use crate::store::StoreError;

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub kind: ActionKind,
    pub actions: Vec<String>,
    pub client_id: Option<String>,
    pub redirect_uri: Option<String>,
    /// Seconds.
    pub lifespan: Option<i64>,
}

/// The client that the letter's link belongs to, or why no letter is sent. The order and the texts are Keycloak's.
pub fn check<'a>(cx: &'a Cx, user: &User, wanted: &Wanted) -> Result<&'a Client, Refusal> {
    let refuse = |text: &str| Err(Refusal::Invalid(text.to_owned()));
    if user.email.as_deref().is_none_or(|email| email.trim().is_empty()) {
        return refuse("User email missing");
    }
    if !user.enabled {
        return refuse("User is disabled");
    }
    if wanted.redirect_uri.is_some() && wanted.client_id.is_none() {
        return refuse("Client id missing");
    }
    let client = match &wanted.client_id {
        Some(id) => cx.snapshot().client(id).map(AsRef::as_ref),
        None => action_link::usual_client(cx),
    };
    let Some(client) = client else { return refuse("Client doesn't exist") };
    if !client.enabled {
        return refuse("Client is not enabled");
    }
    if let Some(uri) = &wanted.redirect_uri
        && !redirect_uri::matches(uri, &client.settings.redirect_uris, &client.root_url(cx.server_url()))
    {
        return refuse("Invalid redirect uri.");
    }
    if wanted.actions.iter().any(|action| !pending::KNOWN.contains(&action.as_str())) {
        return refuse("Provided invalid required actions");
    }
    Ok(client)
}

/// The link for the letter.
pub async fn link(cx: &Cx, user: &User, client: &Client, wanted: &Wanted) -> Result<Option<Issued>, StoreError> {
    let purpose = Purpose {
        kind: wanted.kind,
        client,
        tab: None,
        actions: &wanted.actions,
        redirect_uri: wanted.redirect_uri.as_deref(),
        by_admin: Some(wanted.lifespan.unwrap_or(cx.settings().action_token_by_admin)),
    };
    action_link::issue(cx, user, &purpose).await
}

/// Notes that the letter went out.
pub async fn sent(cx: &Cx) -> Result<(), StoreError> {
    note_alone(cx, Change::action(ResourceType::User)).await
}
