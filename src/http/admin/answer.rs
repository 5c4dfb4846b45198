//! How the Admin REST API answers: JSON that nobody keeps, an address of what was made, and refusals in Keycloak's shapes.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::Value;

use crate::flow::admin::Refusal;
use crate::flow::admin::push::Pushed;
use crate::http::error::AdminError;
use crate::store::StoreError;

const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What a handler comes to.
pub(crate) type Answer = Result<Response, AdminError>;

/// 200 with JSON.
pub(crate) fn shown(body: &Value) -> Response {
    let mut response = body.to_string().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=UTF-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Keycloak's `GlobalRequestResult`: a list that is empty is left out.
pub(crate) fn pushed(pushed: &Pushed) -> Value {
    let lists = [("successRequests", &pushed.taken), ("failedRequests", &pushed.failed)];
    let named = lists.into_iter().filter(|(_, urls)| !urls.is_empty());
    Value::Object(named.map(|(name, urls)| (name.to_owned(), Value::from(urls.clone()))).collect())
}

/// The same with the media type as the Account REST API writes it.
pub(crate) fn shown_in_lower_case(body: &Value) -> Response {
    let mut response = shown(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    response
}

/// The same without a word about keeping it.
pub(crate) fn plain_in_lower_case(body: &Value) -> Response {
    let mut response = shown_in_lower_case(body);
    response.headers_mut().remove(CACHE_CONTROL);
    response
}

/// The same where Keycloak says nothing about keeping it.
pub(crate) fn plain(body: &Value) -> Response {
    let mut response = shown(body);
    response.headers_mut().remove(CACHE_CONTROL);
    response
}

/// 200 with JSON of the plainest media type, as Keycloak answers where it does not say how to keep it.
pub(crate) fn plain_json(body: &Value) -> Response {
    let mut response = body.to_string().into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// 200 with a text as it is.
pub(crate) fn plain_text(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// 201 and where it is.
pub(crate) fn created(location: &str) -> Response {
    let mut response = StatusCode::CREATED.into_response();
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// The same where Keycloak says that it must not be kept.
pub(crate) fn created_uncached(location: &str) -> Response {
    let mut response = created(location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// A name at the end of a `Location`: what a segment of a path may hold stays as it is (RFC 3986 §3.3).
pub(crate) fn last_segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// 204.
pub(crate) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// 204 where Keycloak says that even this must not be kept.
pub(crate) fn done_uncached() -> Response {
    (StatusCode::NO_CONTENT, [(CACHE_CONTROL, HeaderValue::from_static("no-cache"))]).into_response()
}

impl From<Refusal> for AdminError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound(what) => Self::NotFound(what),
            Refusal::Invalid(text) => Self::bad_request(text),
            Refusal::InvalidClient(text) => Self::Described(StatusCode::BAD_REQUEST, "invalid_input", text),
            Refusal::Plain(text) => Self::Plain(StatusCode::BAD_REQUEST, text.to_owned()),
            Refusal::PlainText(text) => Self::Plain(StatusCode::BAD_REQUEST, text),
            Refusal::InvalidRequest(text) => Self::Described(StatusCode::BAD_REQUEST, "invalid_request", text.to_owned()),
            Refusal::NoProvider => Self::Plain(StatusCode::BAD_REQUEST, refusal.to_string()),
            Refusal::Exists(text) => Self::conflict(text),
            Refusal::Duplicate => Self::Described(StatusCode::CONFLICT, "conflict", "Duplicate resource error".to_owned()),
            Refusal::DuplicateOf(text) => Self::Described(StatusCode::CONFLICT, "conflict", text.to_owned()),
            Refusal::Moved => StoreError::Busy.into(),
            Refusal::Forbidden => Self::Forbidden,
            Refusal::Protocol(error) => error.into(),
            Refusal::Store(error) => error.into(),
        }
    }
}
