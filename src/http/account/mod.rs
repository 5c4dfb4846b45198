//! The account of a user, at `/realms/{realm}/account`: the Account REST API for programs and, at the same addresses, the
//! Account Console for browsers. What a request accepts tells them apart.

mod applications;
mod authenticate;
mod profile;
mod sessions;
mod various;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, delete, get, put};

use super::error::AdminError;
use super::state::App;

/// Everything below the account of a realm.
pub(super) fn routes(app: &App) -> Router<App> {
    endpoints().layer(axum::middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
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

async fn not_found() -> Response {
    AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_addresses_clash() {
        let _ = super::endpoints();
    }
}
