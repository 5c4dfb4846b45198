//! Why a token, or a grant that an administrator sees in a list, works or does not. It is read, and nothing of it is used: asking
//! does not move an idle clock, and a token that was used before is not taken for a theft.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::base::Timestamp;
use crate::flow::context::Cx;
use crate::flow::{keys, session_lookup};
use crate::model::{Client, ClientId, SessionId, SessionKind, User};
use crate::oidc::explanation::{self, Check, Holder, Lives};
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::rotation::{Outcome, RotationMode};
use crate::oidc::session_limits::{self, Usage};
use crate::store::token_use::SessionUse;
use crate::store::{self, StoreError};

/// What is asked about.
#[derive(Clone, Debug)]
pub enum Subject {
    Token(String),
    Grant { kind: SessionKind, session: SessionId, client: ClientId },
}

/// Every rule in the order of the answers: the first that is broken is the one that clients are told.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// `Offline`, `Refresh`, `Bearer`, `ID`; none for a grant.
    pub token_type: Option<String>,
    pub session: Option<SessionId>,
    pub client: Option<Arc<Client>>,
    pub user: Option<Arc<User>>,
    pub checks: Vec<Check>,
    /// When the grant ends if it stays unused.
    pub ends_at: Option<Timestamp>,
}

impl Explanation {
    fn of(checks: Vec<Check>) -> Self {
        Self { token_type: None, session: None, client: None, user: None, checks, ends_at: None }
    }

    pub fn is_usable(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }
}

pub async fn run(cx: &Cx, subject: &Subject) -> Result<Explanation, StoreError> {
    match subject {
        Subject::Grant { kind, session, client } => {
            let place = Place { kinds: &[*kind], session, client: client.as_str(), issued_at: None, scope: None, claims: None };
            grant(cx, Explanation::of(Vec::new()), place).await
        }
        Subject::Token(text) => token(cx, text).await,
    }
}

async fn token(cx: &Cx, text: &str) -> Result<Explanation, StoreError> {
    let signed = keys::claims_of_any_node(cx, text).await?;
    let Some((cx, claims)) = signed else {
        let says = "the signature is of none of the realm's keys, or this is no token";
        return Ok(Explanation::of(vec![Check::new("signature", false, says)]));
    };
    let of = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let mut checks = vec![Check::new("signature", true, "signed by a key of the realm")];
    let issuer = of("iss").unwrap_or_default();
    checks.push(Check::new("issuer", issuer == cx.issuer, format!("issued as {issuer}, this address is {}", cx.issuer)));
    if let Some(exp) = number("exp").filter(|exp| *exp != 0) {
        let expires = Timestamp::from_unix_seconds(exp);
        checks.push(Check::new("expiry", expires > cx.now, "the token's own expiry").at(expires));
    }
    let kind = of("typ").unwrap_or_default().to_owned();
    let explanation = Explanation { token_type: Some(kind.clone()), ..Explanation::of(checks) };
    let kinds: &[SessionKind] = match kind.as_str() {
        "Refresh" => &[SessionKind::Online],
        "Offline" => &[SessionKind::Offline],
        "ID" => &[SessionKind::Online, SessionKind::Offline],
        _ => session_lookup::kinds_of(&claims).unwrap_or_default(),
    };
    let client = of("azp").unwrap_or_default();
    let Some(session) = of("sid") else { return service_account(&cx, explanation, client, &claims).await };
    let session = SessionId::new(session);
    let place = Place { kinds, session: &session, client, issued_at: number("iat"), scope: of("scope"), claims: Some(&claims) };
    grant(&cx, explanation, place).await
}

/// A token without a session: a client acts for itself.
async fn service_account(
    cx: &Cx,
    mut explanation: Explanation,
    client_id: &str,
    claims: &Map<String, Value>,
) -> Result<Explanation, StoreError> {
    let Some(client) = known_client(cx, &mut explanation, client_id) else { return Ok(explanation) };
    let of = |name: &str| claims.get(name).and_then(Value::as_str);
    let issued_at = claims.get("iat").and_then(Value::as_i64);
    explanation.checks.extend(issued_at.map(|issued_at| explanation::realm_not_before(&cx.snapshot().realm, issued_at)));
    let mut db = cx.store().db().await?;
    let jti = of("jti").unwrap_or_default();
    let found = store::token_use::find_without_session(&mut db, &cx.snapshot().realm.id, &client.uuid, jti).await?;
    drop(db);
    let Some((_, user, version, is_revoked)) = found else {
        explanation.checks.push(Check::new("session-found", false, "the token names no session, and the client has no account"));
        return Ok(explanation);
    };
    explanation.checks.push(Check::new("session-found", true, "none is needed: the client acts for itself"));
    explanation.checks.push(token_revoked(is_revoked));
    if let Some(user) = cx.server.realms.user_at(cx.store(), &cx.snapshot().realm.id, &user, version).await? {
        let holder = Holder { realm: cx.snapshot(), client: &client, user: &user, kind: None, issued_at, scope: of("scope") };
        explanation.checks.extend(explanation::admission(holder));
        explanation.user = Some(user);
    }
    Ok(explanation)
}

fn known_client(cx: &Cx, explanation: &mut Explanation, client_id: &str) -> Option<Arc<Client>> {
    explanation.client = cx.snapshot().client(client_id).map(Arc::clone);
    if explanation.client.is_none() {
        explanation.checks.push(Check::new("client-found", false, format!("there is no client {client_id}")));
    }
    explanation.client.clone()
}

fn token_revoked(is_revoked: bool) -> Check {
    Check::new(
        "token-revoked",
        !is_revoked,
        if is_revoked { "the token was revoked by itself" } else { "it was not revoked by itself" },
    )
}

/// Where a grant stands, and what a token says of it.
struct Place<'a> {
    kinds: &'a [SessionKind],
    session: &'a SessionId,
    client: &'a str,
    issued_at: Option<i64>,
    scope: Option<&'a str>,
    claims: Option<&'a Map<String, Value>>,
}

async fn grant(cx: &Cx, mut explanation: Explanation, place: Place<'_>) -> Result<Explanation, StoreError> {
    explanation.session = Some(place.session.clone());
    let Some(client) = known_client(cx, &mut explanation, place.client) else { return Ok(explanation) };
    // Before the session: what ends all sessions of a realm sets it, too.
    explanation.checks.extend(place.issued_at.map(|issued_at| explanation::realm_not_before(&cx.snapshot().realm, issued_at)));
    let jti = place.claims.and_then(|claims| claims.get("jti")).and_then(Value::as_str);
    let Some((kind, found)) = find(cx, &place, &client, jti).await? else {
        let says = "there is no such session: it was ended, or has lapsed and was removed";
        explanation.checks.push(Check::new("session-found", false, says));
        return Ok(explanation);
    };
    let session = of_session(cx, kind, &found);
    explanation.checks.push(Check::new("session-found", true, format!("{} session", kind.as_str())).at(found.session.started_at));
    explanation.checks.extend(explanation::lapse(session, cx.now));
    if found.session.remember_me {
        let remembers = cx.settings().remember_me;
        let says = if remembers { "the realm remembers sign-ins" } else { "the realm does not remember sign-ins any more" };
        explanation.checks.push(Check::new("remember-me", remembers, says).setting("rememberMe", "realm", remembers));
    }
    match &found.part {
        None => explanation.checks.push(Check::new("part-found", false, "the client has no part in the session any more")),
        Some(part) => {
            let usage = Usage { started_at: part.started_at, last_used_at: part.last_used_at };
            let limits = session_limits::of_client(cx.settings(), &client, kind, found.session.remember_me);
            let part = Lives { what: "part", limits, usage };
            explanation.checks.push(Check::new("part-found", true, "the client's part").at(usage.started_at));
            explanation.checks.extend(explanation::lapse(part, cx.now));
            explanation.ends_at = Some(session_limits::end_of((part.limits, part.usage), (session.limits, session.usage)).at);
        }
    }
    if let Some(issued_at) = place.issued_at {
        let began = found.part.as_ref().map_or(found.session.started_at, |part| part.started_at.max(found.session.started_at));
        let is_of_it = began <= session_lookup::latest_start(issued_at);
        let says = if is_of_it { "issued for this grant" } else { "issued for a grant that was ended; this one was made later" };
        explanation.checks.push(Check::new("issued-for-grant", is_of_it, says).at(began));
        explanation.checks.push(token_revoked(found.token_revoked));
    }
    let user = cx.server.realms.user_at(cx.store(), &cx.snapshot().realm.id, &found.session.user_id, found.user_version).await?;
    if let Some(user) = user {
        let granted = found.part.as_ref().map(|part| part.details.scopes.join(" ")).unwrap_or_default();
        let scope = place
            .scope
            .map(|scope| if kind == SessionKind::Offline { format!("{scope} offline_access") } else { scope.to_owned() });
        let scope = scope.unwrap_or(granted);
        let holder = Holder {
            realm: cx.snapshot(),
            client: &client,
            user: &user,
            kind: Some(kind),
            issued_at: place.issued_at,
            scope: Some(&scope),
        };
        explanation.checks.extend(explanation::admission(holder));
        explanation.user = Some(user);
    }
    if let Some(token) = place.claims.and_then(PresentedRefreshToken::read) {
        explanation.checks.push(rotation(cx, &client, &token).await?);
    }
    Ok(explanation)
}

async fn find(
    cx: &Cx,
    place: &Place<'_>,
    client: &Client,
    jti: Option<&str>,
) -> Result<Option<(SessionKind, SessionUse)>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    for kind in place.kinds {
        let found = store::token_use::find(&mut db, *kind, realm, place.session, &client.client_id, jti).await?;
        if let Some(found) = found {
            return Ok(Some((*kind, found)));
        }
    }
    Ok(None)
}

fn of_session(cx: &Cx, kind: SessionKind, found: &SessionUse) -> Lives<'static> {
    Lives {
        what: "session",
        limits: session_limits::of_session(cx.settings(), kind, found.session.remember_me),
        usage: Usage { started_at: found.session.started_at, last_used_at: found.last_used_at },
    }
}

/// Where the token stands in its chain.
async fn rotation(cx: &Cx, client: &Client, token: &PresentedRefreshToken) -> Result<Check, StoreError> {
    let mode = RotationMode::of(cx.settings(), client);
    let check = |ok, says| Check::new("rotation", ok, says).setting("revokeRefreshToken", "realm", mode.is_on());
    let (mut db, realm) = (cx.store().db().await?, &cx.snapshot().realm.id);
    let found = store::chain_rows::find(&mut db, token.kind, realm, &token.session_id, &client.uuid, &token.chain);
    let Some(chain) = found.await? else { return Ok(check(false, "its chain of tokens is gone")) };
    let RotationMode::On(rules) = mode else { return Ok(check(true, "every token of the grant works")) };
    let outcome = rules.standing((&token.id, token.generation), &chain, cx.now);
    let says = match outcome {
        Outcome::Rotated | Outcome::Used => "the current token of its chain",
        Outcome::Ahead => "ahead of its row: the database has lost commits",
        Outcome::Replayed => "used before; a retry is answered with its successor",
        Outcome::Throttled => "used before, and repeated too often: refused (429) for now, and nothing is lost",
        Outcome::Stale => "superseded a moment ago: refused, and nothing is lost",
        Outcome::Reuse => "used before; using it again ends the grant",
        Outcome::Older => "superseded; using it ends the grant",
    };
    Ok(check(outcome.refusal().is_none(), says).at(chain.rotated_at))
}
