//! The one place where tokens are minted, whatever the grant.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::context::Cx;
use super::keys;
use crate::base::Timestamp;
use crate::jose::{self, Key};
use crate::model::session::ClientSessionDetails;
use crate::model::{ChainId, Client, ClientScope, RoleId, SessionId, SessionKind, TokenId, User, own_attributes};
use crate::oidc::access_token::{self, Envelope};
use crate::oidc::admission;
use crate::oidc::mapper::{self, Facts};
use crate::oidc::refresh_token::RefreshClaims;
use crate::oidc::session_limits::{self, SessionEnds, Starts};
use crate::oidc::token_id::{self, GrantLetters, TokenSession};
use crate::store::StoreError;

/// A successful answer of the token endpoint (RFC 6749 §5.1), with Keycloak's additions.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: String,
    /// The `jti` of each, for events.
    pub access_token_id: String,
    pub refresh_token_id: Option<String>,
    pub expires_in: i64,
    /// 0 where there is no refresh token, or one without an expiry.
    pub refresh_expires_in: i64,
    pub refresh_token: Option<String>,
    pub token_type: &'static str,
    pub id_token: Option<String>,
    pub not_before_policy: i64,
    pub session_state: Option<String>,
    pub scope: String,
}

/// The session that the tokens belong to.
#[derive(Clone, Debug)]
pub struct MintSession<'a> {
    pub kind: SessionKind,
    pub id: &'a SessionId,
    pub starts: Starts,
    pub remember_me: bool,
    pub auth_time: Option<i64>,
    pub details: &'a ClientSessionDetails,
}

/// The refresh token that the answer carries.
#[derive(Clone, Debug)]
pub struct MintRefresh<'a> {
    pub id: &'a TokenId,
    pub chain: &'a ChainId,
    /// When it was first minted: a token that is answered again is the same to the byte.
    pub issued_at: Timestamp,
    pub scope: &'a str,
}

/// Everything that an answer is made of.
#[derive(Clone, Debug)]
pub struct Mint<'a> {
    pub client: &'a Client,
    pub user: &'a User,
    /// The scopes and roles of the access token, which a refresh may have narrowed.
    pub scopes: &'a [&'a ClientScope],
    pub roles: &'a HashSet<&'a RoleId>,
    pub token_scope: &'a str,
    pub answer_scope: &'a str,
    pub grant: GrantLetters,
    /// Which session the access token names in its id.
    pub token_session: TokenSession,
    /// Texts of the session, or of the request where there is none.
    pub notes: &'a Map<String, Value>,
    pub session: Option<MintSession<'a>>,
    pub refresh: Option<MintRefresh<'a>>,
    pub id_token: bool,
    /// The nonce of the authorization request, at its own exchange only.
    pub nonce: Option<&'a str>,
}

/// Mints.
pub async fn mint(cx: &Cx, mint: &Mint<'_>) -> Result<Tokens, StoreError> {
    let no_details = ClientSessionDetails::default();
    let facts = facts(cx, mint, &no_details);
    let access_key = access_key(cx, mint.client).await?;
    let expires_at = access_expiry(cx, mint);
    let issued_at = cx.now.unix_seconds();
    let sid = mint.session.as_ref().map(|s| s.id.as_str());
    let lightweight = mint.client.uses_lightweight_access_tokens();
    let access_id = token_id::access_token_id(cx.entropy(), mint.token_session, lightweight, mint.grant);
    let envelope = Envelope { issuer: &cx.issuer, id: &access_id, issued_at, expires_at, session_id: sid };
    let access_claims = access_token::access_claims(&facts, &envelope, mint.token_scope, token_type(mint.client));
    let header_type = if mint.client.flag("access.token.header.type.rfc9068", false) { "at+jwt" } else { "JWT" };
    let access_token = sign(&access_key, header_type, &access_claims)?;
    let id_token = match mint.id_token {
        true => Some(id_token(cx, mint, &facts, &envelope, &access_token).await?),
        false => None,
    };
    let refresh = refresh_token(cx, mint, &facts, &access_claims)?;
    Ok(Tokens {
        access_token,
        refresh_token_id: mint.refresh.as_ref().filter(|_| refresh.is_some()).map(|refresh| refresh.id.to_string()),
        expires_in: expires_at - issued_at,
        refresh_expires_in: refresh.as_ref().map_or(0, |(_, expires_at)| refresh_expires_in(cx, mint, *expires_at)),
        refresh_token: refresh.map(|(token, _)| token),
        token_type: token_type(mint.client),
        id_token,
        not_before_policy: admission::not_before_policy(cx.snapshot(), mint.client, mint.user),
        session_state: sid.map(str::to_owned),
        scope: mint.answer_scope.to_owned(),
        access_token_id: access_id,
    })
}

/// Keycloak answers 0 for a token without an expiry, which reads as "never": a realm may have it say how long it may stay unused.
fn refresh_expires_in(cx: &Cx, mint: &Mint<'_>, expires_at: Option<i64>) -> i64 {
    let (settings, now) = (cx.settings(), cx.now.unix_seconds());
    let says_idle = settings.attributes.get(own_attributes::REFRESH_EXPIRES_IN).is_some_and(|v| v == "idle");
    match (expires_at, &mint.session) {
        (Some(expires_at), _) => expires_at - now,
        (None, Some(session)) if says_idle => {
            let (kind, remembered, starts) = (session.kind, session.remember_me, session.starts);
            session_limits::works_unused_until(settings, mint.client, kind, remembered, starts, cx.now) - now
        }
        (None, _) => 0,
    }
}

fn facts<'a>(cx: &'a Cx, mint: &'a Mint<'a>, no_details: &'a ClientSessionDetails) -> Facts<'a> {
    let session = mint.session.as_ref();
    let details = session.map_or(no_details, |s| s.details);
    Facts {
        realm: cx.snapshot(),
        client: mint.client,
        user: mint.user,
        scopes: mint.scopes,
        roles: mint.roles,
        notes: mint.notes,
        auth_time: session.and_then(|s| s.auth_time),
        level: details.level.unwrap_or(1),
        nonce: details.nonce.as_deref(),
    }
}

async fn access_key(cx: &Cx, client: &Client) -> Result<Key, StoreError> {
    keys::signing_key(cx, keys::algorithm_for(cx, client, "access.token.signed.response.alg")).await
}

fn access_expiry(cx: &Cx, mint: &Mint<'_>) -> i64 {
    // Without a session the token lasts as if one had begun now.
    let (kind, remember_me, starts) = match &mint.session {
        Some(session) => (session.kind, session.remember_me, session.starts),
        None => (SessionKind::Online, false, Starts { session: cx.now, client: cx.now }),
    };
    let ends = SessionEnds::of(cx.settings(), mint.client, kind, remember_me, starts);
    session_limits::access_token_expiry(cx.settings(), mint.client, Some(ends), cx.now)
}

fn token_type(client: &Client) -> &'static str {
    if client.flag("token.response.type.bearer.lower-case", false) { "bearer" } else { "Bearer" }
}

async fn id_token(
    cx: &Cx,
    mint: &Mint<'_>,
    facts: &Facts<'_>,
    envelope: &Envelope<'_>,
    access_token: &str,
) -> Result<String, StoreError> {
    let algorithm = keys::id_algorithm(cx, mint.client);
    let key = match keys::client_key(mint.client, algorithm)? {
        Some(key) => key,
        None => keys::signing_key(cx, algorithm).await?,
    };
    let id = cx.entropy().uuid();
    let envelope = Envelope { id: &id, ..*envelope };
    let nonce = mint.nonce.or_else(|| facts.nonce.filter(|_| mapper::wants_nonce_everywhere(facts)));
    let mut claims = access_token::id_claims(facts, &envelope, nonce);
    claims.insert("at_hash".to_owned(), Value::from(algorithm.half_hash(access_token)));
    sign(&key, "JWT", &claims)
}

/// The refresh token and its expiry, if the answer carries one.
fn refresh_token(
    cx: &Cx,
    mint: &Mint<'_>,
    facts: &Facts<'_>,
    access_claims: &Map<String, Value>,
) -> Result<Option<(String, Option<i64>)>, StoreError> {
    let (Some(session), Some(refresh)) = (&mint.session, &mint.refresh) else { return Ok(None) };
    let expires_at = session_limits::refresh_token_expiry(
        cx.settings(),
        mint.client,
        session.kind,
        session.remember_me,
        session.starts,
        refresh.issued_at,
    );
    let audience: BTreeSet<String> = access_token::audience_of(access_claims);
    let claims = RefreshClaims {
        kind: session.kind,
        issuer: &cx.issuer,
        id: refresh.id,
        issued_at: refresh.issued_at.unix_seconds(),
        expires_at,
        subject: access_claims.get("sub").and_then(Value::as_str),
        client_id: mint.client.client_id.as_str(),
        session_id: session.id,
        scope: refresh.scope,
        chain: refresh.chain,
        audience: &audience,
        nonce: facts.nonce.filter(|_| mapper::wants_nonce_everywhere(facts)),
    };
    let key = keys::internal_key(&cx.realm.keys, &cx.snapshot().realm.id)?;
    Ok(Some((sign(key, "JWT", &claims.to_json())?, expires_at)))
}

/// Signs claims; the key is one that the realm signs with.
pub(super) fn sign(key: &Key, typ: &str, claims: &Map<String, Value>) -> Result<String, StoreError> {
    jose::sign(key, typ, claims).map_err(|e| StoreError::Inconsistent(format!("a token could not be signed: {e}")))
}
