//! The password grant (RFC 6749 §4.3), which Keycloak calls direct access grants.
//!
//! Two statements: one finds the user, one opens the session on the versions that the decision was taken on.

use serde_json::{Map, Value};

use super::open::{self, Request, wrong_credentials};
use super::{Outcome, Rejection, Trace, refused};
use crate::base::Secret;
use crate::flow::context::Cx;
use crate::flow::login;
use crate::flow::password_check::{self, Checked};
use crate::flow::pending;
use crate::flow::second_factor::{self, Proof};
use crate::model::session::ClientSessionDetails;
use crate::model::{Client, User};
use crate::oidc::brute_force::Lock;
use crate::oidc::token_id::GrantLetters;
use crate::oidc::token_request::PasswordLogin;
use crate::oidc::{OAuthError, OAuthErrorCode, scope};
use crate::store::StoreError;

/// One attempt; `None` if realm or user have changed since the password was checked: it has to be checked again.
pub async fn run(cx: &Cx, client: &Client, request: &PasswordLogin) -> Result<Option<Outcome>, StoreError> {
    if let Err(rejection) = check_client(cx, client, request) {
        return Ok(Some(Err(rejection)));
    }
    match authenticate(cx, request).await? {
        Ok(known) => attempt(cx, client, request, &known).await,
        Err(rejection) => Ok(Some(Err(rejection))),
    }
}

fn check_client(cx: &Cx, client: &Client, request: &PasswordLogin) -> Result<(), Rejection> {
    let trace = Trace::default;
    if client.settings.bearer_only {
        let error = OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed");
        return Err(Rejection::new(error, "invalid_client", trace()));
    }
    if !client.settings.direct_access_grants_enabled {
        let error = OAuthError::new(400, OAuthErrorCode::UnauthorizedClient, "Client not allowed for direct access grants");
        return Err(Rejection::new(error, "not_allowed", trace()));
    }
    if client.settings.consent_required {
        let error = OAuthError::new(400, OAuthErrorCode::InvalidClient, "Client requires user consent");
        return Err(Rejection::new(error, "consent_denied", trace()));
    }
    scope::check(cx.snapshot(), client, request.scope.as_deref()).map_err(|e| Rejection::new(e, "invalid_request", trace()))
}

/// Who has proven to be whom.
struct Known {
    user: User,
    /// The one-time code that proved it, where the user has a device.
    code: Option<Proof>,
    trace: Trace,
}

/// Finds the user and checks the password. An unknown name costs as much work as a known one and is answered alike.
async fn authenticate(cx: &Cx, request: &PasswordLogin) -> Result<Result<Known, Rejection>, StoreError> {
    let mut details = Map::new();
    details.insert("auth_method".to_owned(), Value::from("openid-connect"));
    details.insert("username".to_owned(), Value::from(request.username.as_str()));
    let mut trace = Trace { details, ..Trace::default() };
    let user = login::find_by_name(cx, &request.username).await?;
    trace.user = user.as_ref().map(|u| u.id.clone());
    let empty = Secret::new("");
    let presented = request.password.as_ref().unwrap_or(&empty);
    let is_known = user.is_some();
    let locked = |lock: Lock, trace| Rejection { event_error: lock.event_error(), ..wrong_credentials(trace) };
    let proven = match password_check::check(cx, user, presented).await? {
        Checked::Right(proven) => proven,
        Checked::Busy => return Ok(Err(Rejection::new(busy(), "temporarily_unavailable", trace))),
        Checked::Locked(lock) => return Ok(Err(locked(lock, trace))),
        Checked::Wrong => {
            let mut rejection = wrong_credentials(trace);
            rejection.event_error = if is_known { rejection.event_error } else { "user_not_found" };
            return Ok(Err(rejection));
        }
    };
    let user = proven.user;
    let mut proof = None;
    if let Some(devices) = proven.second_factor {
        // Who does not know of the code has not guessed at one.
        let Some(code) = &request.code else { return Ok(Err(wrong_credentials(trace))) };
        match second_factor::check(cx, &user, &devices, None, code.expose()).await? {
            second_factor::Checked::Right(right) => proof = Some(right),
            second_factor::Checked::Wrong => return Ok(Err(wrong_credentials(trace))),
            second_factor::Checked::Locked(lock) => return Ok(Err(locked(lock, trace))),
        }
    }
    Ok(match check_account(cx, &user) {
        Ok(()) => Ok(Known { user, code: proof, trace }),
        Err((error, word)) => Err(Rejection::new(error, word, trace)),
    })
}

/// A server that is asked for more hashes than it can compute says so: a client must not throw its credentials away.
pub fn busy() -> OAuthError {
    OAuthError::new(503, OAuthErrorCode::TemporarilyUnavailable, "Too many sign-ins at this moment, please try again")
}

/// What keeps an account from signing in where nobody can be asked anything.
fn check_account(cx: &Cx, user: &User) -> Result<(), (OAuthError, &'static str)> {
    if !user.enabled {
        return Err((OAuthError::invalid_grant("Account disabled"), "user_disabled"));
    }
    let incomplete = !pending::is_profile_complete(cx, user) || pending::owes_proof_of_address(cx, user);
    if incomplete || !user.required_actions.is_empty() {
        return Err((OAuthError::invalid_grant("Account is not fully set up"), "resolve_required_actions"));
    }
    Ok(())
}

async fn attempt(cx: &Cx, client: &Client, request: &PasswordLogin, known: &Known) -> Result<Option<Outcome>, StoreError> {
    let Known { user, code, trace } = known;
    let scope = request.scope.as_deref();
    let refresh_tokens = client.uses_refresh_tokens();
    let admitted = match open::admit(cx, client, user, scope, refresh_tokens, None) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let session = open::new_session_id(cx);
            let trace = Trace { session: Some(session), ..trace.clone() };
            let word = if refused(refusal).code == OAuthErrorCode::NotAllowed { "not_allowed" } else { "invalid_request" };
            return Ok(Some(Err(Rejection::new(refused(refusal), word, trace))));
        }
    };
    let opening = Request {
        client,
        user,
        scope,
        grant: GrantLetters::Password,
        session: open::new_session(cx, user, &request.username),
        details: ClientSessionDetails { level: Some(1), ..ClientSessionDetails::default() },
        refresh_tokens,
        nonce: None,
    };
    Ok(open::open_alone(cx, &opening, &admitted, code.as_ref()).await?.outcome(trace))
}
