//! `/users/{id}`: one user and the password.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::any;
use serde_json::{Value, json};

use super::answer::{Answer, done, done_uncached, shown};
use super::routes::{Routes, get, post, put};
use super::{Admin, ManageUsers, Permission, ViewUsers};
use crate::flow::Cx;
use crate::flow::admin::identity_provider::links_of;
use crate::flow::admin::user::Refusal;
use crate::flow::admin::user_password::PasswordRefusal;
use crate::flow::admin::{session, user as flow};
use crate::flow::new_password::Refused;
use crate::http::error::{AdminError, json as json_response};
use crate::http::extract::{Json, Query};
use crate::http::representation::credential::CredentialRepresentation;
use crate::http::representation::user::{UserRepresentation, unmanaged_attributes, user as full_user};
use crate::model::{User, UserId};
use crate::oidc::user_profile::{self, Editor};
use crate::oidc::user_rules::Violation;
use crate::store;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/users/{id}", get(read).put(update).delete(remove))
        .nothing_at("/{realm}/users/{id}/{*rest}", any(beyond))
        .route("/{realm}/users/{id}/unmanagedAttributes", get(unmanaged))
        .route("/{realm}/users/{id}/reset-password", put(reset_password))
        .route("/{realm}/users/{id}/logout", post(log_out))
}

pub(super) const NOT_FOUND: AdminError = AdminError::NotFound("User not found");

/// The user as it stands in the database now.
pub(super) async fn user_of<P: Permission>(admin: &Admin<P>, id: &str) -> Result<User, AdminError> {
    let mut db = admin.cx.store().db().await?;
    let user = store::user::find_user(&mut db, &admin.cx.snapshot().realm.id, &UserId::new(id)).await?;
    user.ok_or(NOT_FOUND)
}

async fn read(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>, query: Query) -> Answer {
    let user = user_of(&admin, &id).await?;
    let snapshot = admin.cx.snapshot();
    let mut db = admin.cx.store().db().await?;
    let with_otp = store::credential::holders_of(&mut db, &snapshot.realm.id, "otp", std::slice::from_ref(&user.id)).await?;
    let mut whole = full_user(snapshot, &user, with_otp.contains(&user.id));
    let manages = admin.has_any_of(&["manage-users"]);
    whole.insert(
        "access".to_owned(),
        json!({
            "manageGroupMembership": manages,
            "resetPassword": manages,
            "view": true,
            "mapRoles": manages,
            "impersonate": admin.has_any_of(&["impersonation"]),
            "manage": manages,
        }),
    );
    let links = links_of(&admin.cx, &user.id).await?;
    if !links.is_empty() {
        whole.insert("federatedIdentities".to_owned(), json!(links));
    }
    if query.flag("userProfileMetadata").unwrap_or(false) {
        let edits_username = admin.cx.settings().edit_username_allowed;
        whole.insert("userProfileMetadata".to_owned(), profile_metadata(&admin.cx, edits_username));
    }
    Ok(shown(&Value::from(whole)))
}

/// What a form of an administrator has to know of the attributes.
pub(super) fn profile_metadata(cx: &Cx, edits_username: bool) -> Value {
    user_profile::metadata(cx.snapshot().realm.user_profile.as_ref(), Editor::Administrator, edits_username)
}

/// What is not there below a user: only who may see the user is told whether it is the user that is missing.
async fn beyond(admin: Admin<ViewUsers>, Path((_, id, _)): Path<(String, String, String)>) -> Answer {
    user_of(&admin, &id).await?;
    Err(AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned()))
}

async fn unmanaged(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    Ok(shown(&unmanaged_attributes(admin.cx.snapshot(), &user)))
}

async fn update(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(body): Json<UserRepresentation>,
) -> Answer {
    answer(flow::update(&admin.cx, &UserId::new(id), &body.to_change()).await?)
}

async fn remove(admin: Admin<ManageUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    if flow::delete(&admin.cx, &UserId::new(id)).await? { Ok(done_uncached()) } else { Err(NOT_FOUND) }
}

async fn reset_password(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(body): Json<CredentialRepresentation>,
) -> Answer {
    answer(flow::reset_password(&admin.cx, &UserId::new(id), &body.to_password()).await?)
}

async fn log_out(admin: Admin<ManageUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    if session::log_out_user(&admin.cx, &UserId::new(id)).await? { Ok(done()) } else { Err(NOT_FOUND) }
}

fn answer(outcome: Result<(), Refusal>) -> Answer {
    match outcome {
        Ok(()) => Ok(done()),
        Err(refusal) => refused(refusal),
    }
}

/// What is said about a change that was not made.
pub(super) fn refused(refusal: Refusal) -> Answer {
    Err(match refusal {
        Refusal::NotFound => NOT_FOUND,
        Refusal::NameMissing => AdminError::bad_request("User name is missing"),
        Refusal::SameUsername => AdminError::conflict("User exists with same username"),
        Refusal::SameEmail => AdminError::conflict("User exists with same email"),
        Refusal::Password(PasswordRefusal::Missing) => {
            AdminError::Plain(StatusCode::BAD_REQUEST, "No password provided".to_owned())
        }
        Refusal::Password(PasswordRefusal::Refused(refused)) => match refused {
            Refused::Empty => AdminError::Plain(StatusCode::BAD_REQUEST, "Empty password not allowed".to_owned()),
            Refused::TooLong => AdminError::Plain(StatusCode::BAD_REQUEST, "Password is too long".to_owned()),
            Refused::Policy(broken) => AdminError::Described(StatusCode::BAD_REQUEST, broken.key, broken.text()),
            Refused::Busy => AdminError::Plain(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable".to_owned()),
        },
        Refusal::Invalid(violations) => return Ok(json_response(StatusCode::BAD_REQUEST, &invalid(&violations))),
    })
}

/// `ErrorRepresentation`: one error as it is, several as a list.
fn invalid(violations: &[Violation]) -> Value {
    let told = |v: &Violation| json!({"field": v.field, "errorMessage": v.message, "params": v.params});
    match violations {
        [only] => told(only),
        several => json!({"errors": several.iter().map(told).collect::<Vec<Value>>()}),
    }
}
