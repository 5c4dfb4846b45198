//! The introspection endpoint (RFC 7662 §2): only for clients that prove who they are.

use axum::extract::Request;
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::flow::Cx;
use crate::flow::introspect::{self, Hint};
use crate::http::error::{OAuthFailure, json};
use crate::http::extract::{RealmCx, read_form};
use crate::model::Client;
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode, client_authentication};

pub(super) async fn introspect(RealmCx(cx): RealmCx, request: Request) -> Result<Response, OAuthFailure> {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts.headers, body).await?;
    let cx = cx.refreshed().await?.ok_or(OAuthFailure::RealmNotFound)?;
    if !cx.snapshot().realm.enabled {
        return Err(OAuthError::realm_not_enabled().into());
    }
    if form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter").into());
    }
    let caller = authenticate(&cx, &parts.headers, &form)?;
    let token = form.get("token").ok_or(OAuthError::invalid_request("Token not provided."))?;
    let hint = Hint::parse(form.get("token_type_hint")).ok_or(OAuthError::invalid_request("Unsupported token type."))?;
    let claims = introspect::run(&cx, caller, token, hint).await?;
    let mut body = claims.unwrap_or_else(|| Map::from_iter([("active".to_owned(), Value::Bool(false))]));
    if wants_token(caller, &parts.headers) && body.get("active") == Some(&Value::Bool(true)) {
        let token = introspect::as_token(&cx, caller, &body).await?;
        body.insert("jwt".to_owned(), Value::from(token));
    }
    let mut response = json(StatusCode::OK, &body);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Whether the caller accepts a token and the client is set to get one (Keycloak).
fn wants_token(caller: &Client, headers: &HeaderMap) -> bool {
    caller.flag("client.introspection.response.allow.jwt.claim.enabled", false)
        && headers.get_all(ACCEPT).iter().any(|v| v.to_str().is_ok_and(|v| v.contains("application/jwt")))
}

/// Keycloak words these refusals differently from those of the token endpoint.
fn authenticate<'a>(cx: &'a Cx, headers: &HeaderMap, form: &Parameters) -> Result<&'a Client, OAuthError> {
    let authorization = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    let presented = client_authentication::read(authorization, form).ok_or_else(OAuthError::invalid_client)?;
    let client = cx.snapshot().client(&presented.client_id).ok_or_else(OAuthError::invalid_client)?;
    if client_authentication::verify(client, &presented).is_err() {
        return Err(OAuthError::new(401, OAuthErrorCode::InvalidClient, "Client authentication failed."));
    }
    if client.settings.public_client {
        return Err(OAuthError::new(403, OAuthErrorCode::InvalidRequest, "Client not allowed."));
    }
    Ok(client)
}
