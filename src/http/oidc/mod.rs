//! The protocol endpoints of a realm, below `/realms/{realm}`.

mod adapter_pages;
mod authorize;
mod client;
mod client_registration;
mod discovery;
mod introspect;
mod logout;
mod revoke;
mod token;
mod user_info;

pub(super) use discovery::accepts_html;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get, post};

use super::cors;
use super::state::App;

const POST: &str = "POST, OPTIONS";
const READ: &str = "GET, HEAD, OPTIONS";
const GET: &str = "GET";

/// Answers preflight requests besides what a route does.
fn with_preflight(route: MethodRouter<App>, methods: &'static str) -> MethodRouter<App> {
    route.options(move |headers: HeaderMap| async move { cors::preflight(&headers, methods) })
}

pub(super) fn routes() -> Router<App> {
    let protocol = "/realms/{realm}/protocol/openid-connect";
    let at = |path: &str| format!("{protocol}{path}");
    Router::new()
        .merge(client_registration::routes())
        .route(
            "/realms/{realm}",
            get(discovery::realm).options(|headers: HeaderMap| async move { cors::plain_preflight(&headers) }),
        )
        .route("/realms/{realm}/.well-known/openid-configuration", with_preflight(get(discovery::document), GET))
        .route("/realms/{realm}/.well-known/oauth-authorization-server", with_preflight(get(discovery::document), GET))
        .route("/.well-known/oauth-authorization-server/realms/{realm}", with_preflight(get(discovery::document), GET))
        .route(&at("/certs"), with_preflight(get(discovery::certs), GET))
        .route(&at("/token"), with_preflight(post(token::token), POST))
        .route(&at("/token/introspect"), with_preflight(post(introspect::introspect), POST))
        .route(&at("/revoke"), with_preflight(post(revoke::revoke), POST))
        .route(&at("/userinfo"), with_preflight(get(user_info::get).post(user_info::post), READ))
        .route(&at("/logout"), with_preflight(get(logout::get).post(logout::post), READ))
        .route(&at("/logout/logout-confirm"), get(logout::get).post(logout::confirm))
        .route(&at("/auth"), get(authorize::get).post(authorize::post))
        .route(&at("/registrations"), get(authorize::register).post(authorize::post_registration))
        .route(&at("/oauth/oob"), get(authorize::out_of_band))
        .route(&at("/login-status-iframe.html"), get(adapter_pages::session_iframe))
        .route(&at("/login-status-iframe.html/init"), get(adapter_pages::init))
        .route(&at("/3p-cookies/step1.html"), get(adapter_pages::third_party_cookies_step1))
        .route(&at("/3p-cookies/step2.html"), get(adapter_pages::third_party_cookies_step2))
}
