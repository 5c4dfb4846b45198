//! The sign-in form: what a browser sends, and what becomes of it.

use std::sync::Arc;

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::password_check::{self, Checked, Proven};
use super::{event, pending, second_factor, sign_in, signed_in, tab};
use crate::base::Secret;
use crate::model::authentication_session::{Authenticated, AuthenticationSession, Progress};
use crate::model::event::EventKind;
use crate::model::{Client, TabId, User, UserId};
use crate::oidc::one_time_password::Device;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::{self, StoreError};

/// What a tab shows, for the page.
#[derive(Clone, Debug)]
pub struct Shown {
    pub tab: AuthenticationSession,
    pub client: Arc<Client>,
    /// The code of the form that is shown now.
    pub form: String,
    /// The user that the tab knows, if it knows one.
    pub user: Option<Arc<User>>,
    /// The user's devices for one-time codes, where one is asked for.
    pub devices: Vec<Device>,
    /// Whether this page is the one that sends the letter that it speaks of.
    pub owes_letter: bool,
}

/// A tab of this browser, or what to show instead.
pub async fn tab_of(
    cx: &Cx,
    browser: &Browser,
    tab_id: Option<&str>,
) -> Result<Result<(AuthenticationSession, Arc<Client>), Move>, StoreError> {
    let found = match tab_id {
        Some(id) => tab::find(cx, browser, id).await?,
        None => None,
    };
    let Some(tab) = found else { return Ok(Err(Move::error("cookieNotFoundMessage"))) };
    match cx.snapshot().clients.get(&tab.client).filter(|c| c.enabled) {
        Some(client) => Ok(Ok((tab, Arc::clone(client)))),
        None => Ok(Err(Move::error("clientDisabledMessage"))),
    }
}

/// The tab of a form that is sent now, for the first time and in time, or what to show instead.
pub async fn taken(
    cx: &Cx,
    browser: &Browser,
    tab_id: &TabId,
    form: &str,
) -> Result<Result<(AuthenticationSession, Arc<Client>), Move>, StoreError> {
    let (tab, client) = match tab_of(cx, browser, Some(tab_id.as_str())).await? {
        Ok(found) => found,
        Err(moved) => return Ok(Err(moved)),
    };
    let Some(tab) = tab::take(cx, browser, &tab.tab, form).await? else {
        return Ok(Err(stale_form(cx, browser, &tab, &client).await?));
    };
    if tab.expires_at <= cx.now {
        return Ok(Err(tab::start_over(cx, &tab, &client, Some("loginTimeout")).await?));
    }
    Ok(Ok((tab, client)))
}

/// Shows the page that the tab stands at, with a form that has not been sent yet. If another request moves the tab on meanwhile,
/// the browser is sent to see where to.
pub async fn show(cx: &Cx, tab: AuthenticationSession, client: Arc<Client>) -> Result<Result<Shown, Move>, StoreError> {
    let user = known_user(cx, &tab).await?;
    let mut progress = tab.progress.clone();
    let mut owes_letter = false;
    if let (Some(user), Progress::Authenticated(known)) = (&user, &mut progress) {
        if let Some(request) = tab::sign_in(&tab) {
            known.asked = sign_in::asked_terms(cx, &client, &sign_in::asked(cx, &client, user, request));
        }
        let verifies = pending::next(cx, user, &known.actions) == Some(PageStep::VerifyEmail);
        if verifies && known.mailed != user.email {
            known.mailed.clone_from(&user.email);
            owes_letter = true;
        }
    }
    let devices = match (&user, &tab.progress) {
        (Some(user), Progress::OneTimeCode(_)) => second_factor::devices(cx, user).await?,
        _ => Vec::new(),
    };
    Ok(match tab::show(cx, &tab, &progress).await? {
        Some(form) => Ok(Shown { tab: AuthenticationSession { progress, ..tab }, client, form, user, devices, owes_letter }),
        None => Err(Move::to(Next::Page(tab::page(&client, &tab, step_of(&tab))))),
    })
}

/// The page that a tab stands at. A sign-in of which nothing is left, because the rest was done elsewhere, is ended.
pub async fn stand(
    cx: &Cx,
    browser: &Browser,
    tab: AuthenticationSession,
    client: Arc<Client>,
) -> Result<Result<Shown, Move>, StoreError> {
    if let Progress::Authenticated(known) = &tab.progress
        && let Some(user) = known_user(cx, &tab).await?
        && sign_in::left_to_do(cx, &client, &tab, &user, known).is_none()
    {
        return Ok(Err(sign_in::go_on(cx, browser, &client, &tab, &user, known.clone()).await?));
    }
    show(cx, tab, client).await
}

/// The user that a tab knows, as it is now.
async fn known_user(cx: &Cx, tab: &AuthenticationSession) -> Result<Option<Arc<User>>, StoreError> {
    let known = match &tab.progress {
        Progress::Password { known_user, .. } => known_user.clone(),
        Progress::OneTimeCode(authenticated) | Progress::Authenticated(authenticated) => Some(authenticated.user_id.clone()),
        Progress::Done | Progress::ConfirmLogout | Progress::ConfirmLink => None,
    };
    match known {
        Some(id) => cx.server.realms.read_user(cx.store(), &cx.snapshot().realm.id, &id).await,
        None => Ok(None),
    }
}

/// A form that was sent twice, too late, or from an old page: the user is shown where the tab stands now.
pub async fn stale_form(cx: &Cx, browser: &Browser, tab: &AuthenticationSession, client: &Client) -> Result<Move, StoreError> {
    let Some(request) = tab::sign_in(tab) else { return Ok(Move::error("expiredActionMessage")) };
    if tab.progress == Progress::Done {
        if signed_in::signed_in(cx, browser).await?.is_some() {
            let expired = OAuthError::new(400, OAuthErrorCode::TemporarilyUnavailable, "authentication_expired");
            let response = sign_in::identified(client, request).refuse(&expired, sign_in::mode(request), &cx.issuer);
            return Ok(Move::to(Next::Client(response)));
        }
        return tab::start_over(cx, tab, client, Some("expiredActionTokenNoSessionMessage")).await;
    }
    if let Progress::Password { known_user, .. } = &tab.progress {
        let progress = Progress::Password { known_user: known_user.clone(), message: Some("expiredActionMessage".to_owned()) };
        tab::show(cx, tab, &progress).await?;
    }
    Ok(Move::to(Next::Page(tab::page(client, tab, step_of(tab)))))
}

fn step_of(tab: &AuthenticationSession) -> PageStep {
    match &tab.progress {
        Progress::Authenticated(_) => PageStep::Consent,
        _ => PageStep::Login,
    }
}

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
