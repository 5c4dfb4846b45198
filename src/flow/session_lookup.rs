//! What stands behind a token: its session, user and client, and whether they still let it be used.
//!
//! Introspection, userinfo and the Admin REST API all ask here, so that what ends a token ends it everywhere.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::context::Cx;
use crate::base::Timestamp;
use crate::model::realm::RealmSettings;
use crate::model::{Client, ClientId, SessionId, SessionKind, User};
use crate::oidc::admission::{self, Refusal, Subject};
use crate::oidc::mapper::Facts;
use crate::oidc::scope::{self, GrantedScopes};
use crate::oidc::session_limits::{self, Cutoffs, Usage};
use crate::oidc::token_id;
use crate::store::chain::LiveCutoffs;
use crate::store::token_use::SessionUse;
use crate::store::{self, StoreError};

/// How often a decision is taken again because realm or user changed meanwhile; beyond, the database is called busy.
pub const ATTEMPTS: usize = 4;

/// A token that may be used.
#[derive(Clone, Debug)]
pub struct LiveToken {
    /// The request on the realm that the decision was taken on.
    pub cx: Cx,
    pub client: Arc<Client>,
    pub user: Arc<User>,
    /// None for the token of a service account.
    pub session: Option<SessionUse>,
}

impl LiveToken {
    /// What mappers are told about the token, which carries this scope: the user's roles of the moment, and the session's texts.
    pub fn tell<T>(&self, scope: Option<&str>, say: impl FnOnce(&Facts<'_>) -> T) -> T {
        let held = self.cx.snapshot().roles_of(&self.user);
        let scopes = GrantedScopes::resolve(self.cx.snapshot(), &self.client, scope, &held);
        let roles = scope::effective_roles(self.cx.snapshot(), &self.client, &scopes.permitted, &held);
        let empty = Map::new();
        let session = self.session.as_ref();
        let details = session.and_then(|s| s.part.as_ref()).map(|p| &p.details);
        say(&Facts {
            realm: self.cx.snapshot(),
            client: &self.client,
            user: &self.user,
            scopes: &scopes.permitted,
            roles: &roles,
            notes: session.map_or(&empty, |s| &s.session.notes),
            auth_time: session.and_then(|s| s.session.auth_time),
            level: details.and_then(|d| d.level).unwrap_or(1),
            nonce: details.and_then(|d| d.nonce.as_deref()),
        })
    }
}

/// Why a token may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// It lacks what every token of this server has.
    Malformed,
    Expired,
    SessionNotFound,
    ClientGone,
    Revoked,
    Refused(Refusal),
}

/// Looks behind verified claims. `offline_hint`: whether to look only among offline (refresh tokens say it by their type).
pub async fn look_up(cx: &Cx, claims: &Map<String, Value>, kinds: &[SessionKind]) -> Result<Result<LiveToken, Dead>, StoreError> {
    let mut cx = cx.clone();
    for attempted in 1..=ATTEMPTS {
        let _held = cx.hold_if(attempted == ATTEMPTS).await?;
        if attempted > 1 {
            match cx.refreshed().await? {
                Some(fresh) => cx = fresh,
                None => return Ok(Err(Dead::SessionNotFound)),
            }
        }
        if let Some(answer) = attempt(&cx, claims, kinds).await? {
            return Ok(answer);
        }
    }
    Err(StoreError::Busy)
}

/// The stores in which the session of an access token may be.
pub fn kinds_of(claims: &Map<String, Value>) -> Option<&'static [SessionKind]> {
    claims.get("jti").and_then(Value::as_str).and_then(token_id::session_of).map(token_id::TokenSession::kinds)
}

/// One attempt; `None` if the realm has another version than the copy.
async fn attempt(
    cx: &Cx,
    claims: &Map<String, Value>,
    kinds: &[SessionKind],
) -> Result<Option<Result<LiveToken, Dead>>, StoreError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let (Some(azp), Some(jti), Some(issued_at)) = (text("azp"), text("jti"), claims.get("iat").and_then(Value::as_i64)) else {
        return Ok(Some(Err(Dead::Malformed)));
    };
    if text("iss") != Some(&cx.issuer) {
        return Ok(Some(Err(Dead::Malformed)));
    }
    let expires_at = claims.get("exp").and_then(Value::as_i64).filter(|exp| *exp != 0);
    if expires_at.is_some_and(|exp| exp <= cx.now.unix_seconds()) {
        return Ok(Some(Err(Dead::Expired)));
    }
    let token = Token { azp, jti, issued_at, scope: text("scope"), sid: text("sid").or(text("session_state")) };
    if kinds.is_empty() { without_session(cx, &token).await } else { with_session(cx, &token, kinds).await }
}

struct Token<'a> {
    azp: &'a str,
    jti: &'a str,
    issued_at: i64,
    scope: Option<&'a str>,
    sid: Option<&'a str>,
}

async fn with_session(cx: &Cx, token: &Token<'_>, kinds: &[SessionKind]) -> Result<Option<Result<LiveToken, Dead>>, StoreError> {
    let Some(sid) = token.sid else { return Ok(Some(Err(Dead::Malformed))) };
    let realm = &cx.snapshot().realm;
    let (session_id, client_id) = (SessionId::new(sid), ClientId::new(token.azp));
    let mut found = None;
    for kind in kinds {
        let mut db = cx.store().db().await?;
        if let Some(session) = store::token_use::find(&mut db, *kind, &realm.id, &session_id, &client_id, Some(token.jti)).await?
        {
            found = Some((*kind, session));
            break;
        }
    }
    let Some((kind, session)) = found else {
        return Ok(Some(Err(match cx.snapshot().client(token.azp) {
            None => Dead::ClientGone,
            // The realm's not-before is looked at before the session: logout-all sets it and ends them all.
            Some(_) if token.issued_at < realm.not_before => Dead::Refused(Refusal::Stale),
            Some(_) => Dead::SessionNotFound,
        })));
    };
    if session.realm_version != realm.version {
        return Ok(None);
    }
    let Some(client) = cx.snapshot().client(token.azp).map(Arc::clone) else { return Ok(Some(Err(Dead::ClientGone))) };
    let user = cx.server.realms.user_at(cx.store(), &realm.id, &session.session.user_id, session.user_version).await?;
    let Some(user) = user else { return Ok(Some(Err(Dead::SessionNotFound))) };
    if session.token_revoked {
        return Ok(Some(Err(Dead::Revoked)));
    }
    if !is_alive(cx.settings(), &client, kind, &session, cx.now) {
        return Ok(Some(Err(Dead::SessionNotFound)));
    }
    // The same sid may have been granted anew: what was taken away before does not come back with it.
    let part_started_at = session.part.as_ref().map(|part| part.started_at);
    if part_started_at.max(Some(session.session.started_at)) > Some(latest_start(token.issued_at)) {
        return Ok(Some(Err(Dead::Refused(Refusal::Stale))));
    }
    Ok(Some(admitted(cx, token, client, user, Some((kind, session)))))
}

async fn without_session(cx: &Cx, token: &Token<'_>) -> Result<Option<Result<LiveToken, Dead>>, StoreError> {
    let realm = &cx.snapshot().realm;
    let Some(client) = cx.snapshot().client(token.azp).map(Arc::clone) else { return Ok(Some(Err(Dead::ClientGone))) };
    let mut db = cx.store().db().await?;
    let found = store::token_use::find_without_session(&mut db, &realm.id, &client.uuid, token.jti).await?;
    drop(db);
    let Some((realm_version, user_id, user_version, revoked)) = found else { return Ok(Some(Err(Dead::SessionNotFound))) };
    if realm_version != realm.version {
        return Ok(None);
    }
    if revoked {
        return Ok(Some(Err(Dead::Revoked)));
    }
    let user = cx.server.realms.user_at(cx.store(), &realm.id, &user_id, user_version).await?;
    let Some(user) = user else { return Ok(Some(Err(Dead::SessionNotFound))) };
    Ok(Some(admitted(cx, token, client, user, None)))
}

/// The last word is admission's, as for every grant.
fn admitted(
    cx: &Cx,
    token: &Token<'_>,
    client: Arc<Client>,
    user: Arc<User>,
    session: Option<(SessionKind, SessionUse)>,
) -> Result<LiveToken, Dead> {
    let offline = session.as_ref().is_some_and(|(kind, _)| *kind == SessionKind::Offline);
    // The scope of a narrowed access token does not name `offline_access`; the session it belongs to was granted it.
    let scope = if offline { Some(format!("{} offline_access", token.scope.unwrap_or_default())) } else { None };
    let scope = scope.as_deref().or(token.scope);
    let subject =
        Subject { realm: cx.snapshot(), client: &client, user: &user, issued_at: Some(token.issued_at), offline, scope };
    admission::admit(&subject).map_err(Dead::Refused)?;
    Ok(LiveToken { cx: cx.clone(), session: session.map(|(_, s)| s), client, user })
}

/// Whether session and part are there and within their limits.
pub fn is_alive(realm: &RealmSettings, client: &Client, kind: SessionKind, found: &SessionUse, now: Timestamp) -> bool {
    session_is_alive(realm, kind, found, now) && part_is_alive(realm, client, kind, found, now)
}

pub fn session_is_alive(realm: &RealmSettings, kind: SessionKind, found: &SessionUse, now: Timestamp) -> bool {
    let usage = Usage { started_at: found.session.started_at, last_used_at: found.last_used_at };
    is_within_limits(realm, kind, found.session.remember_me, usage, now)
}

pub fn is_within_limits(realm: &RealmSettings, kind: SessionKind, remembered: bool, usage: Usage, now: Timestamp) -> bool {
    let limits = session_limits::of_session(realm, kind, remembered);
    (realm.remember_me || !remembered) && !limits.has_lapsed(usage, now)
}

pub fn part_is_alive(realm: &RealmSettings, client: &Client, kind: SessionKind, found: &SessionUse, now: Timestamp) -> bool {
    let limits = session_limits::of_client(realm, client, kind, found.session.remember_me);
    found.part.as_ref().is_some_and(|part| {
        let usage = Usage { started_at: part.started_at, last_used_at: part.last_used_at };
        !limits.has_lapsed(usage, now)
    })
}

/// The latest start that a session, and a client's part in it, may have had when a token was issued, in seconds since 1970: whole
/// seconds, and one of tolerance.
pub fn latest_start(issued_at: i64) -> Timestamp {
    Timestamp::from_unix_micros((issued_at.saturating_add(2)).saturating_mul(1_000_000) - 1)
}

/// The limits of session and part as cut-offs for a statement.
pub fn live_cutoffs(realm: &RealmSettings, client: Option<&Client>, kind: SessionKind, now: Timestamp) -> LiveCutoffs {
    let session = [false, true].map(|rm| session_limits::of_session(realm, kind, rm).cutoffs(now));
    let part = [false, true].map(|rm| match client {
        Some(client) => session_limits::of_client(realm, client, kind, rm).cutoffs(now),
        None => Cutoffs { idle: Timestamp::EARLIEST, max: Timestamp::EARLIEST },
    });
    LiveCutoffs {
        session_idle: session.map(|c| c.idle),
        session_max: session.map(|c| c.max),
        part_idle: part.map(|c| c.idle),
        part_max: part.map(|c| c.max),
        remember_me: realm.remember_me,
    }
}
