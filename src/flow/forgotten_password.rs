//! "Forgot password?": the form, and the letter that it sends to whom it names.
//!
//! Nothing of the answer tells whether there is such a user, and neither does its time: what only a known user costs (the link, the
//! letter) is done behind the answer. The way to a new password is the letter's link, which `open_link` follows; this form moves
//! the tab nowhere (CVE-2026-18963).

use std::sync::Arc;

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::login;
use super::tab_page::{Shown, show, stale_form, tab_of, taken};
use super::{action_link, event, tab};
use crate::model::authentication_session::{Progress, TabRequest};
use crate::model::event::EventKind;
use crate::model::{ActionKind, Client, TabId, User};
use crate::store::StoreError;

/// A letter that somebody asked for. Whether anybody gets it is not known yet to whoever holds this.
#[derive(Clone, Debug)]
pub struct Wanted {
    user: Option<User>,
    username: String,
    client: Arc<Client>,
    tab: TabId,
}

impl Wanted {
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub fn tab(&self) -> &TabId {
        &self.tab
    }
}

#[derive(Debug)]
pub enum Outcome {
    Moved(Move),
    /// The form again: no name was typed.
    Again(Box<Shown>),
    Sent {
        moved: Move,
        wanted: Box<Wanted>,
    },
}

const NOT_ALLOWED: &str = "resetCredentialNotAllowedMessage";

/// The form, in a tab in which nobody has proved anything.
pub async fn open(cx: &Cx, browser: &Browser, tab_id: Option<&str>) -> Result<Result<Shown, Move>, StoreError> {
    if !cx.settings().reset_password_allowed {
        return Ok(Err(Move::error(NOT_ALLOWED)));
    }
    let (tab, client) = match tab_of(cx, browser, tab_id).await? {
        Ok(found) => found,
        Err(moved) => return Ok(Err(moved)),
    };
    match (&tab.request, &tab.progress) {
        (TabRequest::SignIn(_), Progress::Password { .. }) => show(cx, tab, client).await,
        _ => Ok(Err(stale_form(cx, browser, &tab, &client).await?)),
    }
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, form: &str, username: &str) -> Result<Outcome, StoreError> {
    if !cx.settings().reset_password_allowed {
        return Ok(Outcome::Moved(Move::error(NOT_ALLOWED)));
    }
    let (tab, client) = match taken(cx, browser, tab_id, form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(Outcome::Moved(moved)),
    };
    let (TabRequest::SignIn(_), Progress::Password { known_user, .. }) = (&tab.request, &tab.progress) else {
        return Ok(Outcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let username = username.trim();
    if username.is_empty() {
        return Ok(match show(cx, tab, client).await? {
            Ok(shown) => Outcome::Again(Box::new(shown)),
            Err(moved) => Outcome::Moved(moved),
        });
    }
    let user = login::find_by_name(cx, username).await?;
    let progress = Progress::Password { known_user: known_user.clone(), message: Some("emailSentMessage".to_owned()) };
    tab::show(cx, &tab, &progress).await?;
    let moved = Move::to(Next::Page(tab::page(&client, &tab, PageStep::Login)));
    let username = username.chars().take(login::MAX_NAME).collect();
    Ok(Outcome::Sent { moved, wanted: Box::new(Wanted { user, username, client, tab: tab.tab }) })
}

/// The user and the link for the letter, where there is somebody to send it to.
pub async fn link(cx: &Cx, wanted: Wanted) -> Result<Option<(User, action_link::Issued)>, StoreError> {
    let problem = match &wanted.user {
        None => Some("user_not_found"),
        Some(user) if !user.enabled => Some("user_disabled"),
        Some(user) if user.email.is_none() => Some("invalid_email"),
        Some(_) => None,
    };
    let issued = match &wanted.user {
        Some(user) if problem.is_none() => {
            let purpose = action_link::Purpose {
                kind: ActionKind::ResetPassword,
                client: &wanted.client,
                tab: Some(&wanted.tab),
                actions: &[],
                redirect_uri: None,
                by_admin: None,
            };
            action_link::issue(cx, user, &purpose).await?
        }
        _ => None,
    };
    let problem = problem.or(issued.is_none().then_some("too_many_letters"));
    let mut asked = event::new(cx, if problem.is_some() { EventKind::ResetPassword } else { EventKind::SendResetPassword })
        .detail("username", wanted.username.as_str());
    asked.error = problem.map(str::to_owned);
    asked.client_id = Some(wanted.client.client_id.to_string());
    asked.user_id = wanted.user.as_ref().map(|user| user.id.clone());
    event::record(cx, &asked).await?;
    Ok(wanted.user.zip(issued))
}
