//! The Admin REST API, at Keycloak's addresses and in Keycloak's representations.

mod answer;
mod attack_detection;
mod authenticate;
mod authentication_executions;
mod authentication_flows;
mod certificates;
mod client_extras;
mod client_policies;
mod client_scopes;
mod clients;
mod components;
mod default_groups;
mod default_scopes;
mod evaluate;
mod events;
mod explain;
mod federated_identities;
mod group_tree;
mod groups;
mod handing_out;
mod identity_providers;
mod impersonation;
mod initial_access;
mod letters;
mod localization;
mod offline_grants;
mod openapi;
mod organizations;
mod partial_export;
mod partial_import;
mod permission;
mod protocol_mappers;
mod realm;
mod realms;
mod required_actions;
mod role_addresses;
mod role_holder_kinds;
mod role_holders;
mod role_lists;
mod roles;
mod routes;
mod scopes_of_client;
mod server_info;
mod sessions;
mod user;
mod user_credentials;
mod user_groups;
mod user_lists;
mod user_profile;
mod user_sessions;
mod users;
mod whoami;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};

pub(crate) use answer::{Answer, done, done_uncached, plain, plain_in_lower_case, shown_in_lower_case};
pub(crate) use authenticate::{bearer, identify};
pub(crate) use openapi::document as api_description;
pub(crate) use permission::{
    Admin, AnyRole, ManageClients, ManageEvents, ManageRealm, ManageUsers, Permission, QueryClients, QueryGroups, QueryUsers,
    ViewClients, ViewEvents, ViewRealm, ViewUsers,
};

use self::routes::{Operation, Routes};
use super::error::AdminError;
use super::state::App;

/// What stands beside the realms.
pub(crate) fn beside_realms(app: &App) -> Router<App> {
    let gate = middleware::from_fn_with_state(app.clone(), authenticate::authenticate);
    server_info::routes().merge(whoami::routes()).into_router().layer(gate)
}

/// Everything below `/admin/realms`.
pub(crate) fn routes(app: &App) -> Router<App> {
    endpoints()
        .into_router()
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(app.clone(), authenticate::authenticate))
}

fn endpoints() -> Routes {
    Routes::new()
        .merge(attack_detection::routes())
        .merge(authentication_executions::routes())
        .merge(authentication_flows::routes())
        .merge(certificates::routes())
        .merge(client_extras::routes())
        .merge(client_policies::routes())
        .merge(client_scopes::routes())
        .merge(clients::routes())
        .merge(components::routes())
        .merge(default_groups::routes())
        .merge(default_scopes::routes())
        .merge(evaluate::routes())
        .merge(events::routes())
        .merge(explain::routes())
        .merge(federated_identities::routes())
        .merge(groups::routes())
        .merge(identity_providers::routes())
        .merge(impersonation::routes())
        .merge(initial_access::routes())
        .merge(letters::routes())
        .merge(localization::routes())
        .merge(offline_grants::routes())
        .merge(organizations::routes())
        .merge(partial_export::routes())
        .merge(partial_import::routes())
        .merge(protocol_mappers::routes())
        .merge(realm::routes())
        .merge(realms::routes())
        .merge(required_actions::routes())
        .merge(role_addresses::routes())
        .merge(role_holder_kinds::routes())
        .merge(roles::routes())
        .merge(scopes_of_client::routes())
        .merge(sessions::routes())
        .merge(user::routes())
        .merge(user_credentials::routes())
        .merge(user_groups::routes())
        .merge(user_profile::routes())
        .merge(user_sessions::routes())
        .merge(users::routes())
}

/// Every operation of the API, with its whole path.
fn operations() -> Vec<Operation> {
    let mut all = server_info::routes().merge(whoami::routes()).into_operations();
    all.extend(
        endpoints()
            .into_operations()
            .into_iter()
            .map(|operation| Operation { path: format!("/admin/realms{}", operation.path.trim_end_matches('/')), ..operation }),
    );
    all.sort();
    all
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
