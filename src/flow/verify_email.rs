//! The required action "verify e-mail": the letter that the page sends, and another one on request. The proof is its link, which
//! `open_link` follows.

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::tab_page::{ProvenTab, Shown, taken_at};
use super::{action_link, event, tab};
use crate::model::authentication_session::Progress;
use crate::model::event::EventKind;
use crate::model::{ActionKind, Client, TabId, User};
use crate::store::StoreError;

/// The user wants another letter: the page sends it when it is shown.
pub async fn again(cx: &Cx, browser: &Browser, tab_id: &TabId, form: &str) -> Result<Move, StoreError> {
    let ProvenTab { tab, client, mut known, .. } = match taken_at(cx, browser, tab_id, form, &[PageStep::VerifyEmail]).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(moved),
    };
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
