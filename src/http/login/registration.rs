//! The form for new users.

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::answer::{action, move_on, query};
use super::profile_form::{self, Filled, Purpose};
use crate::base::Secret;
use crate::flow::Cx;
use crate::flow::account::profile::Profile;
use crate::flow::browser::Browser;
use crate::flow::registration::{self, Outcome, Problems, Registration};
use crate::flow::tab;
use crate::flow::tab_page::Shown;
use crate::flow::update_password::PasswordProblem;
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::state::App;
use crate::model::TabId;
use crate::store::StoreError;
use crate::view::{Message, Register};

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    let shown = show(&app, &cx, &pages, &browser(&headers), parameters.get("tab_id")).await;
    shown.unwrap_or_else(|error| pages.trouble(&error))
}

/// Shows the form in a tab.
pub(crate) async fn show(
    app: &App,
    cx: &Cx,
    pages: &Pages,
    browser: &Browser,
    tab: Option<&str>,
) -> Result<Response, StoreError> {
    Ok(match registration::open(cx, browser, tab).await? {
        Ok(shown) => {
            let hint = tab::sign_in(&shown.tab).and_then(|request| request.login_hint.clone());
            let by_email = cx.settings().registration_email_as_username || hint.as_ref().is_some_and(|h| h.contains('@'));
            let profile = match by_email {
                true => Profile { email: hint, ..Profile::default() },
                false => Profile { username: hint, ..Profile::default() },
            };
            page(cx, pages, &shown, &profile, None)
        }
        Err(moved) => move_on(app, cx, pages, moved),
    })
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let sent = Registration {
        form: parameters.get("session_code").unwrap_or_default().to_owned(),
        profile: profile_form::read(&cx, &form),
        password: Secret::new(form.get("password").unwrap_or_default()),
        confirmation: Secret::new(form.get("password-confirm").unwrap_or_default()),
    };
    let tab = TabId::new(parameters.get("tab_id").unwrap_or_default());
    match registration::submit(&cx, &browser(&parts.headers), &tab, &sent).await {
        Ok(Outcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
        Ok(Outcome::Again { shown, problems }) => page(&cx, &pages, &shown, &sent.profile, Some(&problems)),
        Err(error) => pages.trouble(&error),
    }
}

fn page(cx: &Cx, pages: &Pages, shown: &Shown, profile: &Profile, problems: Option<&Problems>) -> Response {
    let none = Problems::default();
    let found = problems.unwrap_or(&none);
    let (password_error, confirm_error) = match &found.password {
        None => (None, None),
        Some(PasswordProblem::Different) => (None, Some(Message::new("notMatchPasswordMessage"))),
        Some(PasswordProblem::Missing) => (Some(Message::new("missingPasswordMessage")), None),
        Some(PasswordProblem::TooLong) => (Some(Message::new("invalidPasswordMessage")), None),
        Some(PasswordProblem::Policy(broken)) => {
            let message = Message::new(broken.key);
            (Some(broken.parameter.iter().fold(message, |message, parameter| message.with(parameter))), None)
        }
    };
    let (client_id, tab) = (shown.client.client_id.as_str(), &shown.tab.tab);
    pages.form(&Register {
        action: action(cx, "registration", client_id, tab, None, Some(&shown.form)),
        fields: profile_form::fields(cx, Purpose::Register, &Filled { profile, violations: &found.violations }),
        is_again: problems.is_some(),
        password_error,
        confirm_error,
        login_url: action(cx, "authenticate", client_id, tab, None, None),
    })
}
