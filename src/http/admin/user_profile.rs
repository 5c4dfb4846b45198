//! `/users/profile`: which attributes users of the realm have.

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::{Answer, plain};
use super::routes::{Routes, get};
use super::user::profile_metadata;
use super::{Admin, ManageRealm, Permission};
use crate::flow::admin::realm;
use crate::http::error::{AdminError, json as json_response};
use crate::http::extract::{Json, Representation};
use crate::oidc::user_profile::{self, ProfileProblem, default_profile};

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/users/profile", get(read).put(update)).route("/{realm}/users/profile/metadata", get(metadata))
}

/// Whoever deals with users or with the realm's settings.
#[derive(Debug)]
struct ViewProfile;

impl Permission for ViewProfile {
    const ANY_OF: &'static [&'static str] = &["view-realm", "manage-realm", "query-users", "view-users", "manage-users"];
}

/// Kept as it is put, also what nothing here acts on.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct UserProfile(Map<String, Value>);

impl Representation for UserProfile {
    const NAME: &'static str = "UPConfig";
}

async fn read(admin: Admin<ViewProfile>) -> Answer {
    let stored = admin.cx.snapshot().realm.user_profile.as_ref();
    Ok(plain(&stored.cloned().unwrap_or_else(default_profile)))
}

async fn metadata(admin: Admin<ViewProfile>) -> Answer {
    // For a user who is not there yet: the name may be chosen.
    Ok(plain(&profile_metadata(&admin.cx, true)))
}

async fn update(admin: Admin<ManageRealm>, Json(UserProfile(profile)): Json<UserProfile>) -> Answer {
    let profile = Value::Object(profile);
    user_profile::check(&profile).map_err(|problem| match problem {
        ProfileProblem::Unreadable => AdminError::unreadable("unknown_error"),
        ProfileProblem::Refused(text) => AdminError::bad_request(format!("[{text}]")),
    })?;
    realm::set_user_profile(&admin.cx, &profile).await?;
    Ok(json_response(StatusCode::OK, &profile))
}
