//! The refresh grant (RFC 6749 §6): the hot path, and the heart of offline access.
//!
//! In the usual case it is one statement. The decision is taken on copies of realm and user; the statement names their versions,
//! checks session and part against their limits, and moves the chain. If it finds no row, or the decision was a refusal, the
//! slow path reads everything and says why, in the order of Keycloak's answers.

use std::sync::Arc;

use serde_json::Map;

use super::refresh_event;
use super::{Granted, Outcome, Rejection, Trace, refused};
use crate::base::Timestamp;
use crate::flow::context::Cx;
use crate::flow::issue_tokens::{self, Mint, MintRefresh, MintSession};
use crate::flow::{event, keys, lapsed, logout_notice, session_lookup};
use crate::model::event::EventKind;
use crate::model::{Client, ClientId, KeyId, SessionKind, TokenId, User, UserId};
use crate::oidc::admission::{self, Admitted, Subject};
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::rotation::{self, Outcome as RotationOutcome, RotationMode, Rules};
use crate::oidc::scope::{self, GrantedScopes};
use crate::oidc::session_limits::{self, Starts};
use crate::oidc::token_id::{self, GrantLetters, TokenSession};
use crate::oidc::token_request::Refresh;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::chain::{Again, Step, Stepped};
use crate::store::client_session::WhenEmpty;
use crate::store::session::DecidedOn;
use crate::store::{self, StoreError};
use crate::telemetry::{labels, metrics};

/// The usual case; `None` for everything else, with nothing written.
pub async fn try_fast(cx: &Cx, client: &Client, request: &Refresh) -> Result<Option<Outcome>, StoreError> {
    if scope::check(cx.snapshot(), client, request.scope.as_deref()).is_err() {
        return Ok(None);
    }
    let Ok(token) = present(cx, client, request) else { return Ok(None) };
    let realm = &cx.snapshot().realm.id;
    let user = token.subject.as_deref().and_then(|sub| cx.server.realms.cached_user(realm, &UserId::new(sub)));
    let Some(user) = user else { return Ok(None) };
    let Ok(admitted) = admit(cx, client, &user, &token) else { return Ok(None) };
    finish(cx, client, &user, &admitted, request, &token).await
}

/// The whole of it, once; `None` if realm or user have changed in between.
pub async fn run(cx: &Cx, client: &Client, request: &Refresh) -> Result<Option<Outcome>, StoreError> {
    if let Err(error) = scope::check(cx.snapshot(), client, request.scope.as_deref()) {
        return Ok(Some(Err(Rejection::new(error, "invalid_request", Trace::default()))));
    }
    match present(cx, client, request) {
        Ok(token) => attempt(cx, client, request, &token).await,
        Err(rejection) => Ok(Some(Err(rejection))),
    }
}

/// Reads and verifies the token, and what can be said of it without its session.
fn present(cx: &Cx, client: &Client, request: &Refresh) -> Result<PresentedRefreshToken, Rejection> {
    if client.settings.bearer_only {
        let error = OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed");
        return Err(Rejection::new(error, "invalid_client", Trace::default()));
    }
    let claims = keys::verified_internal_claims(cx, &request.token);
    let token = claims.as_ref().and_then(PresentedRefreshToken::read);
    let garbage = || Rejection::new(OAuthError::invalid_grant("Invalid refresh token"), "invalid_token", Trace::default());
    let token = token.ok_or_else(garbage)?;
    let (not_before, now) = (cx.snapshot().realm.not_before, cx.now.unix_seconds());
    match token.check(&cx.issuer, not_before, client.client_id.as_str(), now) {
        Ok(()) => Ok(token),
        Err(error) => Err(reject(&token, None, error)),
    }
}

fn reject(token: &PresentedRefreshToken, user: Option<&UserId>, error: OAuthError) -> Rejection {
    let details = refresh_event::presented(token);
    let trace = Trace { user: user.cloned(), session: Some(token.session_id.clone()), details };
    let word = if error.code == OAuthErrorCode::NotAllowed { "not_allowed" } else { "invalid_token" };
    Rejection::new(error, word, trace)
}

fn admit<'a>(
    cx: &'a Cx,
    client: &'a Client,
    user: &'a User,
    token: &'a PresentedRefreshToken,
) -> Result<Admitted<'a>, admission::Refusal> {
    admission::admit(&Subject {
        realm: cx.snapshot(),
        client,
        user,
        issued_at: Some(token.issued_at),
        offline: token.kind == SessionKind::Offline,
        scope: token.scope.as_deref(),
    })
}

/// One attempt of the slow path, in the order of Keycloak's answers; `None` if realm or user have moved.
async fn attempt(
    cx: &Cx,
    client: &Client,
    request: &Refresh,
    token: &PresentedRefreshToken,
) -> Result<Option<Outcome>, StoreError> {
    let realm = &cx.snapshot().realm;
    let client_id = ClientId::new(client.client_id.as_str());
    let mut db = cx.store().db().await?;
    let found = store::token_use::find(&mut db, token.kind, &realm.id, &token.session_id, &client_id, None).await?;
    drop(db);
    let refuse = |user: Option<&UserId>, text: &'static str| Ok(Some(Err(reject(token, user, OAuthError::invalid_grant(text)))));
    let Some(found) = found else { return refuse(None, not_found(token.kind)) };
    if found.realm_version != realm.version {
        return Ok(None);
    }
    if !session_lookup::session_is_alive(cx.settings(), token.kind, &found, cx.now) {
        let text = end_lapsed(cx, token, found.last_used_at).await?;
        return refuse(None, text);
    }
    let user = cx.server.realms.user_at(cx.store(), &realm.id, &found.session.user_id, found.user_version).await?;
    let Some(user) = user else { return refuse(None, "Invalid refresh token") };
    if !user.enabled {
        return refuse(Some(&user.id), "User disabled");
    }
    if found.session.started_at > session_lookup::latest_start(token.issued_at) {
        return refuse(Some(&user.id), "Refresh token issued before the user session started");
    }
    if !session_lookup::part_is_alive(cx.settings(), client, token.kind, &found, cx.now) {
        return refuse(Some(&user.id), "Session doesn't have required client");
    }
    if found.part.is_some_and(|part| part.started_at > session_lookup::latest_start(token.issued_at)) {
        return refuse(Some(&user.id), "refresh token issued before the client session started");
    }
    let admitted = match admit(cx, client, &user, token) {
        Ok(admitted) => admitted,
        Err(refusal) => return Ok(Some(Err(reject(token, Some(&user.id), refused(refusal))))),
    };
    if let Some(outcome) = finish(cx, client, &user, &admitted, request, token).await? {
        return Ok(Some(outcome));
    }
    let mut db = cx.store().db().await?;
    let known = store::chain_rows::exists(&mut db, token.kind, &realm.id, &token.session_id, &client.uuid, &token.chain).await?;
    if known {
        return Ok(None);
    }
    // Unknown, or gone with its session since that was read.
    let is_there = store::token_use::find(&mut db, token.kind, &realm.id, &token.session_id, &client_id, None).await?.is_some();
    refuse(Some(&user.id), if is_there { "Stale token" } else { not_found(token.kind) })
}

fn not_found(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Online => "Session not active",
        SessionKind::Offline => "Offline user session not found",
    }
}

/// A session that has lapsed. One that lapsed because the realm's lifespans were changed is told apart, and the refusal ends it;
/// untried it would live again when the setting is taken back. An online one is ended either way, and its clients hear of it.
async fn end_lapsed(cx: &Cx, token: &PresentedRefreshToken, last_used_at: Timestamp) -> Result<&'static str, StoreError> {
    let by_change = cx.snapshot().realm.lifespans_changed_at > last_used_at;
    if by_change || token.kind == SessionKind::Online {
        let ended = cx.store().in_tx(async |db| lapsed::end_session(cx, db, token.kind, &token.session_id).await);
        logout_notice::send(cx, ended.await?).await;
    }
    Ok(match (token.kind, by_change) {
        (SessionKind::Offline, true) => "Offline session not active",
        (kind, _) => not_found(kind),
    })
}

/// Takes the step and answers; `None` if the statement found no row.
async fn finish(
    cx: &Cx,
    client: &Client,
    user: &Arc<User>,
    admitted: &Admitted<'_>,
    request: &Refresh,
    token: &PresentedRefreshToken,
) -> Result<Option<Outcome>, StoreError> {
    let idle = session_limits::shortest_idle(cx.settings(), client, token.kind);
    let key = keys::internal_key(&cx.realm.keys, &cx.snapshot().realm.id)?;
    let step = Step {
        on: DecidedOn {
            realm: &cx.snapshot().realm.id,
            realm_version: cx.snapshot().realm.version,
            user: &user.id,
            user_version: user.version,
        },
        kind: token.kind,
        session: &token.session_id,
        client: &client.uuid,
        chain: &token.chain,
        cutoffs: session_lookup::live_cutoffs(cx.settings(), Some(client), token.kind, cx.now),
        started_by: session_lookup::latest_start(token.issued_at),
        presented: &token.id,
        generation: token.generation,
        key_id: &KeyId::new(key.kid()),
        bucket: cx.now.floor_to(rotation::bucket_span(idle)),
        now: cx.now,
        ip_address: &cx.origin.ip_address,
    };
    let mut db = cx.store().db().await?;
    let stepped = match RotationMode::of(cx.settings(), client) {
        RotationMode::Off => store::chain::use_token(&mut db, &step).await?,
        RotationMode::On(rules) => {
            let successor = token_id::refresh_token_id(cx.entropy(), token.generation.saturating_add(1));
            store::chain::rotate(&mut db, &step, &again(rules, &successor, cx.now)).await?
        }
    };
    drop(db);
    let Some(stepped) = stepped else { return Ok(None) };
    let outcome = RotationOutcome::parse(&stepped.outcome)
        .ok_or_else(|| StoreError::Inconsistent(format!("chain outcome {}", stepped.outcome)))?;
    if let Some(text) = outcome.refusal() {
        return refuse(cx, client, user, token, outcome, text).await.map(|rejection| Some(Err(rejection)));
    }
    if outcome == RotationOutcome::Replayed {
        metrics::refresh_replayed(labels::Realm::of_existing(&cx.snapshot().realm.name), labels::Replay::Grace);
    }
    answer(cx, client, user, admitted, request, token, (outcome, &stepped)).await.map(|granted| Some(Ok(granted)))
}

/// How the token used last is answered again.
fn again(rules: Rules, successor: &TokenId, now: Timestamp) -> Again<'_> {
    let late_limit = rules.late_limit();
    Again {
        successor,
        grace_from: rules.grace_from(now),
        limit: rules.max_reuse.max(late_limit),
        throttles: late_limit > 0,
        late_before: rules.late_before(now),
    }
}

/// A token that is not accepted. Where that tells of a theft, the client's part goes before the answer is out.
async fn refuse(
    cx: &Cx,
    client: &Client,
    user: &User,
    token: &PresentedRefreshToken,
    outcome: RotationOutcome,
    text: &'static str,
) -> Result<Rejection, StoreError> {
    let realm = labels::Realm::of_existing(&cx.snapshot().realm.name);
    if outcome.is_reuse() {
        metrics::refresh_replayed(realm, labels::Replay::Reuse);
        revoke_part(cx, client, token).await?;
    }
    if outcome == RotationOutcome::Throttled {
        metrics::refresh_replayed(realm, labels::Replay::Throttled);
        let rejection = reject(token, Some(&user.id), OAuthError::too_many_requests(text));
        return Ok(Rejection { event_error: "too_many_retries", ..rejection });
    }
    let mut rejection = reject(token, Some(&user.id), OAuthError::invalid_grant(text));
    event::put(&mut rejection.trace.details, "reuse", outcome.is_reuse().then_some("true"));
    Ok(rejection)
}

/// A token was used twice: the client's part of the session goes, with all its chains, and is gone before the answer is out.
async fn revoke_part(cx: &Cx, client: &Client, token: &PresentedRefreshToken) -> Result<(), StoreError> {
    tracing::warn!(realm.name = cx.snapshot().realm.name, client.id = %client.client_id, "a refresh token was used again");
    let realm = &cx.snapshot().realm.id;
    let rule = (WhenEmpty::Keep, cx.now);
    let detach = cx
        .store()
        .in_tx(async |db| store::client_session::detach(db, token.kind, realm, &token.session_id, &client.uuid, rule).await);
    detach.await.map(|_| ())
}

async fn answer(
    cx: &Cx,
    client: &Client,
    user: &User,
    admitted: &Admitted<'_>,
    request: &Refresh,
    token: &PresentedRefreshToken,
    (outcome, stepped): (RotationOutcome, &Stepped),
) -> Result<Granted, StoreError> {
    if outcome == RotationOutcome::Ahead {
        metrics::refresh_ahead(labels::Realm::of_existing(&cx.snapshot().realm.name));
        tracing::error!(realm.name = cx.snapshot().realm.name, "a refresh token was ahead of its row: commits were lost");
    }
    let granted_scope = token.scope.as_deref().unwrap_or_default();
    let narrowed = scope::narrow(granted_scope, request.scope.as_deref());
    let scopes = GrantedScopes::resolve(cx.snapshot(), client, Some(&narrowed), &admitted.held);
    let roles = scope::effective_roles(cx.snapshot(), client, &scopes.permitted, &admitted.held);
    let token_scope = scopes.token_scope();
    let full_token_scope = admitted.scopes.token_scope();
    let answer_scope = if token.kind == SessionKind::Offline { &full_token_scope } else { &token_scope };
    let fresh = token_id::refresh_token_id(cx.entropy(), stepped.generation);
    let (id, issued_at) = match (outcome, &stepped.current) {
        (RotationOutcome::Used, _) | (_, None) => (&fresh, cx.now),
        (_, Some(current)) => (current, stepped.rotated_at),
    };
    let mint = Mint {
        client,
        user,
        scopes: &scopes.permitted,
        roles: &roles,
        token_scope: &token_scope,
        answer_scope,
        grant: GrantLetters::RefreshToken,
        token_session: TokenSession::of(token.kind),
        notes: &stepped.notes,
        session: Some(MintSession {
            kind: token.kind,
            id: &token.session_id,
            starts: Starts { session: stepped.session_started_at, client: stepped.part_started_at },
            remember_me: stepped.remember_me,
            auth_time: stepped.auth_time,
            details: &stepped.details,
        }),
        refresh: client.uses_refresh_tokens().then_some(MintRefresh { id, chain: &token.chain, issued_at, scope: granted_scope }),
        id_token: admitted.scopes.openid,
        nonce: None,
    };
    let tokens = issue_tokens::mint(cx, &mint).await?;
    // Refreshes are many, and hardly any realm keeps their events.
    let is_kept = EventKind::RefreshToken.is_kept(false, cx.settings());
    let details = if is_kept { refresh_event::refreshed(cx, token, answer_scope, outcome) } else { Map::new() };
    Ok(Granted { tokens, trace: Trace { user: Some(user.id.clone()), session: Some(token.session_id.clone()), details } })
}
