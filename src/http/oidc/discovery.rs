//! What anybody may know of a realm: its discovery document, its keys, its public page. Answered from the copy.

use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::cors::Cors;
use crate::http::error::{OAuthFailure, Pages, json as json_response};
use crate::http::extract::{Caller, RealmCx, cx_of};
use crate::http::state::App;
use crate::jose::Algorithm;
use crate::oidc::discovery;

pub(super) async fn document(RealmCx(cx): RealmCx, caller: Caller, headers: HeaderMap) -> Response {
    public(&caller, &headers, &discovery::document(cx.snapshot(), &cx.issuer), "application/json")
}

pub(super) async fn certs(RealmCx(cx): RealmCx, caller: Caller, headers: HeaderMap) -> Response {
    let accepts_key_set = accepts(&headers, "application/jwk-set+json");
    let kind = if accepts_key_set { "application/jwk-set+json" } else { "application/json" };
    public(&caller, &headers, &cx.realm.keys.jwks(), kind)
}

/// The realm's public page. A browser that asks for a realm that is not there gets a page.
pub(super) async fn realm(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, OAuthFailure> {
    let Some(cx) = cx_of(&app, &caller, &name).await? else {
        if accepts_html(&headers) {
            return Ok(Pages::without_realm(&app, &headers).not_found());
        }
        return Err(OAuthFailure::RealmNotFound);
    };
    // The one that signs: passive ones are published beside it.
    let signer = cx.realm.keys.signer(Algorithm::Rs256).and_then(|key| key.public());
    let key = signer.map(|k| STANDARD.encode(k.spki_der()));
    let page = json!({
        "realm": cx.snapshot().realm.name,
        "public_key": key,
        "token-service": format!("{}/protocol/openid-connect", cx.issuer),
        "account-service": format!("{}/account", cx.issuer),
        "tokens-not-before": cx.snapshot().realm.not_before,
    });
    Ok(public(&caller, &headers, &page, "application/json;charset=utf-8"))
}

pub(in crate::http) fn accepts_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get(ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains(media_type))
}

fn public(caller: &Caller, headers: &HeaderMap, document: &Value, kind: &'static str) -> Response {
    let mut response = json_response(StatusCode::OK, document);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Cors::for_anybody(headers, &caller.base).put_on(&mut response, "");
    response
}
