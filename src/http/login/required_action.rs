//! What a user has to do before being signed in: choose a new password, set up an authenticator, put the profile right, prove the
//! address.

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::answer::{move_on, query};
use super::{authenticate, profile_form, shown};
use crate::base::Secret;
use crate::flow::configure_totp::{self, NewAuthenticator, Outcome};
use crate::flow::update_password::{NewPassword, PasswordOutcome, update_password};
use crate::flow::{update_profile, verify_email};
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::state::App;
use crate::model::TabId;
use crate::model::user::{CONFIGURE_TOTP, UPDATE_PROFILE, VERIFY_EMAIL, VERIFY_PROFILE};

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    let shown = authenticate::show(&app, &cx, &pages, &browser(&headers), parameters.get("tab_id")).await;
    shown.unwrap_or_else(|error| pages.trouble(&error))
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let tab = TabId::new(parameters.get("tab_id").unwrap_or_default());
    if parameters.get("execution") == Some(CONFIGURE_TOTP) {
        let given = NewAuthenticator {
            form: parameters.get("session_code").unwrap_or_default().to_owned(),
            secret: Secret::new(form.get("totpSecret").unwrap_or_default()),
            code: Secret::new(form.get("totp").unwrap_or_default()),
            label: form.get("userLabel").unwrap_or_default().to_owned(),
            end_other_sessions: form.get("logout-sessions") == Some("on"),
        };
        return match configure_totp::submit(&cx, &browser(&parts.headers), &tab, given).await {
            Ok(Outcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
            Ok(Outcome::Again { shown, secret, problem }) => shown::configure_totp(&cx, &pages, &shown, &secret, Some(problem)),
            Err(error) => pages.trouble(&error),
        };
    }
    if parameters.get("execution") == Some(VERIFY_EMAIL) {
        let code = parameters.get("session_code").unwrap_or_default();
        return match verify_email::again(&cx, &browser(&parts.headers), &tab, code).await {
            Ok(moved) => move_on(&app, &cx, &pages, moved),
            Err(error) => pages.trouble(&error),
        };
    }
    if let Some(action @ (UPDATE_PROFILE | VERIFY_PROFILE)) = parameters.get("execution") {
        let profile = profile_form::read(&cx, &form);
        let code = parameters.get("session_code").unwrap_or_default();
        return match update_profile::submit(&cx, &browser(&parts.headers), &tab, code, &profile).await {
            Ok(update_profile::Outcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
            Ok(update_profile::Outcome::Again { shown, violations }) => shown::update_profile(
                &cx,
                &pages,
                &shown,
                action,
                &profile_form::Filled { profile: &profile, violations: &violations },
            ),
            Err(error) => pages.trouble(&error),
        };
    }
    let submitted = NewPassword {
        form: parameters.get("session_code").unwrap_or_default().to_owned(),
        password: Secret::new(form.get("password-new").unwrap_or_default()),
        confirmation: Secret::new(form.get("password-confirm").unwrap_or_default()),
        end_other_sessions: form.get("logout-sessions") == Some("on"),
    };
    match update_password(&cx, &browser(&parts.headers), &tab, submitted).await {
        Ok(PasswordOutcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
        Ok(PasswordOutcome::Again { shown, problem }) => match shown.user.clone() {
            Some(user) => shown::update_password(&cx, &pages, &shown, &user, Some(&problem)),
            None => PageFailure::Malformed(Box::new(pages)).into_response(),
        },
        Err(error) => pages.trouble(&error),
    }
}
