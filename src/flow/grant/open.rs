//! Opening a session for a grant: shared by all grants that open one.

use serde_json::{Map, Value};

use super::{Granted, Outcome, Rejection, Trace};
use crate::flow::admin::offline_grant::room;
use crate::flow::context::Cx;
use crate::flow::issue_tokens::{self, Mint, MintRefresh, MintSession, Tokens};
use crate::flow::second_factor::{self, Proof};
use crate::flow::stopped::Stopped;
use crate::flow::{event, keys};
use crate::model::event::{EndReason, EventKind};
use crate::model::session::{ClientSessionDetails, Session};
use crate::model::{ChainId, Client, SessionId, SessionKind, TokenId, User};
use crate::oidc::OAuthError;
use crate::oidc::admission::{self, Admitted, Refusal, Subject};
use crate::oidc::grant_limits::GrantLimits;
use crate::oidc::rotation::{self, RotationMode};
use crate::oidc::scope;
use crate::oidc::session_limits::{self, Starts};
use crate::oidc::token_id::{self, GrantLetters, TokenSession};
use crate::store::session::{self, DecidedOn};
use crate::store::{self, Db, StoreError};

/// What a grant wants to open.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub client: &'a Client,
    pub user: &'a User,
    pub scope: Option<&'a str>,
    pub grant: GrantLetters,
    pub session: Session,
    pub details: ClientSessionDetails,
    /// Whether the answer carries a refresh token at all.
    pub refresh_tokens: bool,
    pub nonce: Option<&'a str>,
}

/// The session that a grant opened, and the tokens for it.
#[derive(Clone, Debug)]
pub struct OpenedGrant {
    pub kind: SessionKind,
    pub tokens: Tokens,
    pub trace: Trace,
}

/// Whether user and client may have what is asked. An offline token is asked for by the scope's presence alone. `issued_at`: when
/// the code was issued that is exchanged; none where the user proves anew who they are.
pub fn admit<'a>(
    cx: &'a Cx,
    client: &'a Client,
    user: &'a User,
    scope: Option<&'a str>,
    refresh_tokens: bool,
    issued_at: Option<i64>,
) -> Result<Admitted<'a>, Refusal> {
    let subject = Subject { realm: cx.snapshot(), client, user, issued_at, offline: false, scope };
    let admitted = admission::admit(&subject)?;
    let offline = refresh_tokens && admitted.scopes.asks_offline();
    if offline && !scope::may_have_offline_token(cx.snapshot(), &admitted.effective) {
        return Err(Refusal::OfflineTokenNotAllowed);
    }
    Ok(admitted)
}

/// What became of an opening.
#[derive(Clone, Debug)]
pub enum Opening {
    Done(Box<OpenedGrant>),
    /// Realm or user have changed; decide again.
    Moved,
    /// The user has as many offline grants as realm or client allow.
    Full,
    /// The one-time code has been taken by another opening.
    CodeSpent,
}

impl Opening {
    /// As the outcome of a grant, with what is known of it already; none where it is to be decided again.
    pub fn outcome(self, known: &Trace) -> Option<Outcome> {
        match self {
            Self::Done(opened) => {
                let mut details = known.details.clone();
                details.extend(opened.trace.details);
                Some(Ok(Granted { tokens: opened.tokens, trace: Trace { details, ..opened.trace } }))
            }
            Self::Moved => None,
            Self::Full => Some(Err(full(known.clone()))),
            Self::CodeSpent => Some(Err(wrong_credentials(known.clone()))),
        }
    }
}

pub fn full(trace: Trace) -> Rejection {
    Rejection::new(OAuthError::too_many_offline_grants(), "offline_session_limit_exceeded", trace)
}

/// What a client hears whose user could not prove to be it.
pub fn wrong_credentials(trace: Trace) -> Rejection {
    Rejection::new(OAuthError::invalid_grant("Invalid user credentials"), "invalid_user_credentials", trace)
}

/// Opens in a transaction of its own, if it takes more than the one statement. `code`: what proved the user, and is taken along.
pub async fn open_alone(
    cx: &Cx,
    request: &Request<'_>,
    admitted: &Admitted<'_>,
    code: Option<&Proof>,
) -> Result<Opening, StoreError> {
    let has_limits = admitted.scopes.asks_offline() && GrantLimits::of(cx.settings(), request.client).are_set();
    if has_limits || code.is_some() {
        // Grants that gave way, and the code, come back where it is decided anew.
        let opened = cx.store().in_tx_or(async |db| {
            if let Some(code) = code
                && !second_factor::take(cx, db, request.user, code).await?
            {
                return Ok(Opening::CodeSpent);
            }
            match open(cx, db, request, admitted).await? {
                Opening::Moved => Err(Stopped::Moved),
                opened => Ok(opened),
            }
        });
        return match opened.await {
            Ok(opened) => Ok(opened),
            Err(Stopped::Moved) => Ok(Opening::Moved),
            Err(Stopped::Failed(error)) => Err(error),
        };
    }
    open(cx, &mut cx.store().db().await?, request, admitted).await
}

/// Opens the session and mints the tokens.
pub async fn open(cx: &Cx, db: &mut Db<'_>, request: &Request<'_>, admitted: &Admitted<'_>) -> Result<Opening, StoreError> {
    let settings = cx.settings();
    let asks_offline = admitted.scopes.asks_offline();
    let kind = if asks_offline && request.refresh_tokens { SessionKind::Offline } else { SessionKind::Online };
    if kind == SessionKind::Offline && !room::make(cx, db, request.client, &request.user.id, &request.session.id).await? {
        return Ok(Opening::Full);
    }
    let rotation = RotationMode::of(settings, request.client);
    let chain = if rotation.is_on() { ChainId::new(cx.entropy().uuid()) } else { ChainId::new("") };
    let first = token_id::refresh_token_id(cx.entropy(), 0);
    let session_limits = session_limits::of_session(settings, kind, request.session.remember_me);
    let part_limits = session_limits::of_client(settings, request.client, kind, request.session.remember_me);
    let key = keys::internal_key(&cx.realm.keys, &cx.snapshot().realm.id)?;
    let mut details = request.details.clone();
    details.scopes = admitted.scopes.full_scope().split(' ').map(str::to_owned).collect();
    let opening = session::Opening {
        kind,
        session: &request.session,
        client: &request.client.uuid,
        details: &details,
        chain: &chain,
        current: rotation.is_on().then_some(&first),
        key_id: &crate::model::KeyId::new(key.kid()),
        bucket: cx.now.floor_to(rotation::bucket_span(session_limits::shortest_idle(settings, request.client, kind))),
        session_max_cutoff: session_limits.cutoffs(cx.now).max,
        part_max_cutoff: part_limits.cutoffs(cx.now).max,
    };
    let on = DecidedOn {
        realm: &cx.snapshot().realm.id,
        realm_version: cx.snapshot().realm.version,
        user: &request.user.id,
        user_version: request.user.version,
    };
    let Some(opened) = store::session::open(db, on, &opening).await? else { return Ok(Opening::Moved) };
    if rotation.is_on() {
        end_surplus_chains(cx, db, request, (kind, &chain), opened.chains_before).await?;
    }
    let id = if rotation.is_on() { first } else { token_id::refresh_token_id(cx.entropy(), opened.generation) };
    let token_session = if asks_offline { TokenSession::Offline } else { TokenSession::Online };
    let full_scope = admitted.scopes.full_scope();
    let token_scope = admitted.scopes.token_scope();
    let mint = Mint {
        client: request.client,
        user: request.user,
        scopes: &admitted.scopes.permitted,
        roles: &admitted.effective,
        token_scope: &token_scope,
        answer_scope: &token_scope,
        grant: request.grant,
        token_session,
        notes: &request.session.notes,
        session: Some(MintSession {
            kind,
            id: &request.session.id,
            starts: Starts { session: opened.session_started_at, client: opened.part_started_at },
            remember_me: request.session.remember_me,
            auth_time: request.session.auth_time,
            // An offline part keeps the details of its first request for later refreshes; this answer is of this request.
            details: &request.details,
        }),
        refresh: refresh(request, &id, &chain, cx, &full_scope),
        id_token: admitted.scopes.openid,
        nonce: request.nonce,
    };
    let tokens = issue_tokens::mint(cx, &mint).await?;
    let trace = trace(request, kind, &tokens);
    Ok(Opening::Done(Box::new(OpenedGrant { kind, tokens, trace })))
}

/// A client that signs in over and over in one session, and forgets what it got, does not fill the tables.
async fn end_surplus_chains(
    cx: &Cx,
    db: &mut Db<'_>,
    request: &Request<'_>,
    (kind, newest): (SessionKind, &ChainId),
    before: i64,
) -> Result<(), StoreError> {
    let max = rotation::max_chains(cx.settings(), request.client);
    if before < max {
        return Ok(());
    }
    let (realm, session) = (&cx.snapshot().realm.id, &request.session.id);
    for chain in store::chain_rows::end_surplus(db, kind, realm, (session, &request.client.uuid, newest), max).await? {
        let mut ended = event::new(cx, EventKind::RevokeGrant)
            .because(EndReason::TooManyChains)
            .detail("reuse_id", chain.as_str())
            .detail("refresh_token_type", type_name(kind));
        ended.client_id = Some(request.client.client_id.to_string());
        ended.user_id = Some(request.user.id.clone());
        ended.session_id = Some(session.clone());
        event::record_in(cx, db, &ended).await?;
    }
    Ok(())
}

fn refresh<'a>(request: &Request<'_>, id: &'a TokenId, chain: &'a ChainId, cx: &Cx, scope: &'a str) -> Option<MintRefresh<'a>> {
    request.refresh_tokens.then_some(MintRefresh { id, chain, issued_at: cx.now, scope })
}

fn trace(request: &Request<'_>, kind: SessionKind, tokens: &Tokens) -> Trace {
    let mut details = Map::new();
    details.insert("scope".to_owned(), Value::from(tokens.scope.as_str()));
    let refresh_type = tokens.refresh_token.is_some().then_some(type_name(kind));
    event::put(&mut details, "refresh_token_type", refresh_type);
    Trace { user: Some(request.user.id.clone()), session: Some(request.session.id.clone()), details }
}

/// The type of a refresh token as events name it.
pub fn type_name(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::Online => "Refresh",
        SessionKind::Offline => "Offline",
    }
}

/// A new session of a user, begun now.
pub fn new_session(cx: &Cx, user: &User, login_name: &str) -> Session {
    Session {
        id: new_session_id(cx),
        user_id: user.id.clone(),
        started_at: cx.now,
        last_grant_at: cx.now,
        ip_address: cx.origin.ip_address.clone(),
        user_agent: cx.origin.user_agent.clone(),
        login_name: login_name.to_owned(),
        remember_me: false,
        auth_time: None,
        notes: Map::new(),
    }
}

/// A `sid`: 18 random bytes, as Keycloak's since 26.5. It is never taken from a cookie (CVE-2025-12390).
pub fn new_session_id(cx: &Cx) -> SessionId {
    SessionId::new(cx.entropy().token::<18>())
}
