//! The page of a tab: found, shown, and the form that it shows taken.

use std::sync::Arc;

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::{pending, proven_user, second_factor, sign_in, signed_in, tab};
use crate::model::authentication_session::{Authenticated, AuthenticationSession, Progress};
use crate::model::{Client, TabId, User};
use crate::oidc::one_time_password::Device;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::StoreError;

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
    if tab.expires_at <= cx.now || proven_user::is_too_late(cx, &tab) {
        return Ok(Err(tab::start_over(cx, &tab, &client, Some("loginTimeout")).await?));
    }
    Ok(Ok((tab, client)))
}

/// A form that only a user who is proven is shown, sent for the first time and in time.
#[derive(Clone, Debug)]
pub struct ProvenTab {
    pub tab: AuthenticationSession,
    pub client: Arc<Client>,
    pub user: Arc<User>,
    pub known: Authenticated,
    pub step: PageStep,
}

/// The tab of a form that belongs to one of these pages, or what to show instead. The code of another page of the tab does nothing
/// here, and neither does who is not asked to.
pub async fn taken_at(
    cx: &Cx,
    browser: &Browser,
    tab_id: &TabId,
    form: &str,
    steps: &[PageStep],
) -> Result<Result<ProvenTab, Move>, StoreError> {
    let (tab, client) = match taken(cx, browser, tab_id, form).await? {
        Ok(taken) => taken,
        Err(moved) => return Ok(Err(moved)),
    };
    let Progress::Authenticated(known) = tab.progress.clone() else {
        return Ok(Err(stale_form(cx, browser, &tab, &client).await?));
    };
    let user = match proven_user::admitted(cx, &tab, &client, &known).await? {
        Ok(user) => user,
        Err(moved) => return Ok(Err(moved)),
    };
    match pending::next(cx, &user, &known.actions).filter(|step| steps.contains(step)) {
        Some(step) => Ok(Ok(ProvenTab { tab, client, user, known, step })),
        None => Ok(Err(stale_form(cx, browser, &tab, &client).await?)),
    }
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

/// The page that a tab stands at, if what was proved in it still counts. A sign-in of which nothing is left, because the rest was
/// done elsewhere, is ended.
pub async fn stand(
    cx: &Cx,
    browser: &Browser,
    tab: AuthenticationSession,
    client: Arc<Client>,
) -> Result<Result<Shown, Move>, StoreError> {
    if proven_user::is_too_late(cx, &tab) {
        return Ok(Err(tab::start_over(cx, &tab, &client, Some("loginTimeout")).await?));
    }
    if let Progress::OneTimeCode(known) | Progress::Authenticated(known) = &tab.progress {
        let user = match proven_user::admitted(cx, &tab, &client, known).await? {
            Ok(user) => user,
            Err(moved) => return Ok(Err(moved)),
        };
        let is_proven = matches!(tab.progress, Progress::Authenticated(_));
        if is_proven && sign_in::left_to_do(cx, &client, &tab, &user, known).is_none() {
            return Ok(Err(sign_in::go_on(cx, browser, &client, &tab, &user, known.clone()).await?));
        }
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
