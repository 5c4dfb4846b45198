//! The introspection endpoint (RFC 7662 §2): only for clients that prove who they are.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};

use super::client::proof_of;
use crate::flow::Cx;
use crate::flow::client_authentication;
use crate::flow::introspect::{self, Hint};
use crate::http::error::{OAuthFailure, json};
use crate::http::extract::{RealmCx, read_form};
use crate::model::Client;
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};

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
    let caller = &*authenticate(&cx, &parts.headers, &form).await?;
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
async fn authenticate(cx: &Cx, headers: &HeaderMap, form: &Parameters) -> Result<Arc<Client>, OAuthFailure> {
    let client = client_authentication::authenticate(cx, &mut proof_of(headers, form)).await?.map_err(|rejected| {
        let text = "Client authentication failed.";
        if rejected.names_client { OAuthError::new(401, OAuthErrorCode::InvalidClient, text) } else { rejected.error }
    })?;
    if client.settings.public_client {
        return Err(OAuthError::new(403, OAuthErrorCode::InvalidRequest, "Client not allowed.").into());
    }
    Ok(client)
}
