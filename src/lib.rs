//! Nightlatch: an OpenID Connect authorization server over Postgres that speaks Keycloak's protocol and keeps offline access
//! safe, visible and for exactly as long as was agreed.
//!
//! The modules are layers; each may name only those that `tests/architecture.rs` allows it.

pub mod base;
pub mod cli;
pub mod config;
pub mod flow;
pub mod http;
pub mod jose;
pub mod model;
pub mod oidc;
#[expect(clippy::disallowed_types, reason = "SQL lives here")]
pub mod store;
pub mod sweeper;
pub mod telemetry;
pub mod view;
