//! What the tests share: a database of their own, the production router on real sockets, a clock that is moved by hand, and
//! the ways to talk to it.

mod admin;
pub mod assertions;
mod browser;
mod database;
pub mod description;
mod plan;
mod postbox;
pub mod registry;
mod server;
mod soak;
mod tokens;

pub use admin::Admin;
pub use browser::{Browser, Shown};
pub use database::{address as database_address, create as create_database, create_copy, create_empty, run as on_the_cluster};
pub use plan::Plan;
pub use postbox::{Letter, Postbox};
pub use server::{TestServer, admin as first_admin, app, fill, parts};
pub use soak::{measured, rounds};
pub use tokens::{Answer, claims, header, refresh_token};

pub const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);

/// The address of a database without anything in it.
pub async fn empty_database() -> String {
    database::address(&database::create_empty().await)
}
