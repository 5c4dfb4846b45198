//! A body as it comes: read whole, in bounded space and time.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};

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

/// Reads a body whole, in bounded space and time.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::TooSlow),
    }
}

/// Whether JSON is a list. Serde would take one for an object, its fields by their order.
pub(super) fn is_list(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"[")
}
