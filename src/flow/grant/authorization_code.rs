//! The exchange of a code (RFC 6749 §4.1.3).
//!
//! The code is spent first, in the same transaction that opens what it stands for, and it stays spent whatever is refused
//! afterwards. A second use ends what the first one opened (RFC 6749 §4.1.2).

use super::open::{self, Opening, Request};
use super::{Granted, Outcome, Rejection, Trace, refused};
use crate::base::sha256;
use crate::flow::context::Cx;
use crate::flow::stopped::Stopped;
use crate::flow::{brute_force, lapsed, session_lookup};
use crate::model::authorization_code::AuthorizationCode;
use crate::model::session::{ClientSessionDetails, Session};
use crate::model::{Client, ClientId, SessionKind, User};
use crate::oidc::brute_force::Lock;
use crate::oidc::token_id::GrantLetters;
use crate::oidc::token_request::CodeExchange;
use crate::oidc::{OAuthError, OAuthErrorCode, pkce};
use crate::store::authorization_code::Consumed;
use crate::store::client_session::WhenEmpty;
use crate::store::{self, Db, StoreError};

/// One attempt; `None`, and the code is as it was, if realm or user have changed in between.
pub async fn run(cx: &Cx, client: &Client, request: &CodeExchange) -> Result<Option<Outcome>, StoreError> {
    if client.settings.bearer_only {
        let error = OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed");
        return Ok(Some(Err(Rejection::new(error, "invalid_client", Trace::default()))));
    }
    let hash = sha256(request.code.as_bytes());
    match cx.store().in_tx_or(async |db| attempt(cx, db, client, request, &hash).await).await {
        Ok(outcome) => Ok(Some(outcome)),
        Err(Stopped::Moved) => Ok(None),
        Err(Stopped::Failed(error)) => Err(error),
    }
}

fn invalid_code(trace: Trace) -> Rejection {
    Rejection::new(OAuthError::invalid_grant("Code not valid"), "invalid_code", trace)
}

async fn attempt(cx: &Cx, db: &mut Db<'_>, client: &Client, request: &CodeExchange, hash: &[u8; 32]) -> Result<Outcome, Stopped> {
    let realm = &cx.snapshot().realm.id;
    let code = match store::authorization_code::consume(db, realm, hash, cx.now).await? {
        Consumed::Fresh(code) => code,
        Consumed::Unknown => return Ok(Err(invalid_code(Trace::default()))),
        Consumed::Replayed(code, opened) => {
            if let Some(kind) = opened {
                let rule = (WhenEmpty::Keep, cx.now);
                store::client_session::detach(db, kind, realm, &code.session_id, &code.client, rule).await?;
            }
            return Ok(Err(invalid_code(trace(&code))));
        }
    };
    let Some(user) = store::user::find_user(db, realm, &code.user_id).await? else {
        return Ok(Err(invalid_code(trace(&code))));
    };
    if let Err(rejection) = check(cx, client, request, &code, &user) {
        return Ok(Err(rejection));
    }
    // A logout that comes in between waits, or has ended the session: an exchange does not bring it back.
    if !store::client_session::lock_session(db, SessionKind::Online, realm, &code.session_id).await? {
        return Ok(Err(invalid_code(trace(&code))));
    }
    let client_id = ClientId::new(client.client_id.as_str());
    let found = store::token_use::find(db, SessionKind::Online, realm, &code.session_id, &client_id, None).await?;
    let alive = found.filter(|s| session_lookup::session_is_alive(cx.settings(), SessionKind::Online, s, cx.now));
    // A sign-in from before a not-before opens nothing, as in the browser.
    let not_before = user.not_before.max(cx.snapshot().realm.not_before);
    let is_welcome = |session: &Session| session.auth_time.unwrap_or_else(|| session.started_at.unix_seconds()) >= not_before;
    let Some(found) = alive.filter(|found| is_welcome(&found.session)) else { return Ok(Err(invalid_code(trace(&code)))) };
    exchange(cx, db, client, hash, &code, &user, found.session).await
}

/// What the code is bound to: client, redirect URI, challenge, time, and a user who may still come in.
fn check(cx: &Cx, client: &Client, request: &CodeExchange, code: &AuthorizationCode, user: &User) -> Result<(), Rejection> {
    let reject = |error: OAuthError, word: &'static str| Err(Rejection::new(error, word, trace(code)));
    if code.expires_at <= cx.now {
        return Err(invalid_code(trace(code)));
    }
    if code.client != client.uuid {
        return reject(OAuthError::invalid_grant("Auth error: Found different client_id in clientSession"), "invalid_code");
    }
    if request.redirect_uri.as_deref() != Some(&code.grant.redirect_uri) {
        return reject(OAuthError::invalid_grant("Incorrect redirect_uri"), "invalid_code");
    }
    if let Err(error) = pkce::verify(code.grant.challenge.as_ref(), request.verifier.as_deref()) {
        return reject(error, "pkce_verification_failed");
    }
    if !user.enabled {
        return reject(OAuthError::invalid_grant("User disabled"), "user_disabled");
    }
    Ok(())
}

fn trace(code: &AuthorizationCode) -> Trace {
    Trace { user: Some(code.user_id.clone()), session: Some(code.session_id.clone()), ..Trace::default() }
}

async fn exchange(
    cx: &Cx,
    db: &mut Db<'_>,
    client: &Client,
    hash: &[u8; 32],
    code: &AuthorizationCode,
    user: &User,
    online: Session,
) -> Result<Outcome, Stopped> {
    let scope = code.grant.scope.as_deref();
    let refresh_tokens = client.uses_refresh_tokens();
    let admitted = match open::admit(cx, client, user, scope, refresh_tokens, code.grant.issued_at) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            let error = refused(refusal);
            let word = if error.code == OAuthErrorCode::NotAllowed { "not_allowed" } else { "invalid_code" };
            return Ok(Err(Rejection::new(error, word, trace(code))));
        }
    };
    let offline = refresh_tokens && admitted.scopes.asks_offline();
    // A locked user opens nothing, by whatever was asked for before; what is open goes on.
    if offline && brute_force::is_on(cx) && brute_force::lock_of(cx, db, user).await?.is_some() {
        let error = OAuthError::invalid_grant("User temporarily disabled");
        return Ok(Err(Rejection::new(error, Lock::Temporary.event_error(), trace(code))));
    }
    if offline {
        lapsed::make_way(cx, db, client, &online).await?;
    }
    let session = if offline { Session { started_at: cx.now, last_grant_at: cx.now, ..online } } else { online };
    let request = Request {
        client,
        user,
        scope,
        grant: GrantLetters::AuthorizationCode,
        session,
        details: ClientSessionDetails {
            nonce: code.grant.nonce.clone(),
            level: Some(code.grant.level),
            ..ClientSessionDetails::default()
        },
        refresh_tokens,
        nonce: code.grant.nonce.as_deref(),
    };
    let opened = match open::open(cx, db, &request, &admitted).await? {
        Opening::Done(opened) => opened,
        Opening::Moved => return Err(Stopped::Moved),
        Opening::Full => return Ok(Err(open::full(trace(code)))),
        Opening::CodeSpent => return Ok(Err(open::wrong_credentials(trace(code)))),
    };
    let realm = &cx.snapshot().realm.id;
    store::authorization_code::note_opened(db, realm, hash, opened.kind).await?;
    if opened.kind == SessionKind::Offline {
        // A browser that only ever asked for offline access is not signed in; one that was, is now at this client too.
        if code.grant.first_offline {
            store::session::end(db, SessionKind::Online, realm, &code.session_id).await?;
        } else {
            store::client_session::attach(db, realm, &code.session_id, &client.uuid, &request.details, cx.now).await?;
        }
    }
    Ok(Ok(Granted { tokens: opened.tokens, trace: opened.trace }))
}
