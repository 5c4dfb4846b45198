//! The client that calls: who it says it is, whether it is, and whether its page may read the answer.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;

use crate::flow::Cx;
use crate::http::cors::{Cors, InvalidOrigin};
use crate::http::error::OAuthFailure;
use crate::http::extract::Caller;
use crate::model::Client;
use crate::oidc::client_authentication::Presented;
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, client_authentication};

/// Headers that pages may read beyond the usual ones.
pub(super) const EXPOSED: &str = "Access-Control-Allow-Methods";

/// The id and the proof that came with the request, not looked at yet.
pub(super) fn presented(headers: &HeaderMap, form: &Parameters) -> Option<Presented> {
    let authorization = headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
    client_authentication::read(authorization, form)
}

pub(super) fn authenticate(cx: &Cx, headers: &HeaderMap, form: &Parameters) -> Result<Arc<Client>, OAuthError> {
    let presented = presented(headers, form).ok_or_else(OAuthError::invalid_client)?;
    let client = cx.snapshot().client(&presented.client_id).ok_or_else(OAuthError::invalid_client)?;
    client_authentication::verify(client, &presented)?;
    Ok(Arc::clone(client))
}

/// An answer, and who may read it.
pub(super) struct Readable {
    pub response: Response,
    pub cors: Cors,
}

impl Readable {
    pub(super) fn finish(self) -> Response {
        let mut response = self.response;
        self.cors.put_on(&mut response, EXPOSED);
        response
    }
}

/// What stands at the beginning of the token, revocation and logout endpoints (RFC 6749 §3.2): realm, form, client, origin.
pub(super) fn admit(
    cx: &Cx,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<(Arc<Client>, Cors), OAuthFailure> {
    if !cx.snapshot().realm.enabled {
        return Err(OAuthError::realm_not_enabled().into());
    }
    if form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter").into());
    }
    let client = authenticate(cx, headers, form)?;
    let cors =
        Cors::for_client(headers, &caller.base, &client).map_err(|invalid: InvalidOrigin| OAuthFailure::Origin(invalid))?;
    Ok((client, cors))
}
