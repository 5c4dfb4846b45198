//! The realm that `start-dev` brings along: everything that the first ten minutes need.

use super::banner::Demo;
use crate::flow::Server;
use crate::store::StoreError;

/// A realm file as the Admin REST API takes it.
pub(super) const FILE: &str = include_str!("../../config/demo-realm.json");

/// What of it the banner tells.
pub(super) const FACTS: Demo<'static> = Demo {
    realm: "demo",
    username: "alice",
    password: "alice",
    client_id: "demo-backup",
    client_secret: "demo-backup-secret",
    client_uuid: "5a1e6d5c-8f0b-4a3e-9d8e-6f2b7c1d0e4a",
};

pub(super) async fn is_there(server: &Server) -> Result<bool, StoreError> {
    Ok(server.realms.get(&server.store, FACTS.realm).await?.is_some())
}
