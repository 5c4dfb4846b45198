//! The account of a user, at `/realms/{realm}/account`: the Account REST API for programs and, at the same addresses, the
//! Account Console for browsers. What a request accepts tells them apart.

mod applications;
mod authenticate;
mod console;
mod profile;
mod sessions;
mod various;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, put};

use tower::ServiceExt;

use super::error::AdminError;
use super::oidc::accepts_html;
use super::state::App;

/// Everything below the account of a realm.
pub(super) fn routes(app: &App) -> Router<App> {
    let console = console::routes().with_state(app.clone());
    endpoints()
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
        .layer(middleware::from_fn_with_state(console, browsers_to_the_console))
}

/// A browser asks for a page. Whoever takes anything gets the console at its front door, and JSON behind it (Keycloak).
async fn browsers_to_the_console(State(console): State<Router>, request: Request, next: Next) -> Response {
    let accepted = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let sends_json = request.headers().get(CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/json"));
    let is_front_door = request.uri().path().trim_end_matches('/').ends_with("/account");
    let is_browser = accepts_html(request.headers()) || is_front_door && !sends_json && matches!(accepted, "" | "*/*");
    if is_browser && request.method() != Method::OPTIONS {
        match console.oneshot(anew(request)).await {
            Ok(response) => of_one_visitor(response),
            Err(never) => match never {},
        }
    } else {
        next.run(request).await
    }
}

/// Errors, too, are for this visitor alone, and are not framed. The address is shared with the API.
fn of_one_visitor(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    headers.append(VARY, HeaderValue::from_static("accept"));
    response
}

fn endpoints() -> Router<App> {
    let at = |path: &str| format!("/realms/{{realm}}/account{path}");
    Router::new()
        .route(&at(""), get(profile::read).post(profile::update))
        .route(&at("/"), get(profile::read).post(profile::update))
        .route(&at("/sessions"), get(sessions::list).delete(sessions::end_all))
        .route(&at("/sessions/devices"), get(sessions::devices))
        .route(&at("/sessions/{id}"), delete(sessions::end))
        .route(&at("/applications"), get(applications::list))
        .route(
            &at("/applications/{client}/consent"),
            get(applications::consent)
                .post(applications::change_consent)
                .put(applications::change_consent)
                .delete(applications::remove_access),
        )
        .route(&at("/credentials"), get(various::credentials))
        .route(&at("/credentials/{id}"), delete(various::remove_credential))
        .route(&at("/credentials/{id}/label"), put(various::name_credential))
        .route(&at("/groups"), get(various::groups))
        .route(&at("/linked-accounts"), get(various::linked_accounts))
        .route(&at("/supportedLocales"), get(various::supported_locales))
        .route(&at("/{*rest}"), any(not_found))
}

/// The request as it came in, for another router to match: without the parameters of the path that matched here.
fn anew(request: Request) -> Request {
    let (mut parts, body) = request.into_parts();
    let peer = parts.extensions.remove::<ConnectInfo<SocketAddr>>();
    parts.extensions.clear();
    if let Some(peer) = peer {
        parts.extensions.insert(peer);
    }
    Request::from_parts(parts, body)
}

async fn not_found() -> Response {
    AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned()).into_response()
}

async fn method_not_allowed() -> Response {
    AdminError::Plain(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed".to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_addresses_clash() {
        let _ = super::endpoints();
    }
}
