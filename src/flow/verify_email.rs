//! The required action "verify e-mail": the letter that the page sends, and another one on request. The proof is its link, which
//! `open_link` follows.

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::login::{Shown, stale_form, taken};
use super::{action_link, event, pending, tab};
use crate::model::authentication_session::Progress;
use crate::model::event::EventKind;
use crate::model::{ActionKind, Client, TabId, User};
use crate::store::StoreError;

/// The user wants another letter: the page sends it when it is shown.
pub async fn again(cx: &Cx, browser: &Browser, tab_id: &TabId, form: &str) -> Result<Move, StoreError> {
    let (tab, client) = match taken(cx, browser, tab_id, form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(moved),
    };
    let Progress::Authenticated(mut known) = tab.progress.clone() else {
        return stale_form(cx, browser, &tab, &client).await;
    };
    let user = cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &known.user_id).await?;
    let is_asked = user.is_some_and(|user| pending::next(cx, &user, &known.actions) == Some(PageStep::VerifyEmail));
    if !is_asked {
        return stale_form(cx, browser, &tab, &client).await;
    }
    known.mailed = None;
    tab::show(cx, &tab, &Progress::Authenticated(known)).await?;
    Ok(Move::to(Next::Page(tab::page(&client, &tab, PageStep::VerifyEmail))))
}

/// The link for the letter of a page; `None` if the user has been sent too many.
pub async fn link(cx: &Cx, shown: &Shown, user: &User) -> Result<Option<action_link::Issued>, StoreError> {
    let purpose = action_link::Purpose {
        kind: ActionKind::VerifyEmail,
        client: &shown.client,
        tab: Some(&shown.tab.tab),
        actions: &[],
        redirect_uri: None,
        by_admin: None,
    };
    action_link::issue(cx, user, &purpose).await
}

/// Notes that a letter went out, or why none did.
pub async fn record(cx: &Cx, client: &Client, user: &User, error: Option<&str>) -> Result<(), StoreError> {
    let mut sent = event::new(cx, EventKind::SendVerifyEmail);
    event::put(&mut sent.details, "email", user.email.as_deref());
    sent.error = error.map(str::to_owned);
    sent.client_id = Some(client.client_id.to_string());
    sent.user_id = Some(user.id.clone());
    event::record(cx, &sent).await
}
