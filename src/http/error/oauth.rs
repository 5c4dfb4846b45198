//! Errors of the token, introspection, revocation and userinfo endpoints (RFC 6749 §5.2).

use axum::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::{json as json_response, log};
use crate::http::cors::InvalidOrigin;
use crate::http::extract::BodyError;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::StoreError;

/// Why a protocol endpoint does not answer what it was asked.
#[derive(Debug)]
pub(crate) enum OAuthFailure {
    Refused(OAuthError),
    Origin(InvalidOrigin),
    RealmNotFound,
    Body(BodyError),
    Store(StoreError),
}

impl From<OAuthError> for OAuthFailure {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

impl From<BodyError> for OAuthFailure {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<StoreError> for OAuthFailure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<InvalidOrigin> for OAuthFailure {
    fn from(error: InvalidOrigin) -> Self {
        Self::Origin(error)
    }
}

impl IntoResponse for OAuthFailure {
    fn into_response(self) -> Response {
        match self {
            Self::Refused(error) => oauth_response(&error),
            Self::Origin(error) => error.into_response(),
            Self::RealmNotFound => json_response(StatusCode::NOT_FOUND, &json!({"error": "Realm does not exist"})),
            Self::Body(error) => {
                let (status, text) = match error {
                    BodyError::TooLarge => (413, "Request too large"),
                    BodyError::TooSlow => (408, "The request took too long"),
                    BodyError::MediaType => (415, "Unsupported media type"),
                    BodyError::Malformed => (400, "The form cannot be read"),
                };
                oauth_response(&OAuthError::new(status, OAuthErrorCode::InvalidRequest, text))
            }
            Self::Store(error) => trouble(&error),
        }
    }
}

/// Trouble with the database is never `invalid_grant`: clients throw their token away on that.
fn trouble(error: &StoreError) -> Response {
    if matches!(error, StoreError::Refused(_)) {
        return oauth_response(&OAuthError::invalid_request("A value cannot be stored"));
    }
    if log(error) {
        let text = "The server cannot reach its database, please try again";
        oauth_response(&OAuthError::new(503, OAuthErrorCode::TemporarilyUnavailable, text))
    } else {
        oauth_response(&OAuthError::new(500, OAuthErrorCode::ServerError, "Unexpected server error"))
    }
}

/// The JSON of a refusal.
pub(crate) fn oauth_response(error: &OAuthError) -> Response {
    let mut body = Map::new();
    body.insert("error".to_owned(), Value::from(error.code.as_str()));
    if let Some(description) = &error.description {
        body.insert("error_description".to_owned(), Value::from(description.as_ref()));
    }
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json_response(status, &Value::Object(body));
    let seconds = match error.status {
        429 => Some("60"),
        503 => Some("2"),
        _ => None,
    };
    if let Some(seconds) = seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

/// RFC 6749 §5.1: answers that hold tokens, or tell of them, are not kept.
pub(crate) fn no_store(response: &mut Response) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
}
