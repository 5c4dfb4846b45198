//! The token endpoint (RFC 6749 §3.2).
//!
//! A refresh is first decided on copies of realm and user; its statement confirms them. Where that does not end in tokens, the
//! realm is read anew and everything, the client's authentication included, is decided again on what the database says.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::client::{Readable, admit};
use crate::flow::Cx;
use crate::flow::grant::{self, Outcome, authorization_code, client_credentials, password, refresh_token};
use crate::flow::issue_tokens::Tokens;
use crate::http::cors::Cors;
use crate::http::error::{OAuthFailure, json, no_store, oauth_response};
use crate::http::extract::{Caller, RealmCx, read_form};
use crate::http::state::App;
use crate::model::Client;
use crate::oidc::OAuthError;
use crate::oidc::form::Parameters;
use crate::oidc::token_request::{CodeExchange, GrantType, PasswordLogin, Refresh};
use crate::store::StoreError;
use crate::telemetry::labels;
use crate::telemetry::metrics;

pub(super) async fn token(State(_): State<App>, RealmCx(cx): RealmCx, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match answer(&cx, &caller, &parts.headers, body).await {
        Ok(readable) => readable.finish(),
        // The client is not known, or its page may not know: the refusal is for anybody, an unfit origin for nobody.
        Err(OAuthFailure::Origin(invalid)) => invalid.into_response(),
        Err(failure) => {
            let cors = Cors::for_anybody(&parts.headers, &caller.base);
            Readable { response: failure.into_response(), cors }.finish()
        }
    };
    no_store(&mut response);
    response
}

async fn answer(cx: &Cx, caller: &Caller, headers: &HeaderMap, body: Body) -> Result<Readable, OAuthFailure> {
    let form = read_form(headers, body).await?;
    if let Some(readable) = fast(cx, caller, headers, &form).await? {
        return Ok(readable);
    }
    let cx = cx.refreshed().await?.ok_or(OAuthFailure::RealmNotFound)?;
    if !cx.snapshot().realm.enabled {
        return Err(OAuthError::realm_not_enabled().into());
    }
    if form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter").into());
    }
    let grant = GrantType::of(&form)?;
    let (client, cors) = match admit(&cx, caller, headers, &form) {
        Ok(admitted) => admitted,
        Err(failure) => {
            if let OAuthFailure::Refused(error) = &failure {
                refused_client(&cx, grant, &form, error).await?;
            }
            return Err(failure);
        }
    };
    let outcome = match run(&cx, &client, grant, &form).await {
        Ok(outcome) => outcome,
        Err(failure) => {
            count_failure(&cx, grant, &failure);
            return Ok(Readable { response: failure.into_response(), cors });
        }
    };
    finish(&cx, grant, &client, &outcome, cors).await
}

/// The usual case of the two grants that machines repeat; `None` for everything else, refusals included.
async fn fast(cx: &Cx, caller: &Caller, headers: &HeaderMap, form: &Parameters) -> Result<Option<Readable>, OAuthFailure> {
    let grant = match GrantType::of(form) {
        Ok(grant @ (GrantType::RefreshToken | GrantType::ClientCredentials)) => grant,
        _ => return Ok(None),
    };
    let Ok((client, cors)) = admit(cx, caller, headers, form) else { return Ok(None) };
    let outcome = match grant {
        GrantType::RefreshToken => match Refresh::parse(form) {
            Ok(request) => refresh_token::try_fast(cx, &client, &request).await?,
            Err(_) => None,
        },
        _ => client_credentials::try_fast(cx, &client, form.get("scope")).await?,
    };
    match outcome {
        Some(outcome) => finish(cx, grant, &client, &outcome, cors).await.map(Some),
        None => Ok(None),
    }
}

async fn run(cx: &Cx, client: &Client, grant: GrantType, form: &Parameters) -> Result<Outcome, OAuthFailure> {
    Ok(match grant {
        GrantType::AuthorizationCode => authorization_code::run(cx, client, &CodeExchange::parse(form)?).await?,
        GrantType::RefreshToken => refresh_token::run(cx, client, &Refresh::parse(form)?).await?,
        GrantType::Password => password::run(cx, client, &PasswordLogin::parse(form)?).await?,
        GrantType::ClientCredentials => client_credentials::run(cx, client, form.get("scope")).await?,
    })
}

async fn finish(cx: &Cx, grant: GrantType, client: &Client, outcome: &Outcome, cors: Cors) -> Result<Readable, OAuthFailure> {
    grant::record(cx, grant, client, outcome).await?;
    let response = match outcome {
        Ok(granted) => {
            count(cx, grant, labels::Outcome::Success, labels::TokenError::None);
            tokens(&granted.tokens)
        }
        Err(rejection) => {
            count(cx, grant, labels::Outcome::Refused, labels::TokenError::from_code(rejection.error.code.as_str()));
            oauth_response(&rejection.error)
        }
    };
    Ok(Readable { response, cors })
}

/// A client that did not prove who it is, in the realm's events.
async fn refused_client(cx: &Cx, grant: GrantType, form: &Parameters, error: &OAuthError) -> Result<(), StoreError> {
    count(cx, grant, labels::Outcome::Refused, labels::TokenError::from_code(error.code.as_str()));
    grant::record_refused_client(cx, grant, form.get("client_id").and_then(|id| cx.snapshot().client(id)).map(AsRef::as_ref))
        .await
}

fn count(cx: &Cx, grant: GrantType, outcome: labels::Outcome, error: labels::TokenError) {
    let label = match grant {
        GrantType::AuthorizationCode => labels::Grant::AuthorizationCode,
        GrantType::RefreshToken => labels::Grant::RefreshToken,
        GrantType::Password => labels::Grant::Password,
        GrantType::ClientCredentials => labels::Grant::ClientCredentials,
    };
    metrics::token_request(labels::Realm::of_existing(&cx.snapshot().realm.name), label, outcome, error);
}

fn count_failure(cx: &Cx, grant: GrantType, failure: &OAuthFailure) {
    match failure {
        OAuthFailure::Refused(error) => {
            count(cx, grant, labels::Outcome::Refused, labels::TokenError::from_code(error.code.as_str()));
        }
        _ => count(cx, grant, labels::Outcome::Failed, labels::TokenError::Other),
    }
}

/// RFC 6749 §5.1, with Keycloak's additions.
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    expires_in: i64,
    refresh_expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
    token_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<&'a str>,
    #[serde(rename = "not-before-policy")]
    not_before_policy: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_state: Option<&'a str>,
    scope: &'a str,
}

fn tokens(tokens: &Tokens) -> Response {
    let body = TokenResponse {
        access_token: &tokens.access_token,
        expires_in: tokens.expires_in,
        refresh_expires_in: tokens.refresh_expires_in,
        refresh_token: tokens.refresh_token.as_deref(),
        token_type: tokens.token_type,
        id_token: tokens.id_token.as_deref(),
        not_before_policy: tokens.not_before_policy,
        session_state: tokens.session_state.as_deref(),
        scope: &tokens.scope,
    };
    json(StatusCode::OK, &body)
}
