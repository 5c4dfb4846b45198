//! The login page and its form.

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::answer::{move_on, query};
use super::shown::{self, Typed};
use crate::base::Secret;
use crate::flow::Cx;
use crate::flow::browser::Browser;
use crate::flow::login::{self, LoginOutcome, Submitted};
use crate::flow::login_code::{self, CodeOutcome, SubmittedCode};
use crate::flow::{tab, tab_page};
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::letters;
use crate::http::state::App;
use crate::model::TabId;
use crate::store::StoreError;
use crate::view::Message;

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    show(&app, &cx, &pages, &browser(&headers), parameters.get("tab_id")).await.unwrap_or_else(|error| pages.trouble(&error))
}

/// Shows where the tab stands; whichever of its pages that is.
pub(crate) async fn show(
    app: &App,
    cx: &Cx,
    pages: &Pages,
    browser: &Browser,
    tab: Option<&str>,
) -> Result<Response, StoreError> {
    Ok(match tab_page::tab_of(cx, browser, tab).await? {
        Ok((tab, client)) => match tab_page::stand(cx, browser, tab, client).await? {
            Ok(shown) if shown.owes_letter => {
                let problem = letters::verify_email(app, cx, pages.locale(), &shown).await?;
                shown::verify_email(cx, pages, &shown, problem)
            }
            Ok(shown) => shown::page(cx, pages, browser, &shown),
            Err(moved) => move_on(app, cx, pages, moved),
        },
        Err(moved) => move_on(app, cx, pages, moved),
    })
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let browser = browser(&parts.headers);
    let tab_id = TabId::new(parameters.get("tab_id").unwrap_or_default());
    if let Some(code) = form.get("otp") {
        let submitted = SubmittedCode {
            form: parameters.get("session_code").unwrap_or_default().to_owned(),
            code: Secret::new(code),
            device: form.get("selectedCredentialId").map(str::to_owned),
        };
        return match login_code::submit(&cx, &browser, &tab_id, submitted).await {
            Ok(CodeOutcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
            Ok(CodeOutcome::Again(shown)) => shown::one_time_code(&cx, &pages, &shown, Some(Message::new("invalidTotpMessage"))),
            Err(error) => pages.trouble(&error),
        };
    }
    let submitted = Submitted {
        form: parameters.get("session_code").unwrap_or_default().to_owned(),
        username: form.get("username").map(|name| name.trim().to_owned()),
        password: Secret::new(form.get("password").unwrap_or_default()),
        remember_me: form.get("rememberMe") == Some("on"),
    };
    match login::submit(&cx, &browser, &tab_id, submitted).await {
        Ok(LoginOutcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
        Ok(LoginOutcome::Again { shown, message, username }) => {
            let typed = Typed { username, error: Some(Message::new(message)), info: None };
            shown::login(&cx, &pages, &browser, &shown, typed)
        }
        Err(error) => pages.trouble(&error),
    }
}

/// Somebody else wants to sign in in this tab.
pub(super) async fn restart(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    let moved = match tab_page::tab_of(&cx, &browser(&headers), parameters.get("tab_id")).await {
        Ok(Ok((tab, client))) => tab::start_over(&cx, &tab, &client, None).await,
        Ok(Err(moved)) => Ok(moved),
        Err(error) => Err(error),
    };
    match moved {
        Ok(moved) => move_on(&app, &cx, &pages, moved),
        Err(error) => pages.trouble(&error),
    }
}
