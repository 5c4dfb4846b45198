//! The last step of a sign-in: the session is opened or goes on, and the code is issued.

use super::browser::{Browser, Keep, Move, Next, PageStep};
use super::context::Cx;
use super::grant::open;
use super::logout_notice::{self, Ending};
use super::stopped::Stopped;
use super::{event, pending, signed_in, tab};
use crate::base::sha256;
use crate::model::authentication_session::{Authenticated, AuthenticationSession, Progress, SignInRequest, TabRequest};
use crate::model::authorization_code::{AuthorizationCode, CodeGrant};
use crate::model::client_scope::OFFLINE_ACCESS;
use crate::model::event::{EndReason, EventKind};
use crate::model::realm::seconds;
use crate::model::session::Session;
use crate::model::{Client, SessionId, SessionKind, User};
use crate::oidc::admission::{self, Subject};
use crate::oidc::authorization_request::Identified;
use crate::oidc::consent::{self, Item};
use crate::oidc::response_mode::ResponseMode;
use crate::oidc::session_limits;
use crate::store::authentication_session::Advance;
use crate::store::{self, Db, StoreError};

/// Goes on with a tab whose user is known: to the next page, or to the end. `user` is as it was when it proved itself.
pub async fn go_on(
    cx: &Cx,
    browser: &Browser,
    client: &Client,
    tab: &AuthenticationSession,
    user: &User,
    authenticated: Authenticated,
) -> Result<Move, StoreError> {
    let Some(step) = left_to_do(cx, client, tab, user, &authenticated) else {
        let completed = match &tab.request {
            TabRequest::SignIn(request) => complete(cx, browser, client, Some(tab), request, user, &authenticated).await?,
            TabRequest::Action(request) => Some(tab::finish(cx, tab, "accountUpdatedMessage", request).await?),
            TabRequest::SignOut(_) => return Ok(Move::error("invalidRequestMessage")),
        };
        return match completed {
            Some(moved) => Ok(moved),
            None => tab::start_over(cx, tab, client, Some("expiredActionMessage")).await,
        };
    };
    // If the tab was moved on meanwhile, its page shows where to.
    tab::show(cx, tab, &Progress::Authenticated(authenticated)).await?;
    Ok(Move::to(Next::Page(tab::page(client, tab, step))))
}

/// The page that a tab stands at whose user is known; none if nothing is left to do.
pub fn left_to_do(
    cx: &Cx,
    client: &Client,
    tab: &AuthenticationSession,
    user: &User,
    authenticated: &Authenticated,
) -> Option<PageStep> {
    let asks = || tab::sign_in(tab).is_some_and(|request| !asked(cx, client, user, request).is_empty());
    pending::next(cx, user, &authenticated.actions).or_else(|| asks().then_some(PageStep::Consent))
}

/// What the user has to be asked for in this tab: everything if consent was asked for again, else what is missing.
pub fn asked<'a>(cx: &'a Cx, client: &'a Client, user: &'a User, request: &'a SignInRequest) -> Vec<Item<'a>> {
    let subject =
        Subject { realm: cx.snapshot(), client, user, issued_at: None, offline: false, scope: request.scope.as_deref() };
    let Ok(admitted) = admission::admit(&subject) else { return Vec::new() };
    if request.ask_consent {
        consent::required(client, &admitted.scopes)
    } else {
        consent::missing(client, user, &admitted.scopes)
    }
}

/// What stands on the consent page, to be compared with what is asked when the answer comes: the ids of what is asked, and how
/// long offline access would last.
pub fn asked_terms(cx: &Cx, client: &Client, items: &[Item<'_>]) -> Vec<String> {
    let mut terms: Vec<String> = items.iter().map(|item| item.id().to_owned()).collect();
    if items.iter().any(|item| matches!(item, Item::Scope(scope) if scope.name == OFFLINE_ACCESS)) {
        let limits = session_limits::of_grant(cx.settings(), client, SessionKind::Offline);
        terms.push(format!("offline access for {:?} unused, {:?} at the latest", limits.idle, limits.max));
    }
    terms
}

/// Opens the session or goes on with it, issues the code, and sends the browser back to the client. `None`: the session that
/// was to go on is over, or the user has changed since the proof; the user has to begin anew.
pub async fn complete(
    cx: &Cx,
    browser: &Browser,
    client: &Client,
    tab: Option<&AuthenticationSession>,
    request: &SignInRequest,
    user: &User,
    authenticated: &Authenticated,
) -> Result<Option<Move>, StoreError> {
    if !user.enabled {
        return Ok(Some(Move::error("accountDisabledMessage")));
    }
    let realm = &cx.snapshot().realm.id;
    let present = signed_in::signed_in(cx, browser).await?.map(|p| p.session);
    let is_gone = authenticated.level == 0 && present.as_ref().map(|s| &s.id) != authenticated.session.as_ref();
    if is_gone || authenticated.auth_time < user.not_before.max(cx.snapshot().realm.not_before) {
        return Ok(None);
    }
    let session = Plan::of(cx, user, authenticated, present.as_ref());
    let code = cx.entropy().token::<32>();
    let grant = code_grant(cx, client, user, request, authenticated, session.is_new());
    let handle = cx.entropy().token::<32>();
    let settled = pending::settled(user);
    let written = cx
        .store()
        .in_tx_or(async |db| {
            if !settled.is_empty() {
                store::user::lock(db, realm, &user.id).await?;
            }
            if !session.apply(cx, db, user).await? {
                return Err(Stopped::Moved);
            }
            for action in &settled {
                store::user::delete_required_action(db, realm, &user.id, action).await?;
            }
            let row = AuthorizationCode {
                session_id: session.id().clone(),
                client: client.uuid.clone(),
                user_id: user.id.clone(),
                expires_at: cx.now + seconds(cx.settings().access_code_lifespan.max(1)),
                grant,
            };
            store::authorization_code::insert_code(db, realm, &sha256(code.as_bytes()), &row).await?;
            if !finish_tab(cx, db, browser, tab, &handle).await? {
                return Err(Stopped::Moved);
            }
            Ok(record_login(cx, db, client, authenticated, session.id()).await?)
        })
        .await;
    match written {
        Ok(()) => {}
        Err(Stopped::Moved) => return Ok(None),
        Err(Stopped::Failed(error)) => return Err(error),
    }
    let mut keep = session.keep(cx, authenticated);
    if tab.is_some() && browser.remembered_name.is_some() && !authenticated.remember_me {
        keep.push(Keep::ForgetName);
    }
    if tab.is_some() && browser.tabs.is_some() {
        keep.push(Keep::Tabs(handle));
    }
    let response = answer(cx, client, request, &code, session.id());
    Ok(Some(Move { next: Next::Client(response), keep }))
}

/// The tab is done, and the handle that bound it is worth nothing from now on (a cookie that was planted before the sign-in).
/// False if the tab was done, or begun anew, by another request.
async fn finish_tab(
    cx: &Cx,
    db: &mut Db<'_>,
    browser: &Browser,
    tab: Option<&AuthenticationSession>,
    handle: &str,
) -> Result<bool, StoreError> {
    let (Some(tab), Some(from)) = (tab, browser.tabs_hash()) else { return Ok(true) };
    let realm = &cx.snapshot().realm.id;
    let spent = sha256(&cx.entropy().bytes::<32>());
    let done = Advance { progress: &Progress::Done, form_hash: &spent, expires_at: tab.expires_at };
    if !store::authentication_session::advance(db, realm, tab, done).await? {
        return Ok(false);
    }
    store::authentication_session::rebind(db, realm, &from, &sha256(handle.as_bytes())).await?;
    Ok(true)
}

fn code_grant(
    cx: &Cx,
    client: &Client,
    user: &User,
    request: &SignInRequest,
    authenticated: &Authenticated,
    new_session: bool,
) -> CodeGrant {
    let subject =
        Subject { realm: cx.snapshot(), client, user, issued_at: None, offline: false, scope: request.scope.as_deref() };
    let asks_offline = admission::admit(&subject).is_ok_and(|a| a.scopes.asks_offline());
    CodeGrant {
        redirect_uri: request.redirect_uri.clone(),
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
        challenge: request.challenge.clone(),
        level: authenticated.level,
        first_offline: new_session && asks_offline,
        issued_at: Some(cx.now.unix_seconds()),
    }
}

/// What happens to the browser's online session.
enum Plan {
    /// A session of its own, and the end of another user's that the browser was in.
    New { session: Box<Session>, secret: String, ends: Option<Box<Session>> },
    /// The user typed the password again: the session goes on under a new secret.
    Renewed { id: SessionId, secret: String, auth_time: i64 },
    /// Single sign-on: the session was used.
    Used { id: SessionId },
}

impl Plan {
    fn of(cx: &Cx, user: &User, authenticated: &Authenticated, present: Option<&Session>) -> Self {
        match present {
            Some(session) if session.user_id == user.id && authenticated.level == 0 => Self::Used { id: session.id.clone() },
            Some(session) if session.user_id == user.id => {
                Self::Renewed { id: session.id.clone(), secret: cx.entropy().token::<32>(), auth_time: authenticated.auth_time }
            }
            other => {
                let mut session = open::new_session(cx, user, &authenticated.login_name);
                session.auth_time = Some(authenticated.auth_time);
                session.remember_me = authenticated.remember_me && cx.settings().remember_me;
                let ends = other.cloned().map(Box::new);
                Self::New { session: Box::new(session), secret: cx.entropy().token::<32>(), ends }
            }
        }
    }

    fn is_new(&self) -> bool {
        matches!(self, Self::New { .. })
    }

    fn id(&self) -> &SessionId {
        match self {
            Self::New { session, .. } => &session.id,
            Self::Renewed { id, .. } | Self::Used { id } => id,
        }
    }

    /// False if the session is over, or the user is not as it was.
    async fn apply(&self, cx: &Cx, db: &mut Db<'_>, user: &User) -> Result<bool, StoreError> {
        let realm = &cx.snapshot().realm.id;
        match self {
            Self::New { session, secret, ends } => {
                if let Some(other) = ends {
                    end_of_another(cx, db, other).await?;
                }
                store::session::open_in_browser(db, realm, session, user.version, &sha256(secret.as_bytes())).await
            }
            Self::Renewed { id, secret, auth_time } => {
                let hash = sha256(secret.as_bytes());
                store::session::renew_in_browser(db, realm, id, Some(*auth_time), Some(&hash), cx.now).await
            }
            Self::Used { id } => store::session::renew_in_browser(db, realm, id, None, None, cx.now).await,
        }
    }

    fn keep(&self, cx: &Cx, authenticated: &Authenticated) -> Vec<Keep> {
        let (secret, remember_me) = match self {
            Self::New { session, secret, .. } => (secret, session.remember_me),
            Self::Renewed { secret, .. } => (secret, authenticated.remember_me),
            Self::Used { .. } => return Vec::new(),
        };
        let max = session_limits::of_session(cx.settings(), SessionKind::Online, true).max;
        let remember_for = max.filter(|_| remember_me).map(|m| i64::try_from(m.as_secs()).unwrap_or(i64::MAX));
        let username = authenticated.login_name.clone();
        vec![Keep::SignedIn { identity: secret.clone(), session: self.id().clone(), remember_for, username }]
    }
}

/// The browser's next user takes the place of this one. The clients are told by the loop: nobody waits for them to sign in.
async fn end_of_another(cx: &Cx, db: &mut Db<'_>, session: &Session) -> Result<(), StoreError> {
    let told = logout_notice::find(cx, db, SessionKind::Online, Ending::One(&session.id)).await?;
    if store::session::end(db, SessionKind::Online, &cx.snapshot().realm.id, &session.id).await? {
        let mut ended = event::new(cx, EventKind::UserSessionDeleted)
            .because(EndReason::AnotherUser)
            .detail("session_kind", SessionKind::Online.as_str());
        ended.user_id = Some(session.user_id.clone());
        ended.session_id = Some(session.id.clone());
        event::record_in(cx, db, &ended).await?;
        logout_notice::write(cx, db, &told).await?;
    }
    Ok(())
}

async fn record_login(
    cx: &Cx,
    db: &mut Db<'_>,
    client: &Client,
    authenticated: &Authenticated,
    session: &SessionId,
) -> Result<(), StoreError> {
    let mut login = event::new(cx, EventKind::Login)
        .detail("auth_method", "openid-connect")
        .detail("username", authenticated.login_name.as_str());
    login.client_id = Some(client.client_id.to_string());
    login.user_id = Some(authenticated.user_id.clone());
    login.session_id = Some(session.clone());
    event::record_in(cx, db, &login).await
}

fn answer(
    cx: &Cx,
    client: &Client,
    request: &SignInRequest,
    code: &str,
    session: &SessionId,
) -> crate::oidc::response_mode::Response {
    let mut fields = Vec::new();
    if !client.flag("exclude.session.state.from.auth.response", false) {
        fields.push(("session_state", session.to_string()));
    }
    fields.push(("code", code.to_owned()));
    identified(client, request).answer(fields, mode(request), &cx.issuer)
}

/// The way back to the client of a tab.
pub fn identified(client: &Client, request: &SignInRequest) -> Identified {
    Identified {
        client: std::sync::Arc::new(client.clone()),
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
    }
}

pub fn mode(request: &SignInRequest) -> ResponseMode {
    ResponseMode::parse(&request.response_mode).unwrap_or(ResponseMode::Query)
}
