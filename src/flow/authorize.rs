//! The authorization endpoint (OIDC Core §3.1.2): a request either gets its code from the session that the browser has, or a
//! tab in which the user signs in.

use std::sync::Arc;

use super::browser::{Browser, Move, Next, PageStep};
use super::context::Cx;
use super::session_lookup::ATTEMPTS;
use super::signed_in::{self, SignedIn};
use super::{pending, sign_in, tab};
use crate::model::authentication_session::{Authenticated, Progress, SignInRequest, TabRequest};
use crate::model::session::Session;
use crate::oidc::authorization_request::{self, Failure, Valid};
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::StoreError;

/// What the browser was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    SignIn,
    /// The same request, and the form for new users first: `…/registrations`, or `prompt=create`.
    Register,
}

pub async fn run(cx: &Cx, browser: &Browser, wish: Wish, parameters: &Parameters) -> Result<Move, StoreError> {
    let identified = match authorization_request::identify(cx.snapshot(), cx.server_url(), parameters) {
        Ok(identified) => identified,
        Err(page) => return Ok(Move::to(Next::Error(page))),
    };
    let valid = match authorization_request::validate(cx.snapshot(), identified, parameters) {
        Ok(valid) => valid,
        Err((_, Failure::Page(page))) => return Ok(Move::to(Next::Error(page))),
        Err((identified, Failure::Redirect { error, mode })) => {
            return Ok(Move::to(Next::Client(identified.refuse(&error, mode, &cx.issuer))));
        }
    };
    if wish == Wish::Register || valid.prompt.create && !valid.prompt.none {
        return register(cx, browser, &valid).await;
    }
    for _ in 0..ATTEMPTS {
        let signed_in = signed_in::signed_in(cx, browser).await?;
        if let Some(moved) = decide(cx, browser, &valid, signed_in).await? {
            return Ok(moved);
        }
    }
    Err(StoreError::Busy)
}

/// The form for new users, whoever is signed in.
async fn register(cx: &Cx, browser: &Browser, valid: &Valid) -> Result<Move, StoreError> {
    if !cx.settings().registration_allowed {
        return Ok(Move::error("registrationNotAllowedMessage"));
    }
    let progress = Progress::Password { message: None, known_user: None };
    let client = Arc::clone(&valid.identified.client);
    let (tab, keep) = tab::open(cx, browser, &client, TabRequest::SignIn(request_of(valid)), progress).await?;
    Ok(Move { next: Next::Page(tab::page(&client, &tab, PageStep::Registration)), keep: vec![keep] })
}

/// `None`: the session was ended while it was looked at.
async fn decide(cx: &Cx, browser: &Browser, valid: &Valid, signed_in: Option<SignedIn>) -> Result<Option<Move>, StoreError> {
    let reauthenticate = signed_in.as_ref().is_some_and(|s| must_sign_in_again(cx, valid, &s.session));
    let refuse = |code| {
        let response = valid.identified.refuse(&OAuthError::bare(400, code), valid.mode, &cx.issuer);
        Ok(Some(Move::to(Next::Client(response))))
    };
    let present = match signed_in {
        Some(present) if !reauthenticate => present,
        _ if valid.prompt.none => return refuse(OAuthErrorCode::LoginRequired),
        other => return ask_password(cx, browser, valid, other).await.map(Some),
    };
    let client = Arc::clone(&valid.identified.client);
    let request = request_of(valid);
    let asks = !sign_in::asked(cx, &client, &present.user, &request).is_empty();
    let action = pending::next(cx, &present.user, &[]);
    if valid.prompt.none && (asks || action.is_some()) {
        return refuse(OAuthErrorCode::InteractionRequired);
    }
    let authenticated = Authenticated {
        user_id: present.user.id.clone(),
        login_name: present.session.login_name.clone(),
        remember_me: present.session.remember_me,
        auth_time: present.session.auth_time.unwrap_or_else(|| present.session.started_at.unix_seconds()),
        level: 0,
        session: Some(present.session.id.clone()),
        asked: Vec::new(),
        actions: Vec::new(),
        mailed: None,
    };
    if !asks && action.is_none() {
        return sign_in::complete(cx, browser, &client, None, &request, &present.user, &authenticated).await;
    }
    let progress = Progress::Authenticated(authenticated);
    let (tab, keep) = tab::open(cx, browser, &client, TabRequest::SignIn(request), progress).await?;
    let step = action.unwrap_or(PageStep::Consent);
    Ok(Some(Move { next: Next::Page(tab::page(&client, &tab, step)), keep: vec![keep] }))
}

/// Whether a user who is signed in has to type the password again.
fn must_sign_in_again(cx: &Cx, valid: &Valid, session: &Session) -> bool {
    let age = session.auth_time.map_or(i64::MAX, |at| cx.now.unix_seconds().saturating_sub(at));
    let too_old = valid.max_age.is_some_and(|max| max == 0 || age > max);
    valid.prompt.login || valid.asks_level || too_old
}

fn request_of(valid: &Valid) -> SignInRequest {
    SignInRequest {
        redirect_uri: valid.identified.redirect_uri.clone(),
        response_mode: valid.mode.as_str().to_owned(),
        state: valid.identified.state.clone(),
        scope: valid.scope.clone(),
        nonce: valid.nonce.clone(),
        challenge: valid.challenge.clone(),
        login_hint: valid.login_hint.clone(),
        ui_locales: valid.ui_locales.clone(),
        ask_consent: valid.prompt.consent,
    }
}

async fn ask_password(cx: &Cx, browser: &Browser, valid: &Valid, signed_in: Option<SignedIn>) -> Result<Move, StoreError> {
    let message = signed_in.as_ref().filter(|_| !valid.asks_level).map(|_| "reauthenticate".to_owned());
    let known_user = signed_in.as_ref().map(|s| s.user.id.clone());
    let progress = Progress::Password { message, known_user };
    let client = Arc::clone(&valid.identified.client);
    let request = TabRequest::SignIn(request_of(valid));
    let (tab, keep) = tab::open(cx, browser, &client, request, progress).await?;
    Ok(Move { next: Next::Page(tab::page(&client, &tab, PageStep::Login)), keep: vec![keep] })
}
