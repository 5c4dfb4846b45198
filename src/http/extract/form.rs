//! Bodies: forms and JSON, with a limit on their size.

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::oidc::form::Parameters;

/// A form holds a few parameters and a token or two; nothing that a client sends comes near this.
const MAX_FORM: usize = 64 * 1024;

/// Representations of realms with thousands of roles are large, but not this large.
const MAX_JSON: usize = 8 * 1024 * 1024;

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// Not the media type that is expected here.
    MediaType,
    Malformed,
}

/// The parameters of a form. A body of another media type has none, as RFC 6749 knows no other.
pub(crate) async fn read_form(headers: &HeaderMap, body: Body) -> Result<Parameters, BodyError> {
    let bytes = to_bytes(body, MAX_FORM).await.map_err(|_| BodyError::TooLarge)?;
    if !media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Parameters::default());
    }
    Parameters::parse(&bytes).map_err(|_| BodyError::Malformed)
}

/// A JSON body of a known shape.
pub(crate) async fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, BodyError> {
    if !media_type(headers).eq_ignore_ascii_case("application/json") {
        return Err(BodyError::MediaType);
    }
    let bytes = to_bytes(body, MAX_JSON).await.map_err(|_| BodyError::TooLarge)?;
    serde_json::from_slice(&bytes).map_err(|_| BodyError::Malformed)
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
