//! Whether the browser is signed in.

use std::sync::Arc;

use super::browser::Browser;
use super::context::Cx;
use super::session_lookup;
use crate::model::session::Session;
use crate::model::{SessionKind, User};
use crate::oidc::session_limits::Usage;
use crate::store::{self, StoreError};

/// The online session that the browser is in, with its user.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Session,
    pub user: Arc<User>,
}

/// The browser's session, if it is within its limits and its user may come in.
pub async fn signed_in(cx: &Cx, browser: &Browser) -> Result<Option<SignedIn>, StoreError> {
    let Some(cookie_hash) = browser.identity_hash() else { return Ok(None) };
    let realm = &cx.snapshot().realm.id;
    let mut db = cx.store().db().await?;
    let Some(found) = store::session::find_by_cookie(&mut db, realm, &cookie_hash).await? else { return Ok(None) };
    drop(db);
    let session = found.session;
    let usage = Usage { started_at: session.started_at, last_used_at: found.last_used_at };
    if !session_lookup::is_within_limits(cx.settings(), SessionKind::Online, session.remember_me, usage, cx.now) {
        return Ok(None);
    }
    // A sign-in from before the realm's or the user's not-before is as stale as its tokens.
    let since = session.auth_time.unwrap_or_else(|| session.started_at.unix_seconds());
    let is_welcome = |user: &User| user.enabled && since >= user.not_before.max(cx.snapshot().realm.not_before);
    let user = cx.server.realms.read_user(cx.store(), realm, &session.user_id).await?;
    Ok(user.filter(|user| is_welcome(user)).map(|user| SignedIn { session, user }))
}
