//! `/organizations`: there are none here, in any realm; said as Keycloak says it of a realm that has them switched off.

use axum::http::StatusCode;
use axum::routing::any;

use super::answer::Answer;
use super::routes::Routes;
use super::{Admin, Permission};
use crate::http::error::AdminError;

pub(super) fn routes() -> Routes {
    Routes::new().nothing_at("/{realm}/organizations", any(refuse)).nothing_at("/{realm}/organizations/{*rest}", any(refuse))
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
