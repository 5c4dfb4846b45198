//! Whether the browser is signed in.

use std::sync::Arc;

use super::browser::Browser;
use super::context::Cx;
use super::session_lookup;
use crate::model::session::Session;
use crate::model::{SessionKind, User};
use crate::store::token_use::SessionUse;
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
    let session = SessionUse {
        last_used_at: found.last_used_at,
        session: found.session,
        part: None,
        realm_version: cx.snapshot().realm.version,
        user_version: 0,
        token_revoked: false,
    };
    if !session_lookup::session_is_alive(cx.settings(), SessionKind::Online, &session, cx.now) {
        return Ok(None);
    }
    let user = cx.server.realms.read_user(cx.store(), realm, &session.session.user_id).await?;
    Ok(user.filter(|u| u.enabled).map(|user| SignedIn { session: session.session, user }))
}
