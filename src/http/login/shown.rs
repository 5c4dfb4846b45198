//! The page that a tab stands at.

use axum::response::Response;

use super::answer::action;
use crate::flow::browser::Browser;
use crate::flow::login::Shown;
use crate::flow::update_password::PasswordProblem;
use crate::flow::{Cx, sign_in, tab};
use crate::http::error::Pages;
use crate::model::authentication_session::Progress;
use crate::model::{SessionKind, User};
use crate::oidc::authorization_request::PageError;
use crate::oidc::consent::Item;
use crate::oidc::session_limits;
use crate::view::{Consent, Login, Message, OfflineTerms, ScopeText, UpdatePassword};

/// Shows the tab's page, whichever it is.
pub(super) fn page(cx: &Cx, pages: &Pages, browser: &Browser, shown: &Shown) -> Response {
    match (&shown.tab.progress, &shown.user) {
        (Progress::Password { message, .. }, _) => {
            let info = message.as_deref().and_then(known_message);
            let name = tab::sign_in(&shown.tab).and_then(|r| r.login_hint.clone());
            let name = name.or_else(|| browser.remembered_name.clone()).unwrap_or_default();
            login(cx, pages, browser, shown, Typed { username: name, error: None, info })
        }
        (Progress::Authenticated(_), Some(user)) => match sign_in::pending_action(user) {
            Some(_) => update_password(cx, pages, shown, user, None),
            None => ask_consent(cx, pages, shown, user),
        },
        _ => pages.error(&PageError::new("expiredCodeMessage")),
    }
}

/// Messages that a tab may carry to its next page. Their texts are named here, since a page shows no other.
fn known_message(key: &str) -> Option<Message> {
    let known = ["reauthenticate", "loginTimeout", "expiredActionMessage", "expiredActionTokenNoSessionMessage"];
    known.into_iter().find(|k| *k == key).map(Message::new)
}

/// What the login page is filled in with.
pub(super) struct Typed {
    pub username: String,
    pub error: Option<Message>,
    pub info: Option<Message>,
}

pub(super) fn login(cx: &Cx, pages: &Pages, browser: &Browser, shown: &Shown, typed: Typed) -> Response {
    let settled = match &shown.tab.progress {
        Progress::Password { known_user: Some(_), .. } => shown.user.as_ref().map(|u| u.username.clone()),
        _ => None,
    };
    let client_id = shown.client.client_id.as_str();
    let remember = cx.settings().remember_me.then_some(browser.remembered_name.is_some());
    let page = Login {
        action: action(cx, "authenticate", client_id, &shown.tab.tab, None, Some(&shown.form)),
        username: typed.username,
        restart_url: settled.is_some().then(|| action(cx, "restart", client_id, &shown.tab.tab, None, None)),
        attempted_username: settled,
        email_allowed: cx.settings().login_with_email_allowed,
        remember_me: remember,
        error: typed.error,
        info: typed.info,
    };
    pages.form(&page)
}

pub(super) fn update_password(cx: &Cx, pages: &Pages, shown: &Shown, user: &User, problem: Option<&PasswordProblem>) -> Response {
    let execution = Some("UPDATE_PASSWORD");
    let client_id = shown.client.client_id.as_str();
    let (new_error, confirm_error) = match problem {
        None => (None, None),
        Some(PasswordProblem::Missing) => (Some(Message::new("missingPasswordMessage")), None),
        Some(PasswordProblem::TooLong) => (Some(Message::new("invalidPasswordMessage")), None),
        Some(PasswordProblem::Policy(broken)) => {
            let message = Message::new(broken.key);
            (Some(broken.parameter.iter().fold(message, |message, parameter| message.with(parameter))), None)
        }
        Some(PasswordProblem::Different) => (None, Some(Message::new("notMatchPasswordMessage"))),
    };
    let page = UpdatePassword {
        action: action(cx, "required-action", client_id, &shown.tab.tab, execution, Some(&shown.form)),
        username: user.username.clone(),
        reason: problem.is_none().then(|| Message::new("updatePasswordMessage")),
        new_error,
        confirm_error,
    };
    pages.form(&page)
}

fn ask_consent(cx: &Cx, pages: &Pages, shown: &Shown, user: &User) -> Response {
    let Some(request) = tab::sign_in(&shown.tab) else { return pages.error(&PageError::new("expiredCodeMessage")) };
    let client = &shown.client;
    let name = client.settings.name.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| client.client_id.to_string());
    let items = sign_in::asked(cx, client, user, request);
    let offline = items.iter().any(|i| matches!(i, Item::Scope(scope) if scope.name == "offline_access"));
    let scopes = items.iter().map(|item| match item {
        Item::Scope(scope) => ScopeText { name: scope.name.clone(), text: scope.consent_text().to_owned() },
        Item::Client(client) => {
            let text = client.attribute("consent.screen.text").filter(|t| !t.is_empty()).unwrap_or(&name);
            ScopeText { name: client.client_id.to_string(), text: text.to_owned() }
        }
    });
    let limits = session_limits::of_client(cx.settings(), client, SessionKind::Offline, false);
    let seconds = |d: std::time::Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    let terms = OfflineTerms { idle_seconds: seconds(limits.idle), max_seconds: limits.max.map(seconds) };
    let page = Consent {
        action: action(cx, "consent", client.client_id.as_str(), &shown.tab.tab, None, None),
        code: shown.form.clone(),
        client_name: name.clone(),
        scopes: scopes.collect(),
        offline: offline.then_some(terms),
    };
    pages.form(&page)
}
