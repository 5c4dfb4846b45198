//! The pages that browser adapters load in hidden frames, and the question that the session iframe asks.

use axum::extract::RawQuery;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::error::OAuthFailure;
use crate::http::extract::{Caller, RealmCx};
use crate::http::login::answer::query;
use crate::oidc::web_origin;
use crate::view::{AdapterPage, SESSION_IFRAME, THIRD_PARTY_COOKIES_STEP1, THIRD_PARTY_COOKIES_STEP2};

/// Any page may frame these: they hold nothing of the user's.
const POLICY: &str = "frame-src 'self'; object-src 'none';";

pub(super) async fn session_iframe(RealmCx(_): RealmCx) -> Response {
    page(&SESSION_IFRAME)
}

pub(super) async fn third_party_cookies_step1(RealmCx(_): RealmCx) -> Response {
    page(&THIRD_PARTY_COOKIES_STEP1)
}

pub(super) async fn third_party_cookies_step2(RealmCx(_): RealmCx) -> Response {
    page(&THIRD_PARTY_COOKIES_STEP2)
}

/// Whether a client may watch the session from a page of this origin: 204 if it may, else 403.
pub(super) async fn init(RealmCx(cx): RealmCx, caller: Caller, RawQuery(raw): RawQuery) -> Result<StatusCode, OAuthFailure> {
    let parameters = query(raw.as_deref())?;
    let client = parameters.filled("client_id").and_then(|id| cx.snapshot().client(id)).filter(|c| c.enabled);
    let (Some(client), Some(origin)) = (client, parameters.filled("origin")) else { return Ok(StatusCode::FORBIDDEN) };
    let own = url::Url::parse(&caller.base).ok().map(|u| u.origin().ascii_serialization());
    let allowed = own.as_deref() == Some(origin) || web_origin::allows(&web_origin::of_client(client), origin);
    Ok(if allowed { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN })
}

fn page(page: &AdapterPage) -> Response {
    let mut response = page.html().into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, must-revalidate"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}
