//! Logout: by the browser (OpenID Connect RP-Initiated Logout) and by a client that posts its refresh token (Keycloak).
//!
//! The browser's logout ends the online session and nothing else: what the user granted offline goes on.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use url::Url;

use super::admin_event::{Change, note};
use super::browser::{Browser, Keep};
use super::context::Cx;
use super::grant::open::type_name;
use super::logout_notice::{self, Ending};
use super::signed_in::{self, SignedIn};
use super::{event, keys, tab};
use crate::base::Timestamp;
use crate::model::admin_event::ResourceType;
use crate::model::authentication_session::{Progress, SignOutRequest, TabRequest};
use crate::model::event::EventKind;
use crate::model::{Client, SessionId, SessionKind, TabId, UserId};
use crate::oidc::authorization_request::PageError;
use crate::oidc::form::Parameters;
use crate::oidc::refresh_token::PresentedRefreshToken;
use crate::oidc::{OAuthError, logout, logout_token};
use crate::store::logout_notice::EndingPart;
use crate::store::{self, StoreError};

/// What the browser sees.
#[derive(Debug)]
pub enum Seen {
    Redirect(String),
    /// "You are logged out".
    Done,
    /// "Do you want to log out?", with the code of its form.
    Confirm {
        tab: TabId,
        form: String,
        client: Arc<Client>,
    },
    /// "Logging out": a frame for each client that is told in the browser, and the way on.
    Frames {
        frames: Vec<Frame>,
        target: Option<String>,
    },
    Error(PageError),
}

/// A client that hears of the logout by the address that its frame loads.
#[derive(Debug)]
pub struct Frame {
    pub client: Arc<Client>,
    pub url: Url,
}

#[derive(Debug)]
pub struct Outcome {
    pub seen: Seen,
    pub keep: Vec<Keep>,
}

impl Outcome {
    fn error(message: &'static str, argument: Option<&'static str>) -> Self {
        Self { seen: Seen::Error(PageError { status: 400, message, argument }), keep: Vec::new() }
    }
}

/// A request that may be answered.
struct Request {
    client: Option<Arc<Client>>,
    /// The session that the ID token names.
    hinted: Option<SessionId>,
    target: Option<String>,
    state: Option<String>,
}

pub async fn run(cx: &Cx, browser: &Browser, parameters: &Parameters) -> Result<Outcome, StoreError> {
    let request = match read(cx, parameters) {
        Ok(request) => request,
        Err(outcome) => return Ok(outcome),
    };
    let signed_in = signed_in::signed_in(cx, browser).await?;
    let is_hinted = match (&signed_in, &request.hinted) {
        (Some(present), Some(hinted)) => present.session.id == *hinted,
        (None, Some(_)) => true,
        (None, None) => request.client.is_some() && request.target.is_some(),
        (Some(_), None) => false,
    };
    if is_hinted {
        return end(cx, signed_in, request.client.as_deref(), request.target.as_deref(), request.state.as_deref()).await;
    }
    confirm(cx, browser, request).await
}

fn read(cx: &Cx, parameters: &Parameters) -> Result<Request, Outcome> {
    let target = parameters.filled("post_logout_redirect_uri").map(str::to_owned);
    let hint = parameters.filled("id_token_hint");
    let named = parameters.filled("client_id");
    if target.is_some() && hint.is_none() && named.is_none() {
        return Err(Outcome::error("missingParameterMessage", Some("id_token_hint")));
    }
    let hint = match hint {
        Some(token) => Some(read_hint(cx, token, named)?),
        None => None,
    };
    let client_id = named.or(hint.as_ref().map(|h| h.client_id.as_str()));
    let client = client_id.and_then(|id| cx.snapshot().client(id)).filter(|c| c.enabled).map(Arc::clone);
    if let Some(target) = &target
        && !client.as_ref().is_some_and(|c| logout::allows_target(c, target, cx.server_url()))
    {
        return Err(Outcome::error("invalidRedirectUriMessage", None));
    }
    let state = parameters.get("state").map(str::to_owned);
    Ok(Request { client, hinted: hint.map(|h| h.session_id), target, state })
}

struct Hint {
    client_id: String,
    session_id: SessionId,
}

/// An ID token of this realm, expired or not, for the client that is named (if one is).
fn read_hint(cx: &Cx, token: &str, named: Option<&str>) -> Result<Hint, Outcome> {
    let invalid = || Outcome::error("invalidParameterMessage", Some("id_token_hint"));
    let claims = keys::verified_id_token(cx, token).ok_or_else(invalid)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let fits = text("iss") == Some(&cx.issuer);
    let (Some(client_id), Some(session_id), true) = (text("azp"), text("sid"), fits) else { return Err(invalid()) };
    if named.is_some_and(|n| n != client_id) {
        return Err(invalid());
    }
    Ok(Hint { client_id: client_id.to_owned(), session_id: SessionId::new(session_id) })
}

/// Ends the browser's session, and sends it on.
async fn end(
    cx: &Cx,
    signed_in: Option<SignedIn>,
    client: Option<&Client>,
    target: Option<&str>,
    state: Option<&str>,
) -> Result<Outcome, StoreError> {
    let (mut keep, mut frames) = (Vec::new(), Vec::new());
    if let Some(present) = signed_in {
        let parts = end_session(cx, SessionKind::Online, &present.session.id).await?;
        frames = parts.iter().flatten().filter_map(|part| frame(cx, part)).collect();
        record(cx, client, Some(&present.user.id), &present.session.id, Map::new()).await?;
        keep.push(Keep::SignedOut);
    }
    let target = target.map(|target| logout::target_with_state(target, state));
    let seen = match target {
        target if !frames.is_empty() => Seen::Frames { frames, target },
        Some(target) => Seen::Redirect(target),
        None => Seen::Done,
    };
    Ok(Outcome { seen, keep })
}

fn frame(cx: &Cx, part: &EndingPart) -> Option<Frame> {
    let client = cx.snapshot().clients.get(&part.client)?;
    let url = logout_token::frontchannel_url(client, cx.server_url(), &cx.issuer, &part.session)?;
    Some(Frame { client: Arc::clone(client), url })
}

/// Asks the user, because nothing proves that the request is theirs.
async fn confirm(cx: &Cx, browser: &Browser, request: Request) -> Result<Outcome, StoreError> {
    let Some(client) = request.client.or_else(|| cx.snapshot().client("account").map(Arc::clone)) else {
        return Ok(Outcome::error("clientNotFoundMessage", None));
    };
    let sign_out = TabRequest::SignOut(SignOutRequest { redirect_uri: request.target, state: request.state });
    let (tab, keep) = tab::open(cx, browser, &client, sign_out, Progress::ConfirmLogout).await?;
    let Some(form) = tab::show(cx, &tab, &tab.progress).await? else { return Err(StoreError::Busy) };
    Ok(Outcome { seen: Seen::Confirm { tab: tab.tab, form, client }, keep: vec![keep] })
}

/// The user said yes. The form works once and only in the browser that was asked.
pub async fn confirmed(cx: &Cx, browser: &Browser, tab_id: &str, form: &str) -> Result<Outcome, StoreError> {
    let expired = || Outcome::error("expiredCodeMessage", None);
    let Some(tab) = tab::take(cx, browser, &TabId::new(tab_id), form).await? else { return Ok(expired()) };
    let TabRequest::SignOut(request) = &tab.request else { return Ok(expired()) };
    if tab.expires_at <= cx.now {
        return Ok(expired());
    }
    let client = cx.snapshot().clients.get(&tab.client);
    // What was registered when the user was asked may not be any more.
    let target = request.redirect_uri.as_deref().filter(|t| client.is_some_and(|c| logout::allows_target(c, t, cx.server_url())));
    store::authentication_session::delete_tab(&mut cx.store().db().await?, &cx.snapshot().realm.id, &tab.tab).await?;
    let signed_in = signed_in::signed_in(cx, browser).await?;
    end(cx, signed_in, client.map(Arc::as_ref), target, request.state.as_deref()).await
}

/// A client posts its refresh token: the session behind it ends, for all its clients. An offline token ends the offline session
/// and the online one of the same sign-in; a session that is over already is no error.
pub async fn by_refresh_token(cx: &Cx, client: &Client, token: &str) -> Result<Result<(), OAuthError>, StoreError> {
    let claims = keys::verified_internal_claims(cx, token);
    let token = claims.as_ref().and_then(PresentedRefreshToken::read).filter(|t| t.issuer == cx.issuer);
    let Some(token) = token else { return refuse(cx, client, "Invalid refresh token").await };
    if token.client_id != client.client_id.as_str() {
        return refuse(cx, client, "Invalid refresh token. Token client and authorized client don't match").await;
    }
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let found = store::token_use::find(&mut db, token.kind, realm, &token.session_id, &client.client_id, None).await?;
    drop(db);
    let Some(found) = found else { return Ok(Ok(())) };
    if found.session.started_at > Timestamp::from_unix_seconds(token.issued_at.saturating_add(2)) {
        return refuse(cx, client, "Refresh token issued before the user session started").await;
    }
    end_session(cx, token.kind, &token.session_id).await?;
    let details = Map::from_iter([event::client_auth_method(client)]);
    tracing::debug!(session.kind = type_name(token.kind), "a client logged a session out");
    record(cx, Some(client), Some(&found.session.user_id), &token.session_id, details).await?;
    Ok(Ok(()))
}

async fn refuse(cx: &Cx, client: &Client, reason: &'static str) -> Result<Result<(), OAuthError>, StoreError> {
    let mut failed = event::new(cx, EventKind::Logout).detail("reason", reason);
    failed.error = Some("invalid_token".to_owned());
    failed.client_id = Some(client.client_id.to_string());
    failed.details.extend([event::client_auth_method(client)]);
    event::record(cx, &failed).await?;
    Ok(Err(OAuthError::invalid_grant(reason)))
}

/// Ends a session; an offline one takes the online one of the same id along. The parts of clients that want to know of it, which
/// have been told as far as they are told by this server; `None` if there was no such session.
pub async fn end_session(cx: &Cx, kind: SessionKind, session: &SessionId) -> Result<Option<Vec<EndingPart>>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let ended = cx.store().in_tx(async |db| {
        let which = Ending::One(session);
        let mut told = logout_notice::find(cx, db, kind, which).await?;
        let ended = store::session::end(db, kind, realm, session).await?;
        if ended && kind == SessionKind::Offline {
            told.extend(logout_notice::find(cx, db, SessionKind::Online, which).await?);
            store::session::end(db, SessionKind::Online, realm, session).await?;
        }
        if ended {
            let shown = json!({"offline": kind == SessionKind::Offline});
            note(cx, db, Change::delete(ResourceType::UserSession).showing(shown)).await?;
        }
        let notices = logout_notice::write(cx, db, &told).await?;
        Ok(ended.then_some((told, notices)))
    });
    let Some((told, notices)) = ended.await? else { return Ok(None) };
    logout_notice::send(cx, notices).await;
    Ok(Some(told))
}

async fn record(
    cx: &Cx,
    client: Option<&Client>,
    user: Option<&UserId>,
    session: &SessionId,
    details: Map<String, Value>,
) -> Result<(), StoreError> {
    let mut logout = event::new(cx, EventKind::Logout);
    logout.client_id = client.map(|c| c.client_id.to_string());
    logout.user_id = user.cloned();
    logout.session_id = Some(session.clone());
    logout.details = details;
    event::record(cx, &logout).await
}
