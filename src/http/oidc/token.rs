//! The token endpoint (RFC 6749 §3.2).
//!
//! A refresh is first decided on copies of realm and user; its statement confirms them. Where that does not end in tokens, the
//! realm is read anew and everything, the client's authentication included, is decided again on what the database says.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::client::{Readable, admit, proof_of};
use crate::flow::Cx;
use crate::flow::client_authentication::Proof;
use crate::flow::grant::{self, Outcome, authorization_code, client_credentials, password, refresh_token};
use crate::flow::issue_tokens::Tokens;
use crate::flow::keys::{self, Provided};
use crate::flow::session_lookup::ATTEMPTS;
use crate::http::cors::Cors;
use crate::http::error::{OAuthFailure, json, log, no_store, oauth_response};
use crate::http::extract::{Caller, RealmCx, read_form};
use crate::model::Client;
use crate::oidc::OAuthError;
use crate::oidc::form::Parameters;
use crate::oidc::token_request::{CodeExchange, GrantType, PasswordLogin, Refresh};
use crate::store::StoreError;
use crate::telemetry::labels;
use crate::telemetry::metrics;

pub(super) async fn token(RealmCx(cx): RealmCx, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match read_form(&parts.headers, body).await {
        Ok(form) => match answer(&cx, &caller, &parts.headers, &form).await {
            Ok(readable) => readable.finish(),
            Err(failure) => {
                count_failure(&cx, &form, &failure);
                refusal(&caller, &parts.headers, failure)
            }
        },
        Err(error) => refusal(&caller, &parts.headers, error.into()),
    };
    no_store(&mut response);
    response
}

/// The client is not known, or its page may not know: the refusal is for anybody, an unfit origin for nobody.
fn refusal(caller: &Caller, headers: &HeaderMap, failure: OAuthFailure) -> Response {
    let cors = match failure {
        OAuthFailure::Origin(_) => Cors::Silent,
        _ => Cors::for_anybody(headers, &caller.base),
    };
    Readable { response: failure.into_response(), cors }.finish()
}

async fn answer(cx: &Cx, caller: &Caller, headers: &HeaderMap, form: &Parameters) -> Result<Readable, OAuthFailure> {
    let mut proof = proof_of(headers, form);
    if let Some(readable) = fast(cx, caller, headers, form, &mut proof).await? {
        return Ok(readable);
    }
    for attempted in 1..=ATTEMPTS {
        let _held = cx.hold_if(attempted == ATTEMPTS).await?;
        let cx = cx.refreshed().await?.ok_or(OAuthFailure::RealmNotFound)?;
        if let Some(readable) = attempt(&cx, (caller, headers, form), &mut proof, attempted == ATTEMPTS).await? {
            return Ok(readable);
        }
    }
    Err(StoreError::Busy.into())
}

/// One attempt on the realm as it stands, from the client's authentication on. `None` if realm or user changed meanwhile.
async fn attempt(
    cx: &Cx,
    (caller, headers, form): (&Caller, &HeaderMap, &Parameters),
    proof: &mut Proof,
    is_held: bool,
) -> Result<Option<Readable>, OAuthFailure> {
    if !cx.snapshot().realm.enabled {
        return Err(OAuthError::realm_not_enabled().into());
    }
    if form.has_duplicates() {
        return Err(OAuthError::invalid_request("duplicated parameter").into());
    }
    let grant = GrantType::of(form)?;
    let (client, cors) = match admit(cx, caller, headers, form, proof).await {
        Ok(admitted) => admitted,
        Err(failure) => {
            if matches!(failure, OAuthFailure::Refused(_)) {
                grant::record_refused_client(cx, grant, proof.claimed().as_deref()).await?;
            }
            return Err(failure);
        }
    };
    // Before anything is spent: an answer that could not be signed must not have cost the client its token.
    // A key is written to the realm: not while it is held, for that would wait for itself.
    let is_ready =
        if is_held { keys::can_sign_for(cx, &client) } else { keys::provide(cx, &client).await? == Provided::WasThere };
    if !is_ready {
        return Ok(None);
    }
    match run(cx, &client, grant, form).await {
        Ok(Some(outcome)) => Ok(Some(finish(cx, grant, &client, &outcome, cors).await)),
        Ok(None) => Ok(None),
        Err(failure) => {
            count_failure(cx, form, &failure);
            Ok(Some(Readable { response: failure.into_response(), cors }))
        }
    }
}

/// The usual case of the two grants that machines repeat; `None` for everything else, refusals included.
async fn fast(
    cx: &Cx,
    caller: &Caller,
    headers: &HeaderMap,
    form: &Parameters,
    proof: &mut Proof,
) -> Result<Option<Readable>, OAuthFailure> {
    let grant = match GrantType::of(form) {
        Ok(grant @ (GrantType::RefreshToken | GrantType::ClientCredentials)) => grant,
        _ => return Ok(None),
    };
    let Ok((client, cors)) = admit(cx, caller, headers, form, proof).await else { return Ok(None) };
    if !keys::can_sign_for(cx, &client) {
        return Ok(None);
    }
    let outcome = match grant {
        GrantType::RefreshToken => match Refresh::parse(form) {
            Ok(request) => refresh_token::try_fast(cx, &client, &request).await?,
            Err(_) => None,
        },
        _ => client_credentials::run(cx, &client, form.get("scope")).await?.filter(Result::is_ok),
    };
    Ok(match outcome {
        Some(outcome) => Some(finish(cx, grant, &client, &outcome, cors).await),
        None => None,
    })
}

async fn run(cx: &Cx, client: &Client, grant: GrantType, form: &Parameters) -> Result<Option<Outcome>, OAuthFailure> {
    Ok(match grant {
        GrantType::AuthorizationCode => authorization_code::run(cx, client, &CodeExchange::parse(form)?).await?,
        GrantType::RefreshToken => refresh_token::run(cx, client, &Refresh::parse(form)?).await?,
        GrantType::Password => password::run(cx, client, &PasswordLogin::parse(form)?).await?,
        GrantType::ClientCredentials => client_credentials::run(cx, client, form.get("scope")).await?,
    })
}

/// What was decided is answered, also where the event of it cannot be written: the token that was presented may be spent.
async fn finish(cx: &Cx, grant: GrantType, client: &Client, outcome: &Outcome, cors: Cors) -> Readable {
    if let Err(error) = grant::record(cx, grant, client, outcome).await {
        log(&error);
    }
    let response = match outcome {
        Ok(granted) => {
            count(cx, Some(grant), labels::Outcome::Success, labels::TokenError::None);
            tokens(&granted.tokens)
        }
        Err(rejection) => {
            let error = labels::TokenError::from_code(rejection.error.code.as_str());
            count(cx, Some(grant), labels::Outcome::Refused, error);
            oauth_response(&rejection.error)
        }
    };
    Readable { response, cors }
}

fn count(cx: &Cx, grant: Option<GrantType>, outcome: labels::Outcome, error: labels::TokenError) {
    let label = match grant {
        Some(GrantType::AuthorizationCode) => labels::Grant::AuthorizationCode,
        Some(GrantType::RefreshToken) => labels::Grant::RefreshToken,
        Some(GrantType::Password) => labels::Grant::Password,
        Some(GrantType::ClientCredentials) => labels::Grant::ClientCredentials,
        None => labels::Grant::Other,
    };
    metrics::token_request(labels::Realm::of_existing(&cx.snapshot().realm.name), label, outcome, error);
}

fn count_failure(cx: &Cx, form: &Parameters, failure: &OAuthFailure) {
    let (outcome, error) = match failure {
        OAuthFailure::Refused(error) => (labels::Outcome::Refused, labels::TokenError::from_code(error.code.as_str())),
        OAuthFailure::Store(_) => (labels::Outcome::Failed, labels::TokenError::TemporarilyUnavailable),
        _ => (labels::Outcome::Refused, labels::TokenError::Other),
    };
    count(cx, GrantType::of(form).ok(), outcome, error);
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
