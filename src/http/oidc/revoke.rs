//! The revocation endpoint (RFC 7009 §2). A token that is good for nothing is answered with 200, as clients expect.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::client::{Readable, admit, proof_of};
use crate::flow::Cx;
use crate::flow::revoke::{self, Outcome};
use crate::http::error::{OAuthFailure, json as json_response, oauth_response};
use crate::http::extract::{Caller, RealmCx, read_form};
use crate::model::Client;
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};

pub(super) async fn revoke(RealmCx(cx): RealmCx, caller: Caller, request: Request) -> Result<Response, OAuthFailure> {
    let (parts, body) = request.into_parts();
    let form = read_form(&parts.headers, body).await?;
    let cx = cx.refreshed().await?.ok_or(OAuthFailure::RealmNotFound)?;
    let mut proof = proof_of(&parts.headers, &form);
    let (client, cors) = admit(&cx, &caller, &parts.headers, &form, &mut proof).await?;
    let response = answer(&cx, &client, &form).await.unwrap_or_else(IntoResponse::into_response);
    Ok(Readable { response, cors }.finish())
}

async fn answer(cx: &Cx, client: &Client, form: &Parameters) -> Result<Response, OAuthFailure> {
    if client.settings.bearer_only {
        return Err(OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed").into());
    }
    let token = form.get("token").ok_or(OAuthError::invalid_request("Token not provided"))?;
    Ok(match revoke::run(cx, client, token).await? {
        Outcome::Revoked => StatusCode::OK.into_response(),
        Outcome::Invalid => {
            json_response(StatusCode::OK, &json!({"error": "invalid_token", "error_description": "Invalid token"}))
        }
        Outcome::Refused(error) => oauth_response(&error),
    })
}
