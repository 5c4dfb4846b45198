//! The Account Console: pages for browsers, at the addresses of the account.
//!
//! A form is answered with a redirect, so that reloading repeats nothing. Every form carries a token of the browser's own.

mod applications;
mod devices;
mod personal_info;
mod section;
mod sign_in;
mod visitor;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};

use crate::http::error::Pages;
use crate::http::extract::PageCx;
use crate::http::state::App;

pub(super) fn routes() -> Router<App> {
    let at = |path: &str| format!("/realms/{{realm}}/account{path}");
    Router::new()
        .route(&at(""), get(personal_info::show).post(personal_info::save))
        .route(&at("/"), get(personal_info::show).post(personal_info::save))
        .route(&at("/applications"), get(applications::list))
        .route(&at("/applications/{client}/remove"), get(applications::ask).post(applications::remove))
        .route(&at("/applications/{client}/grants/{session}/end"), post(applications::end_grant))
        .route(&at("/account-security/device-activity"), get(devices::list))
        .route(&at("/devices/end-others"), post(devices::end_others))
        .route(&at("/devices/{id}/end"), post(devices::end))
        .route(&at("/signed-in"), get(sign_in::come_back))
        .fallback(not_found)
        .method_not_allowed_fallback(not_found)
}

async fn not_found(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap) -> Response {
    Pages::of(&app, &cx, &headers, None).not_found()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_addresses_clash() {
        let _ = super::routes();
    }
}
