//! All addresses of the public listener.

use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

use super::error::{Pages, json as json_response};
use super::extract::{Caller, cx_of};
use super::state::App;
use super::{account, admin, login, oidc};
use crate::telemetry::{labels, metrics};

/// Everything below the relative path.
pub fn router(app: App) -> Router {
    let routes = Router::new()
        .merge(oidc::routes())
        .merge(login::routes())
        .merge(account::routes(&app))
        .merge(admin::beside_realms(&app))
        .nest("/admin/realms", admin::routes(&app))
        .route("/resources/{fingerprint}/{*name}", get(asset))
        .route("/realms/{realm}/protocol/{*rest}", get(unknown_protocol))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed);
    let routes = match app.urls.relative_path.as_str() {
        "" => routes,
        path => Router::new().nest(path, routes).fallback(not_found),
    };
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(safe_headers))
        .layer(middleware::from_fn(measured))
        .with_state(app)
}

/// A file of the pages. Its address changes with its content, so it is kept for a year.
async fn asset(State(app): State<App>, Path((fingerprint, name)): Path<(String, String)>) -> Response {
    let Some(asset) = app.assets.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let mut response = asset.bytes.clone().into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    let kept = if fingerprint == app.assets.fingerprint() { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(ETAG, etag);
    }
    response
}

async fn unknown_protocol(Path((_, rest)): Path<(String, String)>) -> Response {
    let known = rest.starts_with("openid-connect");
    let text = if known { "HTTP 404 Not Found" } else { "Protocol not found" };
    json_response(StatusCode::NOT_FOUND, &json!({"error": text}))
}

/// A browser gets a page, a program JSON; below a realm that is not there both are told so.
async fn not_found(State(app): State<App>, caller: Caller, headers: HeaderMap, request: Request) -> Response {
    if oidc::accepts_html(&headers) {
        return Pages::without_realm(&app, &headers).not_found();
    }
    let path = request.uri().path().strip_prefix(&app.urls.relative_path).unwrap_or_default();
    let text = match path.strip_prefix("/realms/").and_then(|rest| rest.split('/').next()) {
        Some(realm) => match cx_of(&app, &caller, realm).await {
            Ok(None) => "Realm does not exist",
            _ => "HTTP 404 Not Found",
        },
        None => "Unable to find matching target resource method",
    };
    json_response(StatusCode::NOT_FOUND, &json!({"error": text}))
}

async fn method_not_allowed(request: Request) -> Response {
    // A verb without meaning for a document that is only read.
    if request.method() == Method::POST && request.uri().path().contains("/.well-known/") {
        return json_response(StatusCode::NOT_FOUND, &json!({"error": "HTTP 404 Not Found"}));
    }
    json_response(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "HTTP 405 Method Not Allowed"}))
}

/// A bug ends one request and says nothing of itself.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "unknown_error"}))
}

/// Headers that no answer is without, unless a page has its own.
async fn safe_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ] {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn measured(request: Request, next: Next) -> Response {
    let method = labels::HttpMethod::from_name(request.method().as_str());
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let template = labels::Route::of_template(route.as_deref());
    metrics::http_request(method, template, response.status().as_u16(), started.elapsed());
    response
}
