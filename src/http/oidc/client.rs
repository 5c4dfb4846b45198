//! The client that calls: who it says it is, whether it is, and whether its page may read the answer.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::response::Response;

use crate::flow::Cx;
use crate::flow::client_authentication::{Proof, authenticate};
use crate::http::cors::{Cors, InvalidOrigin};
use crate::http::error::OAuthFailure;
use crate::http::extract::Caller;
use crate::model::Client;
use crate::oidc::OAuthError;
use crate::oidc::form::Parameters;

/// Headers that pages may read beyond the usual ones.
pub(super) const EXPOSED: &str = "Access-Control-Allow-Methods";

/// The proof that came with the request, not looked at yet.
pub(super) fn proof_of(headers: &HeaderMap, form: &Parameters) -> Proof {
    Proof::read(headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()), form)
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
pub(super) async fn admit(
    cx: &Cx,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
    proof: &mut Proof,
) -> Result<(Arc<Client>, Cors), OAuthFailure> {
    if !cx.snapshot().realm.enabled {
        return Err(OAuthError::realm_not_enabled().into());
    }
    if form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter").into());
    }
    let client = authenticate(cx, proof).await?.map_err(|rejected| rejected.error)?;
    let cors =
        Cors::for_client(headers, &caller.base, &client).map_err(|invalid: InvalidOrigin| OAuthFailure::Origin(invalid))?;
    Ok((client, cors))
}
