//! `/users/{id}/credentials`: what a user can prove itself with, in the order in which it is asked for.

use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, done, done_uncached, shown};
use super::routes::{Routes, delete, get, post, put};
use super::user::{NOT_FOUND, user_of};
use super::{Admin, ManageUsers, ViewUsers};
use crate::flow::admin::user_holding::{self, Place};
use crate::http::error::AdminError;
use crate::http::extract::{Json, PlainText, Representation};
use crate::http::representation::credential::credential as shown_credential;
use crate::http::representation::lenient::Text;
use crate::model::{CredentialId, UserId};
use crate::store;

pub(super) fn routes() -> Routes {
    const ONE: &str = "/{realm}/users/{id}/credentials/{credential}";
    Routes::new()
        .route("/{realm}/users/{id}/credentials", get(list))
        .route(ONE, delete(remove))
        .route(&format!("{ONE}/userLabel"), put(label))
        .route(&format!("{ONE}/moveToFirst"), post(to_front))
        .route(&format!("{ONE}/moveAfter/{{other}}"), post(behind))
        .route("/{realm}/users/{id}/configured-user-storage-credential-types", get(of_user_store))
        .route("/{realm}/users/{id}/disable-credential-types", put(disable_types))
}

const NO_CREDENTIAL: AdminError = AdminError::NotFound("Credential not found");

/// Names of kinds of credentials.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Kind(#[expect(dead_code, reason = "read to see that it is a text")] Text);

impl Representation for Kind {
    const NAME: &'static str = "String";
}

/// None: no such user; false: no such credential.
fn answer(outcome: Option<bool>) -> Answer {
    match outcome {
        None => Err(NOT_FOUND),
        Some(false) => Err(NO_CREDENTIAL),
        Some(true) => Ok(done()),
    }
}

async fn list(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    let user = user_of(&admin, &id).await?;
    let mut db = admin.cx.store().db().await?;
    let held = store::credential::list_credentials(&mut db, &admin.cx.snapshot().realm.id, &user.id).await?;
    Ok(shown(&Value::from(held.iter().map(shown_credential).collect::<Vec<Value>>())))
}

async fn remove(admin: Admin<ManageUsers>, Path((_, id, credential)): Path<(String, String, String)>) -> Answer {
    let gone = user_holding::delete_credential(&admin.cx, &UserId::new(id), &CredentialId::new(credential), None).await?;
    answer(gone).map(|_| done_uncached())
}

async fn label(
    admin: Admin<ManageUsers>,
    Path((_, id, credential)): Path<(String, String, String)>,
    PlainText(text): PlainText,
) -> Answer {
    let (user, credential) = (UserId::new(id), CredentialId::new(credential));
    answer(user_holding::label_credential(&admin.cx, &user, &credential, &text).await?)
}

async fn to_front(admin: Admin<ManageUsers>, Path((_, id, credential)): Path<(String, String, String)>) -> Answer {
    let (user, credential) = (UserId::new(id), CredentialId::new(credential));
    answer(user_holding::move_credential(&admin.cx, &user, &credential, Place::First).await?)
}

async fn behind(admin: Admin<ManageUsers>, Path((_, id, credential, other)): Path<(String, String, String, String)>) -> Answer {
    let (user, credential, other) = (UserId::new(id), CredentialId::new(credential), CredentialId::new(other));
    answer(user_holding::move_credential(&admin.cx, &user, &credential, Place::Behind(&other)).await?)
}

/// Nobody's credentials stand anywhere else.
async fn of_user_store(admin: Admin<ViewUsers>, Path((_, id)): Path<(String, String)>) -> Answer {
    user_of(&admin, &id).await?;
    Ok(shown(&json!([])))
}

/// Kinds that a user store of its own could switch off: there are none.
async fn disable_types(
    admin: Admin<ManageUsers>,
    Path((_, id)): Path<(String, String)>,
    Json(_kinds): Json<Vec<Kind>>,
) -> Answer {
    user_of(&admin, &id).await?;
    Ok(done())
}
