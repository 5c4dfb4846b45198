//! The answer on the consent page.

use axum::extract::{RawQuery, Request, State};
use axum::response::{IntoResponse, Response};

use super::answer::{move_on, query};
use crate::flow::consent;
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::state::App;
use crate::model::TabId;

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let tab = TabId::new(parameters.get("tab_id").unwrap_or_default());
    let code = form.get("code").unwrap_or_default();
    // Only an explicit yes is one.
    let agreed = form.get("accept").is_some() && form.get("cancel").is_none();
    match consent::submit(&cx, &browser(&parts.headers), &tab, code, agreed).await {
        Ok(moved) => move_on(&app, &cx, &pages, moved),
        Err(error) => pages.trouble(&error),
    }
}
