//! Errors of the Admin REST API, in Keycloak's four shapes.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{json as json_response, log};
use crate::oidc::OAuthError;
use crate::store::StoreError;

#[derive(Debug)]
pub(crate) enum AdminError {
    /// No token, or none that opens anything.
    Unauthorized,
    Forbidden,
    /// `{"error": "User not found"}`
    NotFound(&'static str),
    /// `{"errorMessage": "…"}`: validation and conflicts.
    Message(StatusCode, String),
    /// `{"error": "…", "error_description": "…"}`
    Described(StatusCode, &'static str, String),
    /// `{"error": "…"}`
    Plain(StatusCode, String),
    Origin(crate::http::cors::InvalidOrigin),
    Store(StoreError),
}

impl AdminError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::Message(StatusCode::BAD_REQUEST, message.into())
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::Message(StatusCode::CONFLICT, message.into())
    }

    /// What is no JSON.
    pub(crate) fn unparsable() -> Self {
        Self::unreadable("invalid_request")
    }

    /// JSON that does not say what it is read as; Keycloak's words for it differ.
    pub(crate) fn unreadable(error: &'static str) -> Self {
        Self::Described(StatusCode::BAD_REQUEST, error, "Cannot parse the JSON".to_owned())
    }
}

impl From<OAuthError> for AdminError {
    fn from(error: OAuthError) -> Self {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        match error.description {
            Some(text) => Self::Described(status, error.code.as_str(), text.into_owned()),
            None => Self::Plain(status, error.code.as_str().to_owned()),
        }
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::Described(StatusCode::CONFLICT, "conflict", "Duplicate resource error".to_owned()),
            StoreError::Refused(_) => Self::bad_request("A value cannot be stored"),
            other => Self::Store(other),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthorized => json_response(StatusCode::UNAUTHORIZED, &json!({"error": "HTTP 401 Unauthorized"})),
            Self::Forbidden => json_response(StatusCode::FORBIDDEN, &json!({"error": "HTTP 403 Forbidden"})),
            Self::NotFound(what) => json_response(StatusCode::NOT_FOUND, &json!({"error": what})),
            Self::Message(status, message) => json_response(status, &json!({"errorMessage": message})),
            Self::Described(status, error, text) => json_response(status, &json!({"error": error, "error_description": text})),
            Self::Plain(status, error) => {
                json_response(status, &Value::from(serde_json::Map::from_iter([("error".to_owned(), Value::from(error))])))
            }
            Self::Origin(error) => error.into_response(),
            Self::Store(error) => {
                let passes = log(&error);
                let (status, text) = if passes {
                    (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable")
                } else {
                    (StatusCode::INTERNAL_SERVER_ERROR, "unknown_error")
                };
                let mut response = json_response(status, &json!({"error": text}));
                if passes {
                    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
                }
                response
            }
        }
    }
}
