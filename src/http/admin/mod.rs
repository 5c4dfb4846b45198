//! The Admin REST API, at Keycloak's addresses and in Keycloak's representations.

mod answer;
mod attack_detection;
mod authenticate;
mod client_parts;
mod client_roles;
mod client_scopes;
mod clients;
mod events;
mod explain;
mod handing_out;
mod letters;
mod offline_grants;
mod permission;
mod realm;
mod realms;
mod role_lists;
mod roles;
mod sessions;
mod user;
mod user_groups;
mod user_profile;
mod user_roles;
mod user_sessions;
mod users;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};

pub(crate) use answer::{Answer, done, done_uncached, plain_in_lower_case, shown_in_lower_case};
pub(crate) use authenticate::bearer;
pub(crate) use permission::{
    Admin, AnyRole, ManageClients, ManageEvents, ManageRealm, ManageUsers, Permission, QueryClients, QueryUsers, ViewClients,
    ViewEvents, ViewRealm, ViewUsers,
};

use super::error::AdminError;
use super::state::App;

/// Everything below `/admin/realms`.
pub(crate) fn routes(app: &App) -> Router<App> {
    endpoints()
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
}

fn endpoints() -> Router<App> {
    Router::new()
        .merge(attack_detection::routes())
        .merge(client_parts::routes())
        .merge(client_roles::routes())
        .merge(client_scopes::routes())
        .merge(clients::routes())
        .merge(events::routes())
        .merge(explain::routes())
        .merge(letters::routes())
        .merge(offline_grants::routes())
        .merge(realm::routes())
        .merge(realms::routes())
        .merge(roles::routes())
        .merge(sessions::routes())
        .merge(user::routes())
        .merge(user_groups::routes())
        .merge(user_profile::routes())
        .merge(user_roles::routes())
        .merge(user_sessions::routes())
        .merge(users::routes())
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
