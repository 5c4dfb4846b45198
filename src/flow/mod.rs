//! Use cases: what has to happen when somebody asks for something, over the rules and the store.
//!
//! A use case loads, decides with a pure rule, applies the decision with a conditional statement, and answers. A refusal is a
//! value; only trouble with the infrastructure is an error.

pub mod account;
pub mod action_link;
pub mod admin;
pub mod admin_event;
pub mod admin_request;
pub mod authorize;
pub mod bootstrap;
pub mod browser;
pub mod brute_force;
pub mod client_authentication;
pub mod client_key;
pub mod client_registration;
pub mod component;
pub mod configure_totp;
pub mod consent;
pub mod context;
pub mod event;
pub mod export_realm;
pub mod forgotten_password;
pub mod grant;
pub mod import_realm;
pub mod introspect;
pub mod issue_tokens;
pub mod key_ring;
pub mod key_sets;
pub mod keys;
pub mod lapsed;
pub mod login;
pub mod login_code;
pub mod logout;
pub mod logout_notice;
pub mod mail;
pub mod masking;
pub mod new_password;
pub mod new_realm;
pub mod open_link;
pub mod outgoing;
pub mod password;
pub mod password_check;
pub mod pending;
pub mod proven_user;
pub mod realms;
pub mod registration;
pub mod required_action;
pub mod revoke;
pub mod second_factor;
pub mod session_lookup;
pub mod sign_in;
pub mod signed_in;
pub mod stopped;
pub mod sweep;
pub mod tab;
pub mod tab_page;
pub mod update_password;
pub mod update_profile;
pub mod user_info;
pub mod verify_email;

pub use context::{Cx, Origin, Server};
