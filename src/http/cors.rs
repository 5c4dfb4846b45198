//! Cross-origin requests (Fetch standard): who may read an answer in a browser.
//!
//! A page of an origin that is neither the server's own nor one of the client's is refused before anything is done.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::model::Client;
use crate::oidc::web_origin;

const ALLOWED_HEADERS: &str = "Origin, Accept, X-Requested-With, Content-Type, Access-Control-Request-Method, \
     Access-Control-Request-Headers, Authorization, DPoP";

/// What to say to the browser about an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cors {
    /// No cross-origin request, or none that may read the answer.
    Silent,
    /// A page of this origin may read the answer.
    Allow(HeaderValue),
}

/// The origin of a request from a page elsewhere; none for the server's own pages and for programs.
pub(crate) fn foreign_origin<'a>(headers: &'a HeaderMap, base: &str) -> Option<&'a HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let own = url::Url::parse(base).ok().map(|u| u.origin().ascii_serialization());
    (origin.to_str().ok() != own.as_deref()).then_some(origin)
}

impl Cors {
    /// For a client that is known: its web origins, or the refusal.
    pub(crate) fn for_client(headers: &HeaderMap, base: &str, client: &Client) -> Result<Self, InvalidOrigin> {
        Self::for_origins(headers, base, &web_origin::of_client(client))
    }

    pub(crate) fn for_origins(headers: &HeaderMap, base: &str, allowed: &[String]) -> Result<Self, InvalidOrigin> {
        match foreign_origin(headers, base) {
            None => Ok(Self::Silent),
            Some(origin) if origin.to_str().is_ok_and(|o| web_origin::allows(allowed, o)) => Ok(Self::Allow(origin.clone())),
            Some(_) => Err(InvalidOrigin),
        }
    }

    /// Where nobody is known yet: a refusal that any page may read.
    pub(crate) fn for_anybody(headers: &HeaderMap, base: &str) -> Self {
        let is_one = |origin: &&HeaderValue| {
            origin.to_str().is_ok_and(|text| url::Url::parse(text).is_ok_and(|u| u.origin().ascii_serialization() == text))
        };
        foreign_origin(headers, base).filter(is_one).map_or(Self::Silent, |origin| Self::Allow(origin.clone()))
    }

    /// Puts the headers on an answer. `exposed`: headers that the page may read beyond the usual ones.
    pub(crate) fn put_on(&self, response: &mut Response, exposed: &'static str) {
        let Self::Allow(origin) = self else { return };
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if !exposed.is_empty() {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        }
    }
}

/// A page of an origin that the client does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidOrigin;

impl IntoResponse for InvalidOrigin {
    fn into_response(self) -> Response {
        super::error::json(StatusCode::FORBIDDEN, &serde_json::json!({"error": "Invalid origin"}))
    }
}

/// The answer to a preflight request for what anybody may read without any header of its own.
pub(crate) fn plain_preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    if let Some(origin) = headers.get(ORIGIN) {
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    }
    response
}

/// The answer to a preflight request: for any origin, because the client is not known yet.
pub(crate) fn preflight(headers: &HeaderMap, methods: &'static str) -> Response {
    let mut response = StatusCode::OK.into_response();
    if let Some(origin) = headers.get(ORIGIN) {
        let answer = response.headers_mut();
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods));
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(ALLOWED_HEADERS));
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    }
    response
}
