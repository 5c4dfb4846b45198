//! The Admin REST API, at Keycloak's addresses and in Keycloak's representations.

mod authenticate;
mod permission;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};

pub(crate) use authenticate::bearer;
pub(crate) use permission::{
    Admin, AnyRole, ManageClients, ManageEvents, ManageRealm, ManageUsers, Permission, QueryClients, QueryGroups, QueryUsers,
    ViewClients, ViewEvents, ViewRealm, ViewUsers,
};

use super::error::AdminError;
use super::state::App;

/// Everything below `/admin/realms`.
pub(crate) fn routes(app: &App) -> Router<App> {
    Router::new()
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
}

async fn not_found() -> Response {
    AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned()).into_response()
}

async fn method_not_allowed() -> Response {
    AdminError::Plain(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed".to_owned()).into_response()
}
