//! `/organizations`: there are none here, in any realm; said as Keycloak says it of a realm that has them switched off.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;

use super::answer::Answer;
use super::{Admin, Permission};
use crate::http::error::AdminError;
use crate::http::state::App;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/{realm}/organizations", any(refuse)).route("/{realm}/organizations/{*rest}", any(refuse))
}

#[derive(Debug)]
struct Organizations;

impl Permission for Organizations {
    const ANY_OF: &'static [&'static str] =
        &["view-organizations", "manage-organizations", "query-organizations", "view-realm", "manage-realm", "view-users"];
}

async fn refuse(_: Admin<Organizations>) -> Answer {
    Err(AdminError::Message(StatusCode::NOT_FOUND, "Organizations not enabled for this realm.".to_owned()))
}
