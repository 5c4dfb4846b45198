//! `/users/{id}/federated-identity`: who the user is at identity providers.

use axum::extract::Path;
use serde::Deserialize;
use serde_json::json;

use super::answer::{Answer, done_uncached, shown};
use super::routes::{Routes, get, post};
use super::user::{NOT_FOUND, user_of};
use super::{Admin, ManageUsers, ViewUsers};
use crate::flow::admin::identity_provider::links_of;
use crate::flow::admin::user_holding;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::lenient::{Text, text};
use crate::model::UserId;
use crate::store::federated_identity::FederatedIdentity;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/users/{id}/federated-identity", get(list))
        .route("/{realm}/users/{id}/federated-identity/{provider}", post(link).delete(unlink))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Link {
    /// Not looked at: the address says which.
    #[serde(rename = "identityProvider")]
    _identity_provider: Option<Text>,
    user_id: Option<Text>,
    user_name: Option<Text>,
}

impl Representation for Link {
    const NAME: &'static str = "FederatedIdentityRepresentation";
}

async fn list(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    Ok(shown(&json!(links_of(&admin.cx, &user.id).await?)))
}

async fn link(
    admin: Admin<ManageUsers>,
    Path((_, id, provider)): Path<(String, String, String)>,
    Json(given): Json<Link>,
) -> Answer {
    let identity = FederatedIdentity {
        identity_provider: provider,
        user_id: text(given.user_id.as_ref()).unwrap_or_default(),
        user_name: text(given.user_name.as_ref()).unwrap_or_default(),
    };
    match user_holding::link(&admin.cx, &UserId::new(id), &identity).await? {
        None => Err(NOT_FOUND),
        Some(false) => Err(AdminError::conflict("User is already linked with provider")),
        Some(true) => Ok(done_uncached()),
    }
}

async fn unlink(admin: Admin<ManageUsers>, Path((_, id, provider)): Path<(String, String, String)>) -> Answer {
    match user_holding::unlink(&admin.cx, &UserId::new(id), &provider).await? {
        None => Err(NOT_FOUND),
        Some(false) => Err(AdminError::NotFound("Link not found")),
        Some(true) => Ok(done_uncached()),
    }
}
