//! Forms, and small JSON bodies, with a limit on their size.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use super::body::{BodyError, is_list, read};
use crate::oidc::form::Parameters;

/// A form holds a few parameters and a token or two; nothing that a client sends comes near this.
const MAX_FORM: usize = 64 * 1024;

/// Representations of realms with thousands of roles are large, but not this large.
const MAX_JSON: usize = 8 * 1024 * 1024;

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

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim()
}
