//! Representations in the bodies of the Admin REST API, and what is said about those that cannot be read.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::body::{BodyError, is_list, read as read_body};
use crate::flow::admin_request::Sent;
use crate::http::error::AdminError;
use crate::http::representation::OUT_OF_RANGE;
use crate::http::state::App;

/// Representations of realms with thousands of users are large, but not this large.
const MAX_BODY: usize = 64 * 1024 * 1024;
const MAX_TEXT: usize = 64 * 1024;

/// A body of the Admin REST API: its name is told to whoever sends a field that it does not have.
pub(crate) trait Representation: DeserializeOwned {
    const NAME: &'static str;
    /// Whether it stands in a list. Serde would take a list for an object too, its fields by their order.
    const IS_LIST: bool = false;
    /// In bytes.
    const MAX_BODY: usize = MAX_BODY;
}

/// One that anybody may send.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Small<T>(pub T);

impl<T: Representation> Representation for Small<T> {
    const NAME: &'static str = T::NAME;
    const MAX_BODY: usize = 256 * 1024;
}

/// Lists are named after what they hold.
impl<T: Representation> Representation for Vec<T> {
    const NAME: &'static str = T::NAME;
    const IS_LIST: bool = true;
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Json<T>(pub T);

impl<T: Representation> FromRequest<App> for Json<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, _: &App) -> Result<Self, AdminError> {
        let (parts, body) = request.into_parts();
        if !is_media(&parts.headers, "application/json") {
            return Err(wrong_media());
        }
        let bytes = read_body(body, T::MAX_BODY).await.map_err(unread)?;
        // An event of the change may tell of it.
        if let Some(sent) = parts.extensions.get::<Sent>() {
            sent.put(&bytes);
        }
        read(&bytes).map(Self)
    }
}

/// A body that is a text and nothing else, e.g. the label of a credential.
#[derive(Debug)]
pub(crate) struct PlainText(pub String);

impl FromRequest<App> for PlainText {
    type Rejection = AdminError;

    async fn from_request(request: Request, _: &App) -> Result<Self, AdminError> {
        let (parts, body) = request.into_parts();
        if !is_media(&parts.headers, "text/plain") {
            return Err(wrong_media());
        }
        let bytes = read_body(body, MAX_TEXT).await.map_err(unread)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| AdminError::unreadable("HTTP 400 Bad Request"))?;
        if text.contains('\0') {
            return Err(AdminError::unreadable("HTTP 400 Bad Request"));
        }
        Ok(Self(text))
    }
}

fn is_media(headers: &HeaderMap, wanted: &str) -> bool {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted)
}

fn wrong_media() -> AdminError {
    let text = "The content-type header value did not match the value in @Consumes";
    AdminError::Plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.to_owned())
}

fn unread(error: BodyError) -> AdminError {
    match error {
        BodyError::TooSlow => AdminError::Plain(StatusCode::REQUEST_TIMEOUT, "HTTP 408 Request Timeout".to_owned()),
        _ => AdminError::Plain(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large".to_owned()),
    }
}

/// Reads a representation.
pub(crate) fn read<T: Representation>(bytes: &[u8]) -> Result<T, AdminError> {
    if std::str::from_utf8(bytes).is_err() {
        return Err(AdminError::unreadable("HTTP 400 Bad Request"));
    }
    if !T::IS_LIST && is_list(bytes) {
        return Err(AdminError::unreadable("unknown_error"));
    }
    serde_json::from_slice(bytes).map_err(|error| explain(&error, T::NAME))
}

fn explain(error: &serde_json::Error, name: &str) -> AdminError {
    if error.classify() != Category::Data {
        return AdminError::unparsable();
    }
    let text = error.to_string();
    if let Some(field) = text.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
        let (line, column) = (error.line(), error.column());
        return AdminError::Plain(
            StatusCode::BAD_REQUEST,
            format!("Invalid json representation for {name}. Unrecognized field \"{field}\" at line {line} column {column}."),
        );
    }
    AdminError::unreadable(if text.starts_with(OUT_OF_RANGE) { "HTTP 400 Bad Request" } else { "unknown_error" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[serde(rename = "size")]
        _size: Option<u8>,
    }

    impl Representation for Thing {
        const NAME: &'static str = "ThingRepresentation";
    }

    fn refusal(body: &str) -> String {
        match read::<Thing>(body.as_bytes()) {
            Ok(_) => "none".to_owned(),
            Err(AdminError::Plain(_, text)) => text,
            Err(AdminError::Described(_, error, text)) => format!("{error}: {text}"),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn a_body_that_cannot_be_read_is_refused_as_keycloak_refuses_it() {
        assert_eq!(refusal("{}"), "none");
        assert_eq!(refusal("{"), "invalid_request: Cannot parse the JSON");
        assert_eq!(refusal("[]x"), "unknown_error: Cannot parse the JSON");
        assert_eq!(refusal(" [1]"), "unknown_error: Cannot parse the JSON");
        assert_eq!(refusal(r#"{"size":"x"}"#), "unknown_error: Cannot parse the JSON");
        let unknown = refusal(r#"{"colour":1}"#);
        assert!(
            unknown.starts_with(
                "Invalid json representation for ThingRepresentation. Unrecognized field \"colour\" at line 1 column "
            )
        );
    }
}
