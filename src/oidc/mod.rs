//! The rules of the protocol as functions over values.
//!
//! No async, no database, no clock, no HTTP type: what a request means, whether it is allowed, and what the answer holds.
//! So every rule is tested without a server. The specifications are named at each rule.

pub mod access_token;
pub mod admin_action;
pub mod admin_roles;
pub mod admission;
pub mod authorization_request;
pub mod brute_force;
pub mod client_address;
pub mod client_assertion;
pub mod client_authentication;
pub mod consent;
pub mod discovery;
pub mod error;
pub mod explanation;
pub mod form;
pub mod grant_limits;
pub mod logout;
pub mod logout_token;
pub mod mapper;
pub mod one_time_password;
pub mod password_policy;
pub mod pkce;
pub mod prompt;
pub mod redirect_uri;
pub mod refresh_token;
pub mod registration_policy;
pub mod registration_token;
pub mod response_mode;
pub mod rotation;
pub mod scope;
pub mod session_limits;
pub mod token_id;
pub mod token_request;
pub mod user_profile;
pub mod user_rules;
pub mod web_origin;

pub use error::{OAuthError, OAuthErrorCode};
