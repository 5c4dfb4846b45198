//! The link of a letter is opened: by the user in the browser that asked for it, by the user in another one, or by a program that
//! looks at letters before people do.
//!
//! In the tab that asked, the way goes on at once: the browser holds the tab's cookie. Everywhere else a page asks first, and its
//! link works in the browser that was asked only; what is done there ends with a page that says so, and signs nobody in. A link
//! that is unknown, of another realm, or too old is answered alike.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::browser::{Browser, Keep, Move, Next, PageStep};
use super::context::Cx;
use super::stopped::Stopped;
use super::{brute_force, event, new_password, proven_user, second_factor, sign_in, tab};
use crate::base::sha256;
use crate::model::authentication_session::{ActionRequest, Authenticated, AuthenticationSession, Progress, TabRequest};
use crate::model::event::EventKind;
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{ActionKind, ActionToken, Client, User};
use crate::store::{self, StoreError};

/// What becomes of a link.
#[derive(Debug)]
pub enum Opened {
    Moved(Move),
    /// The user is asked first.
    Ask(Box<Question>),
}

/// What the user is asked, and the tab that the yes has to come from.
#[derive(Debug)]
pub struct Question {
    pub tab: AuthenticationSession,
    pub client: Arc<Client>,
    pub token: ActionToken,
    pub keep: Keep,
}

/// A link that works now.
struct Link {
    hash: [u8; 32],
    token: ActionToken,
    user: Arc<User>,
    client: Arc<Client>,
}

impl Link {
    /// How a tab remembers it.
    fn name(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hash)
    }
}

/// Where a link is followed.
enum Way {
    /// In the sign-in that it was asked for in.
    SignIn,
    /// In a tab of its own, after the user's yes.
    Alone(ActionRequest),
}

const GONE: &str = "expiredActionTokenNoSessionMessage";

pub async fn open(cx: &Cx, browser: &Browser, key: &str, tab_id: Option<&str>) -> Result<Opened, StoreError> {
    let link = match look_up(cx, key).await? {
        Ok(link) => link,
        Err(moved) => return Ok(Opened::Moved(moved)),
    };
    let found = match tab_id {
        Some(id) => tab::find(cx, browser, id).await?,
        None => None,
    };
    let is_open = |tab: &AuthenticationSession| tab.expires_at > cx.now && !proven_user::is_too_late(cx, tab);
    let found = found.filter(|tab| tab.client == link.client.uuid && is_open(tab));
    match found.and_then(|tab| Some((way(&tab, &link)?, tab))) {
        Some((way, tab)) => Ok(Opened::Moved(follow(cx, browser, &link, &tab, way).await?)),
        None => ask(cx, browser, link).await,
    }
}

async fn look_up(cx: &Cx, key: &str) -> Result<Result<Link, Move>, StoreError> {
    let refused = |message| Ok(Err(Move::error(message)));
    let realm = &cx.snapshot().realm;
    if !realm.enabled {
        return refused("realmNotEnabledMessage");
    }
    let hash = sha256(key.as_bytes());
    let token = store::action_token::find_action_token(&mut cx.store().db().await?, &realm.id, &hash).await?;
    let Some(token) = token.filter(|token| token.expires_at > cx.now) else { return refused(GONE) };
    let Some(user) = cx.server.realms.read_user(cx.store(), &realm.id, &token.user).await? else { return refused(GONE) };
    let Some(client) = cx.snapshot().clients.get(&token.details.client) else { return refused(GONE) };
    if !client.enabled {
        return refused("clientDisabledMessage");
    }
    let is_theirs = user.email.as_deref() == Some(token.details.email.as_str());
    if token.is_used {
        if token.kind == ActionKind::VerifyEmail && is_theirs && user.email_verified {
            return Ok(Err(tab::told("emailVerifiedAlreadyMessage", token.details.redirect_uri)));
        }
        return refused("expiredActionMessage");
    }
    if !user.enabled {
        return refused("accountDisabledMessage");
    }
    // Who has chosen a password since has no use for the link, but whoever finds the letter would.
    let sets_password = token.kind == ActionKind::ResetPassword || token.details.actions.iter().any(|a| a == UPDATE_PASSWORD);
    if !is_theirs || sets_password && new_password::is_newer_than(cx, &token.user, token.created_at).await? {
        return refused(GONE);
    }
    // Nothing new opens during a lock; the link waits for its end.
    if token.kind == ActionKind::ResetPassword
        && brute_force::is_on(cx)
        && brute_force::lock_of(cx, &mut cx.store().db().await?, &user).await?.is_some()
    {
        return refused("accountTemporarilyDisabledMessage");
    }
    Ok(Ok(Link { hash, token, user, client: Arc::clone(client) }))
}

fn way(tab: &AuthenticationSession, link: &Link) -> Option<Way> {
    let (is_asking_tab, user) = (link.token.details.tab.as_ref() == Some(&tab.tab), &link.user.id);
    match (&tab.request, &tab.progress, link.token.kind) {
        (TabRequest::Action(request), Progress::ConfirmLink, _) if request.link == link.name() => {
            Some(Way::Alone(request.clone()))
        }
        (TabRequest::SignIn(_), Progress::Authenticated(known), ActionKind::VerifyEmail) => {
            (is_asking_tab && known.user_id == *user).then_some(Way::SignIn)
        }
        (TabRequest::SignIn(_), Progress::Password { known_user, .. }, ActionKind::ResetPassword) => {
            (is_asking_tab && known_user.as_ref().is_none_or(|known| known == user)).then_some(Way::SignIn)
        }
        _ => None,
    }
}

async fn ask(cx: &Cx, browser: &Browser, link: Link) -> Result<Opened, StoreError> {
    let request = ActionRequest { link: link.name(), redirect_uri: link.token.details.redirect_uri.clone() };
    let request = TabRequest::Action(request);
    let (tab, keep) = tab::open(cx, browser, &link.client, request, Progress::ConfirmLink).await?;
    Ok(Opened::Ask(Box::new(Question { tab, client: link.client, token: link.token, keep })))
}

async fn follow(cx: &Cx, browser: &Browser, link: &Link, tab: &AuthenticationSession, way: Way) -> Result<Move, StoreError> {
    if !take(cx, link).await? {
        return Ok(Move::error("expiredActionMessage"));
    }
    let realm = &cx.snapshot().realm.id;
    let Some(user) = cx.server.realms.read_user(cx.store(), realm, &link.user.id).await? else { return Ok(Move::error(GONE)) };
    // A cookie that was planted in the browser before is worth nothing from now on.
    let handle = cx.entropy().token::<32>();
    if let Some(from) = browser.tabs_hash() {
        store::authentication_session::rebind(&mut cx.store().db().await?, realm, &from, &sha256(handle.as_bytes())).await?;
    }
    let browser = &Browser { tabs: Some(handle.clone()), ..browser.clone() };
    let mut moved = match (way, &tab.progress, link.token.kind) {
        (Way::Alone(request), _, ActionKind::VerifyEmail) => tab::finish(cx, tab, "emailVerifiedMessage", &request).await?,
        (Way::SignIn, Progress::Authenticated(known), _) => {
            sign_in::go_on(cx, browser, &link.client, tab, &user, known.clone()).await?
        }
        (Way::SignIn, _, _) | (Way::Alone(_), _, ActionKind::ResetPassword) => reset(cx, browser, link, tab, &user).await?,
        (Way::Alone(_), _, ActionKind::ExecuteActions) => {
            let known = by_link(cx, link, &user);
            sign_in::go_on(cx, browser, &link.client, tab, &user, known).await?
        }
    };
    if !moved.keep.iter().any(|keep| matches!(keep, Keep::Tabs(_))) {
        moved.keep.push(Keep::Tabs(handle));
    }
    Ok(moved)
}

/// Uses the link, once, and notes what it proves: that its letter was read at the user's address.
async fn take(cx: &Cx, link: &Link) -> Result<bool, StoreError> {
    let (realm, token) = (&cx.snapshot().realm.id, &link.token);
    let written = cx.store().in_tx_or(async |db| {
        if !store::action_token::take_action_token(db, realm, &link.hash, cx.now).await?
            || !store::action_token::set_email_verified(db, realm, &token.user, &token.details.email).await?
        {
            return Err(Stopped::Moved);
        }
        if token.kind == ActionKind::ResetPassword {
            store::action_token::spend_action_tokens(db, realm, &token.user, token.kind, cx.now).await?;
        }
        let kind = match token.kind {
            ActionKind::VerifyEmail => EventKind::VerifyEmail,
            ActionKind::ResetPassword => EventKind::ResetPassword,
            ActionKind::ExecuteActions => EventKind::ExecuteActions,
        };
        let mut opened = event::new(cx, kind).detail("email", token.details.email.as_str());
        opened.client_id = Some(link.client.client_id.to_string());
        opened.user_id = Some(token.user.clone());
        Ok(event::record_in(cx, db, &opened).await?)
    });
    match written.await {
        Ok(()) => Ok(true),
        Err(Stopped::Moved) => Ok(false),
        Err(Stopped::Failed(error)) => Err(error),
    }
}

/// The user as the link proves it.
fn by_link(cx: &Cx, link: &Link, user: &User) -> Authenticated {
    let actions = match link.token.kind {
        ActionKind::ResetPassword => vec![UPDATE_PASSWORD.to_owned()],
        _ => link.token.details.actions.clone(),
    };
    Authenticated {
        user_id: user.id.clone(),
        login_name: user.username.clone(),
        remember_me: false,
        auth_time: cx.now.unix_seconds(),
        level: 1,
        session: None,
        asked: Vec::new(),
        actions,
        mailed: None,
    }
}

/// A forgotten password is no forgotten device: who has one is asked for its code before the new password (ASVS 6.4.3).
async fn reset(cx: &Cx, browser: &Browser, link: &Link, tab: &AuthenticationSession, user: &User) -> Result<Move, StoreError> {
    let known = by_link(cx, link, user);
    if second_factor::has_device(cx, user).await? {
        tab::show(cx, tab, &Progress::OneTimeCode(known)).await?;
        return Ok(Move::to(Next::Page(tab::page(&link.client, tab, PageStep::Login))));
    }
    sign_in::go_on(cx, browser, &link.client, tab, user, known).await
}
