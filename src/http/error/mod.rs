//! The three families of error answers: OAuth's JSON, the Admin REST API's JSON, and pages. The route decides which.

mod admin;
mod oauth;
mod page;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

pub(crate) use admin::AdminError;
pub(crate) use oauth::{OAuthFailure, no_store, oauth_response};
pub(crate) use page::{PageFailure, Pages};

use crate::store::StoreError;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let text = match serde_json::to_string(body) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "an answer cannot be written as JSON");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, text).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Logs trouble once, with its causes, where it becomes an answer; `true` if it will pass by itself.
pub(crate) fn log(error: &StoreError) -> bool {
    let mut causes = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    let passes = matches!(error, StoreError::Unavailable(_) | StoreError::Busy);
    if passes {
        tracing::warn!("{error}{causes}");
    } else {
        tracing::error!("{error}{causes}");
    }
    passes
}
