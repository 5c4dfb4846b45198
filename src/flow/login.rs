//! The sign-in form: what a browser sends, and what becomes of it.

use std::sync::Arc;

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::password_check::{self, Checked, Proven};
use super::tab_page::{Shown, show, stale_form, taken};
use super::{event, sign_in, tab};
use crate::base::Secret;
use crate::model::authentication_session::{Authenticated, AuthenticationSession, Progress};
use crate::model::event::EventKind;
use crate::model::{Client, TabId, User, UserId};
use crate::store::{self, StoreError};

/// The sign-in form as it was sent.
#[derive(Clone, Debug)]
pub struct Submitted {
    pub form: String,
    pub username: Option<String>,
    pub password: Secret,
    pub remember_me: bool,
}

/// What becomes of a sign-in form: the browser moves on, or the form is shown again with a message.
#[derive(Debug)]
pub enum LoginOutcome {
    Moved(Move),
    /// The form again, with this message and this name filled in.
    Again {
        shown: Box<Shown>,
        message: &'static str,
        username: String,
    },
}

pub async fn submit(cx: &Cx, browser: &Browser, tab_id: &TabId, submitted: Submitted) -> Result<LoginOutcome, StoreError> {
    let (tab, client) = match taken(cx, browser, tab_id, &submitted.form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(LoginOutcome::Moved(moved)),
    };
    let Progress::Password { known_user, .. } = &tab.progress else {
        return Ok(LoginOutcome::Moved(stale_form(cx, browser, &tab, &client).await?));
    };
    let (user, login_name) = claimed_user(cx, known_user.as_ref(), &submitted).await?;
    let admitted = match password_check::check(cx, user, &submitted.password).await? {
        Checked::Right(proven) if proven.user.enabled => Ok(*proven),
        Checked::Right(_) => Err(("accountDisabledMessage", "user_disabled")),
        Checked::Busy => Err(("tooManyRequestsMessage", "temporarily_unavailable")),
        // Whether the guess was right is nobody's business now.
        Checked::Locked(lock) => Err(("invalidUserMessage", lock.event_error())),
        Checked::Wrong => Err(("invalidUserMessage", "invalid_user_credentials")),
    };
    let Proven { user, second_factor } = match admitted {
        Ok(proven) => proven,
        Err(why) => return again(cx, tab, client, why, login_name).await,
    };
    let authenticated = Authenticated {
        user_id: user.id.clone(),
        login_name,
        remember_me: submitted.remember_me && cx.settings().remember_me,
        auth_time: cx.now.unix_seconds(),
        level: 1,
        session: None,
        asked: Vec::new(),
        actions: Vec::new(),
        mailed: None,
    };
    if second_factor.is_some() {
        // If the tab was moved on meanwhile, its page shows where to.
        tab::show(cx, &tab, &Progress::OneTimeCode(authenticated)).await?;
        return Ok(LoginOutcome::Moved(Move::to(Next::Page(tab::page(&client, &tab, PageStep::Login)))));
    }
    Ok(LoginOutcome::Moved(sign_in::go_on(cx, browser, &client, &tab, &user, authenticated).await?))
}

/// The user that the form is about: the one that the tab knows, or the one whose name was typed.
async fn claimed_user(cx: &Cx, known: Option<&UserId>, submitted: &Submitted) -> Result<(Option<User>, String), StoreError> {
    if let Some(id) = known {
        let user = store::user::find_user(&mut cx.store().db().await?, &cx.snapshot().realm.id, id).await?;
        let name = user.as_ref().map(|u| u.username.clone()).unwrap_or_default();
        return Ok((user, name));
    }
    let typed = submitted.username.clone().unwrap_or_default();
    let user = find_by_name(cx, &typed).await?;
    Ok((user, typed.chars().take(MAX_NAME).collect()))
}

/// Longer names are nobody's.
pub(super) const MAX_NAME: usize = 255;

/// The user that a typed name means. Service accounts act by their client's credentials only.
pub async fn find_by_name(cx: &Cx, typed: &str) -> Result<Option<User>, StoreError> {
    if typed.is_empty() || typed.chars().count() > MAX_NAME {
        return Ok(None);
    }
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let user = store::user::find_user_by_login(&mut db, realm, typed, cx.settings().login_with_email_allowed).await?;
    Ok(user.filter(|u| u.service_account_of.is_none()))
}

async fn again(
    cx: &Cx,
    tab: AuthenticationSession,
    client: Arc<Client>,
    (message, event_error): (&'static str, &'static str),
    username: String,
) -> Result<LoginOutcome, StoreError> {
    record_failure(cx, &client, &username, event_error).await?;
    let mut tab = tab;
    if let Progress::Password { known_user, .. } = &tab.progress {
        tab.progress = Progress::Password { known_user: known_user.clone(), message: None };
    }
    Ok(match show(cx, tab, client).await? {
        Ok(shown) => LoginOutcome::Again { shown: Box::new(shown), message, username },
        Err(moved) => LoginOutcome::Moved(moved),
    })
}

/// Notes that somebody could not prove to be the user of this name.
pub(super) async fn record_failure(cx: &Cx, client: &Client, username: &str, event_error: &str) -> Result<(), StoreError> {
    let mut failed = event::new(cx, EventKind::Login).detail("username", username);
    failed.error = Some(event_error.to_owned());
    failed.client_id = Some(client.client_id.to_string());
    event::record(cx, &failed).await
}
