//! The form for users who forgot their password.

use axum::extract::{RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::answer::{action, move_on, query};
use crate::flow::Cx;
use crate::flow::forgotten_password::{self, Outcome};
use crate::flow::tab;
use crate::flow::tab_page::Shown;
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::letters;
use crate::http::state::App;
use crate::model::TabId;
use crate::view::{ForgottenPassword, Message};

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    match forgotten_password::open(&cx, &browser(&headers), parameters.get("tab_id")).await {
        Ok(Ok(shown)) => {
            let hint = tab::sign_in(&shown.tab).and_then(|request| request.login_hint.clone());
            page(&cx, &pages, &shown, hint.unwrap_or_default(), None)
        }
        Ok(Err(moved)) => move_on(&app, &cx, &pages, moved),
        Err(error) => pages.trouble(&error),
    }
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let tab = TabId::new(parameters.get("tab_id").unwrap_or_default());
    let code = parameters.get("session_code").unwrap_or_default();
    let username = form.get("username").unwrap_or_default();
    match forgotten_password::submit(&cx, &browser(&parts.headers), &tab, code, username).await {
        Ok(Outcome::Moved(moved)) => move_on(&app, &cx, &pages, moved),
        Ok(Outcome::Again(shown)) => page(&cx, &pages, &shown, String::new(), Some(Message::new("missingUsernameMessage"))),
        Ok(Outcome::Sent { moved, wanted }) => {
            letters::reset_password(&app, &cx, pages.locale(), *wanted);
            move_on(&app, &cx, &pages, moved)
        }
        Err(error) => pages.trouble(&error),
    }
}

fn page(cx: &Cx, pages: &Pages, shown: &Shown, username: String, error: Option<Message>) -> Response {
    let (client_id, tab) = (shown.client.client_id.as_str(), &shown.tab.tab);
    pages.form(&ForgottenPassword {
        action: action(cx, "reset-credentials", client_id, tab, None, Some(&shown.form)),
        username,
        email_allowed: cx.settings().login_with_email_allowed,
        error,
        login_url: action(cx, "authenticate", client_id, tab, None, None),
    })
}
