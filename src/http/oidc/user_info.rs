//! The UserInfo endpoint (OIDC Core §5.3): the token in the header or in a form, never in the address (RFC 6750 §2).

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::client::EXPOSED;
use crate::flow::{Cx, user_info};
use crate::http::cors::Cors;
use crate::http::error::{OAuthFailure, json, no_store};
use crate::http::extract::{Caller, RealmCx, read_form};
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};

pub(super) async fn get(RealmCx(cx): RealmCx, caller: Caller, headers: HeaderMap) -> Result<Response, OAuthFailure> {
    answer(&cx, &caller, &headers, &Parameters::default()).await
}

pub(super) async fn post(RealmCx(cx): RealmCx, caller: Caller, request: Request) -> Result<Response, OAuthFailure> {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts.headers, body).await?;
    answer(&cx, &caller, &parts.headers, &form).await
}

async fn answer(cx: &Cx, caller: &Caller, headers: &HeaderMap, form: &Parameters) -> Result<Response, OAuthFailure> {
    let realm = &cx.snapshot().realm.name;
    let token = match token(headers, form) {
        Ok(Some(token)) => token,
        Ok(None) => return Ok(refusal(realm, 401, None, &Cors::for_anybody(headers, &caller.base))),
        Err(error) => return Ok(refusal(realm, error.status, Some(&error), &Cors::for_anybody(headers, &caller.base))),
    };
    // The token names its client; only that client's pages may use it.
    let cors = match user_info::client_of(cx, token) {
        Some(client) => match Cors::for_client(headers, &caller.base, &client) {
            Ok(cors) => cors,
            Err(invalid) => {
                let mut response = invalid.into_response();
                no_store(&mut response);
                return Ok(response);
            }
        },
        None => Cors::for_anybody(headers, &caller.base),
    };
    match user_info::run(cx, token).await? {
        Ok(told) => {
            let mut response = json(StatusCode::OK, &told.claims);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
            cors.put_on(&mut response, EXPOSED);
            Ok(response)
        }
        Err(refused) => Ok(refusal(realm, refused.error.status, Some(&refused.error), &cors)),
    }
}

/// The token that was sent, if it was sent one way.
fn token<'a>(headers: &'a HeaderMap, form: &'a Parameters) -> Result<Option<&'a str>, OAuthError> {
    let in_header = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.split_once(' '));
    let in_header = in_header.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match (in_header, form.filled("access_token")) {
        (Some(_), Some(_)) => Err(OAuthError::invalid_request("More than one method used for including an access token")),
        (Some(token), None) | (None, Some(token)) => Ok(Some(token)),
        (None, None) => Ok(None),
    }
}

/// RFC 6750 §3: the error stands in `WWW-Authenticate`.
fn refusal(realm: &str, status: u16, error: Option<&OAuthError>, cors: &Cors) -> Response {
    let mut challenge = format!("Bearer realm=\"{}\"", realm.replace(['"', '\\'], ""));
    if let Some(error) = error {
        let code: OAuthErrorCode = error.code;
        challenge.push_str(&format!(", error=\"{}\"", code.as_str()));
        if let Some(description) = &error.description {
            challenge.push_str(&format!(", error_description=\"{description}\""));
        }
    }
    let mut response = StatusCode::from_u16(status).unwrap_or(StatusCode::UNAUTHORIZED).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    // A realm's name may hold characters that no header can.
    let challenge = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"));
    headers.insert(WWW_AUTHENTICATE, challenge);
    no_store(&mut response);
    cors.put_on(&mut response, "Access-Control-Allow-Methods, WWW-Authenticate");
    response
}
