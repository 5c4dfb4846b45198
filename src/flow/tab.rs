//! A tab that signs in: opened, shown, moved on. Each form that it shows carries a code that works once.

use super::browser::{Browser, Keep, Move, Next, PageOf, PageStep, Told};
use super::context::Cx;
use crate::base::{Timestamp, sha256};
use crate::model::authentication_session::{ActionRequest, AuthenticationSession, Progress, SignInRequest, TabRequest};
use crate::model::realm::seconds;
use crate::model::{Client, TabId};
use crate::store::authentication_session::{Advance, Binding};
use crate::store::{self, StoreError};

/// Opens a tab in the browser. A browser that has tabs already keeps its handle.
pub async fn open(
    cx: &Cx,
    browser: &Browser,
    client: &Client,
    request: TabRequest,
    progress: Progress,
) -> Result<(AuthenticationSession, Keep), StoreError> {
    let handle = browser.tabs.clone().filter(|h| h.len() >= 40).unwrap_or_else(|| cx.entropy().token::<32>());
    let tab = AuthenticationSession {
        tab: TabId::new(cx.entropy().token::<8>()),
        client: client.uuid.clone(),
        started_at: cx.now,
        expires_at: expires_at(cx),
        progress,
        request,
    };
    let form = sha256(&cx.entropy().bytes::<32>());
    let binding = Binding { browser_hash: &sha256(handle.as_bytes()), form_hash: &form };
    let mut db = cx.store().db().await?;
    store::authentication_session::insert_tab(&mut db, &cx.snapshot().realm.id, &tab, binding).await?;
    Ok((tab, Keep::Tabs(handle)))
}

/// How long the user has for a page.
pub fn expires_at(cx: &Cx) -> Timestamp {
    cx.now + seconds(cx.settings().access_code_lifespan_login.max(1))
}

/// Moves a tab on, and gives the code of the form that it shows next. `None`: another request has moved it on since it was read.
pub async fn show(cx: &Cx, tab: &AuthenticationSession, progress: &Progress) -> Result<Option<String>, StoreError> {
    let form = cx.entropy().token::<32>();
    let next = Advance { progress, form_hash: &sha256(form.as_bytes()), expires_at: expires_at(cx) };
    let mut db = cx.store().db().await?;
    let moved = store::authentication_session::advance(&mut db, &cx.snapshot().realm.id, tab, next).await?;
    Ok(moved.then_some(form))
}

/// The tab with this id in this browser.
pub async fn find(cx: &Cx, browser: &Browser, tab: &str) -> Result<Option<AuthenticationSession>, StoreError> {
    let Some(browser_hash) = browser.tabs_hash() else { return Ok(None) };
    let mut db = cx.store().db().await?;
    store::authentication_session::find_tab(&mut db, &cx.snapshot().realm.id, &TabId::new(tab), &browser_hash).await
}

/// Takes the form that a browser sent; `None` if it was taken before or is not the tab's.
pub async fn take(cx: &Cx, browser: &Browser, tab: &TabId, form: &str) -> Result<Option<AuthenticationSession>, StoreError> {
    let Some(browser_hash) = browser.tabs_hash() else { return Ok(None) };
    let spent = sha256(&cx.entropy().bytes::<32>());
    let binding = Binding { browser_hash: &browser_hash, form_hash: &sha256(form.as_bytes()) };
    let mut db = cx.store().db().await?;
    store::authentication_session::take_form(&mut db, &cx.snapshot().realm.id, tab, binding, &spent).await
}

/// The request of a tab that signs in.
pub fn sign_in(tab: &AuthenticationSession) -> Option<&SignInRequest> {
    match &tab.request {
        TabRequest::SignIn(request) => Some(request),
        TabRequest::SignOut(_) | TabRequest::Action(_) => None,
    }
}

/// The address of the tab's page.
pub fn page(client: &Client, tab: &AuthenticationSession, step: PageStep) -> PageOf {
    PageOf { step, client_id: client.client_id.clone(), tab: tab.tab.clone() }
}

/// Begins the sign-in of a tab anew: whoever was known in it is not any more. A tab that has been moved on meanwhile shows where
/// it stands.
pub async fn start_over(
    cx: &Cx,
    tab: &AuthenticationSession,
    client: &Client,
    message: Option<&str>,
) -> Result<Move, StoreError> {
    if sign_in(tab).is_none() {
        return Ok(Move::error("expiredActionTokenNoSessionMessage"));
    }
    let progress = Progress::Password { known_user: None, message: message.map(str::to_owned) };
    show(cx, tab, &progress).await?;
    Ok(Move::to(Next::Page(page(client, tab, PageStep::Login))))
}

/// The end of a tab that followed a link: nobody is signed in, and the user is told what was done.
pub async fn finish(
    cx: &Cx,
    tab: &AuthenticationSession,
    message: &'static str,
    request: &ActionRequest,
) -> Result<Move, StoreError> {
    show(cx, tab, &Progress::Done).await?;
    Ok(told(message, request.redirect_uri.clone()))
}

/// The user is told what was done, and where to go on.
pub fn told(message: &'static str, redirect_uri: Option<String>) -> Move {
    Move::to(Next::Told(Told { message, redirect_uri }))
}
