//! The user's answer on the consent page.

use std::sync::Arc;

use super::browser::{Browser, Move, Next};
use super::context::Cx;
use super::tab_page::{stale_form, taken};
use super::{event, pending, sign_in, tab};
use crate::model::authentication_session::Progress;
use crate::model::event::EventKind;
use crate::model::{Client, ClientScope, ClientScopeId, TabId, User};
use crate::oidc::consent::Item;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::consent::Given;
use crate::store::{self, StoreError};

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, form: &str, agreed: bool) -> Result<Move, StoreError> {
    let (tab, client) = match taken(cx, browser, tab_id, form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(moved),
    };
    let (Progress::Authenticated(authenticated), Some(request)) = (tab.progress.clone(), tab::sign_in(&tab)) else {
        return stale_form(cx, browser, &tab, &client).await;
    };
    if !agreed {
        store::authentication_session::delete_tab(&mut cx.store().db().await?, &cx.snapshot().realm.id, &tab.tab).await?;
        let denied = OAuthError::bare(400, OAuthErrorCode::AccessDenied);
        let response = sign_in::identified(&client, request).refuse(&denied, sign_in::mode(request), &cx.issuer);
        return Ok(Move::to(Next::Client(response)));
    }
    let user = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &authenticated.user_id).await?;
    // The code of another page of the tab is no answer to this one.
    let Some(user) = user.filter(|user| pending::next(cx, user, &authenticated.actions).is_none()) else {
        return stale_form(cx, browser, &tab, &client).await;
    };
    let items = sign_in::asked(cx, &client, &user, request);
    // The client has been given more since the page was shown, or for longer: nobody agreed to that. The page shows it now.
    if sign_in::asked_terms(cx, &client, &items).iter().any(|term| !authenticated.asked.contains(term)) {
        return stale_form(cx, browser, &tab, &client).await;
    }
    let Some(user) = grant(cx, &client, &user, &items).await? else { return stale_form(cx, browser, &tab, &client).await };
    match sign_in::complete(cx, browser, &client, Some(&tab), request, &user, &authenticated).await? {
        Some(moved) => Ok(moved),
        None => tab::start_over(cx, &tab, &client, Some("expiredActionMessage")).await,
    }
}

/// Notes the consent; gives the user with it.
async fn grant(cx: &Cx, client: &Client, user: &User, items: &[Item<'_>]) -> Result<Option<Arc<User>>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let scopes: Vec<ClientScopeId> = items.iter().filter_map(scope_of).map(|s| s.id.clone()).collect();
    let client_itself = items.iter().any(|i| matches!(i, Item::Client(_)));
    cx.store()
        .in_tx(async |db| {
            store::user::touch(db, realm, &user.id).await?;
            let given = Given { scopes: &scopes, client_itself };
            store::consent::grant(db, realm, &user.id, &client.uuid, given, cx.now).await?;
            let mut granted = event::new(cx, EventKind::GrantConsent).detail("consent", "consent_granted");
            granted.client_id = Some(client.client_id.to_string());
            granted.user_id = Some(user.id.clone());
            event::record_in(cx, db, &granted).await
        })
        .await?;
    cx.server.realms.read_user(cx.store(), realm, &user.id).await
}

/// The user decides in the account what a client may have: exactly these scopes. What is not among them ends the tokens that
/// need it at their next use. Gives the user with it.
pub async fn replace(cx: &Cx, client: &Client, user: &User, scopes: &[ClientScopeId]) -> Result<Option<Arc<User>>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    cx.store()
        .in_tx(async |db| {
            store::user::touch(db, realm, &user.id).await?;
            let given = Given { scopes, client_itself: false };
            store::consent::replace(db, realm, &user.id, &client.uuid, given, cx.now).await?;
            let mut updated = event::new(cx, EventKind::UpdateConsent);
            updated.client_id = Some(client.client_id.to_string());
            updated.user_id = Some(user.id.clone());
            event::record_in(cx, db, &updated).await
        })
        .await?;
    cx.server.realms.read_user(cx.store(), realm, &user.id).await
}

fn scope_of<'a>(item: &Item<'a>) -> Option<&'a ClientScope> {
    match item {
        Item::Scope(scope) => Some(scope),
        Item::Client(_) => None,
    }
}
