//! The password grant (RFC 6749 §4.3), which Keycloak calls direct access grants.
//!
//! Two statements: one finds the user, one opens the session on the versions that the decision was taken on.

use serde_json::{Map, Value};

use super::open::{self, Request};
use super::{Granted, Outcome, Rejection, Trace, refused};
use crate::flow::context::Cx;
use crate::flow::password::Check;
use crate::flow::session_lookup::ATTEMPTS;
use crate::model::credential::PASSWORD;
use crate::model::session::ClientSessionDetails;
use crate::model::{Client, User};
use crate::oidc::token_id::GrantLetters;
use crate::oidc::token_request::PasswordLogin;
use crate::oidc::{OAuthError, OAuthErrorCode, scope};
use crate::store::{self, StoreError};

pub async fn run(cx: &Cx, client: &Client, request: &PasswordLogin) -> Result<Outcome, StoreError> {
    if let Err(rejection) = check_client(cx, client, request) {
        return Ok(Err(rejection));
    }
    let (user, trace) = match authenticate(cx, request).await? {
        Ok(found) => found,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let mut cx = cx.clone();
    let mut user = user;
    for _ in 0..ATTEMPTS {
        if let Some(outcome) = attempt(&cx, client, request, &user, &trace).await? {
            return Ok(outcome);
        }
        let Some(fresh) = cx.refreshed().await? else { break };
        cx = fresh;
        let realm = &cx.snapshot().realm.id;
        let Some(again) = store::user::find_user(&mut cx.store().db().await?, realm, &user.id).await? else { break };
        user = again;
    }
    Ok(Err(wrong_credentials(trace)))
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

fn wrong_credentials(trace: Trace) -> Rejection {
    Rejection::new(OAuthError::invalid_grant("Invalid user credentials"), "invalid_user_credentials", trace)
}

/// Finds the user and checks the password. An unknown name costs as much work as a known one and is answered alike.
async fn authenticate(cx: &Cx, request: &PasswordLogin) -> Result<Result<(User, Trace), Rejection>, StoreError> {
    let mut details = Map::new();
    details.insert("auth_method".to_owned(), Value::from("openid-connect"));
    details.insert("username".to_owned(), Value::from(request.username.as_str()));
    let mut trace = Trace { details, ..Trace::default() };
    let realm = &cx.snapshot().realm;
    let mut db = cx.store().db().await?;
    let by_email = cx.settings().login_with_email_allowed;
    let user = store::user::find_user_by_login(&mut db, &realm.id, &request.username, by_email).await?;
    let credentials = match &user {
        Some(user) => store::credential::list_credentials(&mut db, &realm.id, &user.id).await?,
        None => Vec::new(),
    };
    drop(db);
    trace.user = user.as_ref().map(|u| u.id.clone());
    let stored = credentials.iter().find(|c| c.kind == PASSWORD);
    let empty = crate::base::Secret::new("");
    let presented = request.password.as_ref().unwrap_or(&empty);
    let check = cx.server.passwords.check(presented, stored).await;
    let (Some(user), Some(stored)) = (user, stored) else {
        let unknown = trace.user.is_none();
        let mut rejection = wrong_credentials(trace);
        rejection.event_error = if unknown { "user_not_found" } else { rejection.event_error };
        return Ok(Err(rejection));
    };
    match check {
        Check::Busy => return Ok(Err(Rejection::new(busy(), "temporarily_unavailable", trace))),
        Check::Wrong => return Ok(Err(wrong_credentials(trace))),
        Check::RightButWeak => super::super::login::rehash(cx, &user.id, stored, presented).await?,
        Check::Right => {}
    }
    Ok(check_account(cx, &user).map(|()| (user, trace.clone())).map_err(|(error, word)| Rejection::new(error, word, trace)))
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
    let incomplete = !cx.snapshot().realm.is_master() && !user.has_complete_profile();
    if incomplete || !user.required_actions.is_empty() {
        return Err((OAuthError::invalid_grant("Account is not fully set up"), "resolve_required_actions"));
    }
    Ok(())
}

async fn attempt(
    cx: &Cx,
    client: &Client,
    request: &PasswordLogin,
    user: &User,
    trace: &Trace,
) -> Result<Option<Outcome>, StoreError> {
    let scope = request.scope.as_deref();
    let refresh_tokens = client.uses_refresh_tokens();
    let admitted = match open::admit(cx, client, user, scope, refresh_tokens) {
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
        details: ClientSessionDetails { nonce: None, level: Some(1) },
        refresh_tokens,
        nonce: None,
    };
    let mut db = cx.store().db().await?;
    let opened = open::open(cx, &mut db, &opening, &admitted).await?;
    Ok(opened.map(|opened| {
        let mut all = trace.details.clone();
        all.extend(opened.trace.details);
        Ok(Granted { tokens: opened.tokens, trace: Trace { details: all, ..opened.trace } })
    }))
}
