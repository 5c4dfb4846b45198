//! Bodies: forms and JSON, with a limit on their size.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::json::is_list;
use crate::oidc::form::Parameters;

/// A form holds a few parameters and a token or two; nothing that a client sends comes near this.
const MAX_FORM: usize = 64 * 1024;

/// Representations of realms with thousands of roles are large, but not this large.
const MAX_JSON: usize = 8 * 1024 * 1024;

/// A client that dribbles is cut off.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    TooLarge,
    /// It did not come within the time that any client needs.
    TooSlow,
    /// Not the media type that is expected here.
    MediaType,
    Malformed,
}

/// The parameters of a form. A body of another media type has none, as RFC 6749 knows no other.
pub(crate) async fn read_form(headers: &HeaderMap, body: Body) -> Result<Parameters, BodyError> {
    let bytes = read(body, MAX_FORM).await?;
    if !media_type(headers).eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Parameters::default());
    }
    Parameters::parse(&bytes).map_err(|_| BodyError::Malformed)
}

/// A JSON body that is an object or a text of a known shape.
pub(crate) async fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: Body) -> Result<T, BodyError> {
    if !media_type(headers).eq_ignore_ascii_case("application/json") {
        return Err(BodyError::MediaType);
    }
    let bytes = read(body, MAX_JSON).await?;
    if is_list(&bytes) {
        return Err(BodyError::Malformed);
    }
    serde_json::from_slice(&bytes).map_err(|_| BodyError::Malformed)
}

/// Reads a body whole, in bounded space and time.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::TooSlow),
    }
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
