//! The page that a tab stands at.

use axum::response::Response;

use super::answer::action;
use super::profile_form::{self, Filled, Purpose};
use crate::base::Secret;
use crate::flow::browser::{Browser, PageStep};
use crate::flow::configure_totp::{Problem, new_secret};
use crate::flow::tab_page::Shown;
use crate::flow::update_password::PasswordProblem;
use crate::flow::{Cx, pending, sign_in, tab};
use crate::http::error::Pages;
use crate::model::authentication_session::Progress;
use crate::model::user::{CONFIGURE_TOTP, UPDATE_PROFILE, VERIFY_EMAIL, VERIFY_PROFILE};
use crate::model::{SessionKind, User};
use crate::oidc::authorization_request::PageError;
use crate::oidc::consent::Item;
use crate::oidc::{one_time_password, session_limits};
use crate::view::{
    CodeDevice, ConfigureTotp, Consent, Login, Message, OfflineTerms, OneTimeCode, ScopeText, UpdatePassword, UpdateProfile,
    VerifyEmail,
};

/// Shows the tab's page, whichever it is.
pub(super) fn page(cx: &Cx, pages: &Pages, browser: &Browser, shown: &Shown) -> Response {
    match (&shown.tab.progress, &shown.user) {
        (Progress::Password { message, .. }, _) => {
            let info = message.as_deref().and_then(known_message);
            let name = tab::sign_in(&shown.tab).and_then(|r| r.login_hint.clone());
            let name = name.or_else(|| browser.remembered_name.clone()).unwrap_or_default();
            login(cx, pages, browser, shown, Typed { username: name, error: None, info })
        }
        (Progress::OneTimeCode(_), Some(_)) => one_time_code(cx, pages, shown, None),
        (Progress::Authenticated(known), Some(user)) => match pending::next(cx, user, &known.actions) {
            Some(PageStep::UpdateProfile) => {
                let profile = profile_form::of_user(user);
                update_profile(cx, pages, shown, UPDATE_PROFILE, &Filled { profile: &profile, violations: &[] })
            }
            Some(PageStep::VerifyProfile) => {
                let (profile, violations) = (profile_form::of_user(user), pending::profile_gaps(cx, user));
                update_profile(cx, pages, shown, VERIFY_PROFILE, &Filled { profile: &profile, violations: &violations })
            }
            Some(PageStep::VerifyEmail) => verify_email(cx, pages, shown, None),
            Some(PageStep::ConfigureTotp) => configure_totp(cx, pages, shown, &new_secret(cx), None),
            Some(_) => update_password(cx, pages, shown, user, None),
            None => ask_consent(cx, pages, shown, user),
        },
        _ => pages.error(&PageError::new("expiredCodeMessage")),
    }
}

/// Messages that a tab may carry to its next page. Their texts are named here, since a page shows no other.
fn known_message(key: &str) -> Option<Message> {
    let known =
        ["reauthenticate", "loginTimeout", "expiredActionMessage", "expiredActionTokenNoSessionMessage", "emailSentMessage"];
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
    let settings = cx.settings();
    let way = |path: &str| action(cx, path, client_id, &shown.tab.tab, None, None);
    // Who only proves to be the same again is no new user.
    let takes_new = settings.registration_allowed && settled.is_none();
    let remember = settings.remember_me.then_some(browser.remembered_name.is_some());
    let page = Login {
        action: action(cx, "authenticate", client_id, &shown.tab.tab, None, Some(&shown.form)),
        username: typed.username,
        restart_url: settled.is_some().then(|| way("restart")),
        attempted_username: settled,
        email_allowed: settings.login_with_email_allowed,
        remember_me: remember,
        forgotten_url: settings.reset_password_allowed.then(|| way("reset-credentials")),
        register_url: takes_new.then(|| way("registration")),
        error: typed.error,
        info: typed.info,
    };
    pages.form(&page)
}

pub(super) fn one_time_code(cx: &Cx, pages: &Pages, shown: &Shown, error: Option<Message>) -> Response {
    let client_id = shown.client.client_id.as_str();
    let devices = shown.devices.iter().enumerate().map(|(at, device)| CodeDevice {
        id: device.id.to_string(),
        label: device.label.clone(),
        is_chosen: at == 0,
    });
    let page = OneTimeCode {
        action: action(cx, "authenticate", client_id, &shown.tab.tab, None, Some(&shown.form)),
        attempted_username: shown.user.as_ref().map(|user| user.username.clone()).unwrap_or_default(),
        restart_url: action(cx, "restart", client_id, &shown.tab.tab, None, None),
        email_allowed: cx.settings().login_with_email_allowed,
        devices: devices.collect(),
        error,
    };
    pages.form(&page)
}

/// The form of the profile, asked for by a required action.
pub(super) fn update_profile(cx: &Cx, pages: &Pages, shown: &Shown, asked: &str, filled: &Filled<'_>) -> Response {
    let is_looked_over = asked == UPDATE_PROFILE && filled.violations.is_empty();
    let client_id = shown.client.client_id.as_str();
    pages.form(&UpdateProfile {
        action: action(cx, "required-action", client_id, &shown.tab.tab, Some(asked), Some(&shown.form)),
        reason: is_looked_over.then(|| Message::new("updateProfileMessage")),
        fields: profile_form::fields(cx, Purpose::Update, filled),
    })
}

/// The page that waits for the proof of an address.
pub(super) fn verify_email(cx: &Cx, pages: &Pages, shown: &Shown, problem: Option<Message>) -> Response {
    let (client_id, tab) = (shown.client.client_id.as_str(), &shown.tab.tab);
    let way = |form: Option<&str>| action(cx, "required-action", client_id, tab, Some(VERIFY_EMAIL), form);
    pages.form(&VerifyEmail {
        action: way(Some(&shown.form)),
        email: shown.user.as_ref().and_then(|user| user.email.clone()).unwrap_or_default(),
        error: problem,
        continue_url: way(None),
    })
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
    let is_forgotten = matches!(&shown.tab.progress, Progress::Authenticated(known) if !known.actions.is_empty());
    let reason = if is_forgotten { "resetPasswordMessage" } else { "updatePasswordMessage" };
    let page = UpdatePassword {
        action: action(cx, "required-action", client_id, &shown.tab.tab, execution, Some(&shown.form)),
        username: user.username.clone(),
        reason: problem.is_none().then(|| Message::new(reason)),
        new_error,
        confirm_error,
    };
    pages.form(&page)
}

pub(super) fn configure_totp(cx: &Cx, pages: &Pages, shown: &Shown, secret: &Secret, problem: Option<Problem>) -> Response {
    let (policy, realm) = (&cx.settings().otp, &cx.snapshot().realm);
    let account = shown.user.as_ref().map(|user| user.username.as_str()).unwrap_or_default();
    let address = one_time_password::setup_address(policy, realm.display_name(), account, secret);
    let client_id = shown.client.client_id.as_str();
    let page = ConfigureTotp {
        action: action(cx, "required-action", client_id, &shown.tab.tab, Some(CONFIGURE_TOTP), Some(&shown.form)),
        secret: secret.expose().to_owned(),
        typed_secret: one_time_password::typed_secret(secret),
        picture: ConfigureTotp::picture_of(&address),
        is_counted: policy.is_counted(),
        algorithm: policy.algorithm.trim_start_matches("Hmac").to_owned(),
        digits: policy.digits,
        period: policy.period,
        counter: policy.initial_counter,
        reason: problem.is_none().then(|| Message::new("configureTotpMessage")),
        code_error: match problem {
            Some(Problem::CodeMissing) => Some(Message::new("missingTotpMessage")),
            Some(Problem::CodeWrong) => Some(Message::new("invalidTotpMessage")),
            _ => None,
        },
        label_error: (problem == Some(Problem::LabelTooLong)).then(|| Message::new("totpDeviceNameTooLong")),
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
    let limits = session_limits::of_grant(cx.settings(), client, SessionKind::Offline);
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
