//! The pages of sign-in and the forms they send, below `/realms/{realm}/login-actions`.
//!
//! A form that is answered with another page redirects to it, so that reloading repeats nothing.

mod action_token;
pub(crate) mod answer;
mod authenticate;
mod consent;
pub(crate) mod cookies;
mod profile_form;
mod registration;
mod required_action;
mod reset_credentials;
mod shown;

pub(crate) use answer::keep;
pub(crate) use authenticate::show as show_tab;
pub(crate) use registration::show as show_registration;

use axum::Router;
use axum::routing::get;

use super::state::App;

pub(super) fn routes() -> Router<App> {
    let at = |path: &str| format!("/realms/{{realm}}/login-actions{path}");
    Router::new()
        .route(&at("/authenticate"), get(authenticate::get).post(authenticate::post))
        .route(&at("/action-token"), get(action_token::get).head(action_token::head))
        .route(&at("/registration"), get(registration::get).post(registration::post))
        .route(&at("/reset-credentials"), get(reset_credentials::get).post(reset_credentials::post))
        .route(&at("/restart"), get(authenticate::restart))
        .route(&at("/required-action"), get(required_action::get).post(required_action::post))
        .route(&at("/consent"), get(required_action::get).post(consent::post))
}
