//! Health and metrics, on a listener of their own that is not for the public.

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use super::error::json as json_response;
use super::state::App;
use crate::telemetry::{labels::PoolState, metrics};

pub fn management_router(app: App) -> Router {
    Router::new()
        .route("/health", get(ready))
        .route("/health/live", get(live))
        .route("/health/started", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(render))
        .route("/openapi", get(describe))
        .with_state(app)
}

/// The process runs. It is not restarted because its database is away.
async fn live() -> Response {
    health(true, &[])
}

/// Requests can be answered: the database is there, and the server is not about to stop.
async fn ready(State(app): State<App>) -> Response {
    let reachable = app.server.store.is_reachable().await;
    let serving = !app.draining.load(Ordering::SeqCst);
    let check = |name: &str, up: bool| json!({"name": name, "status": if up { "UP" } else { "DOWN" }});
    let checks = [check("Database connections", reachable), check("Graceful Shutdown", serving)];
    health(reachable && serving, &checks)
}

fn health(up: bool, checks: &[Value]) -> Response {
    let (status, text) = if up { (StatusCode::OK, "UP") } else { (StatusCode::SERVICE_UNAVAILABLE, "DOWN") };
    let mut response = json_response(status, &json!({"status": text, "checks": checks}));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn render(State(app): State<App>) -> Response {
    let (open, idle) = app.server.store.connections();
    let idle = u64::try_from(idle).unwrap_or(u64::MAX);
    metrics::db_pool_connections(PoolState::Idle, idle);
    metrics::db_pool_connections(PoolState::Used, u64::from(open).saturating_sub(idle));
    let mut response = app.metrics.render().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    response
}

/// The Admin REST API, for tools that read such documents; at Keycloak's address.
async fn describe() -> Response {
    json_response(StatusCode::OK, &super::api_description())
}
