//! Where a user is signed in, and the end of it.

use crate::flow::context::Cx;
use crate::flow::{admin, event};
use crate::model::event::EventKind;
use crate::model::{SessionId, SessionKind, User};
use crate::oidc::session_limits;
use crate::store::session_list::ListedSession;
use crate::store::{self, StoreError};

/// A session that lives, of either kind.
#[derive(Clone, Debug)]
pub struct OwnSession {
    pub kind: SessionKind,
    pub listed: ListedSession,
    /// When its limits end it at the latest, in seconds since 1970; an offline session without a maximum by being unused.
    pub expires: i64,
}

pub async fn list(cx: &Cx, user: &User, kind: SessionKind) -> Result<Vec<OwnSession>, StoreError> {
    let found = admin::session::of_user(cx, kind, &user.id).await?;
    Ok(found.into_iter().map(|listed| own(cx, kind, listed)).collect())
}

fn own(cx: &Cx, kind: SessionKind, listed: ListedSession) -> OwnSession {
    let limits = session_limits::of_session(cx.settings(), kind, listed.remember_me);
    let ends = limits.max_end(listed.started_at).unwrap_or_else(|| listed.last_access_at + limits.idle);
    OwnSession { kind, listed, expires: ends.unix_seconds() }
}

/// Ends one session of the user: the online one of this id, else the offline one. Somebody else's stays.
pub async fn end(cx: &Cx, user: &User, id: &SessionId) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    for kind in [SessionKind::Online, SessionKind::Offline] {
        let ended = store::session::end_of_user(&mut cx.store().db().await?, kind, realm, &user.id, id).await?;
        if ended {
            record(cx, user, Some(id)).await?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends every session of the user, offline ones too; this one only if it is not to be kept.
pub async fn end_all(cx: &Cx, user: &User, keep: Option<&SessionId>) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    cx.store()
        .in_tx(async |db| {
            for kind in [SessionKind::Online, SessionKind::Offline] {
                store::session::end_all_of_user(db, kind, realm, &user.id, keep).await?;
            }
            Ok(())
        })
        .await?;
    record(cx, user, None).await
}

/// Signs one browser of the user out; false if there is no such session.
pub async fn sign_out(cx: &Cx, user: &User, id: &SessionId) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let online = SessionKind::Online;
    let ended = store::session::end_of_user(&mut cx.store().db().await?, online, realm, &user.id, id).await?;
    if ended {
        record(cx, user, Some(id)).await?;
    }
    Ok(ended)
}

/// Signs all browsers of the user out but this one. What was granted offline goes on.
pub async fn sign_out_others(cx: &Cx, user: &User, own: &SessionId) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let online = SessionKind::Online;
    store::session::end_all_of_user(&mut cx.store().db().await?, online, realm, &user.id, Some(own)).await?;
    record(cx, user, None).await
}

async fn record(cx: &Cx, user: &User, session: Option<&SessionId>) -> Result<(), StoreError> {
    let mut ended = event::new(cx, EventKind::Logout);
    ended.user_id = Some(user.id.clone());
    ended.session_id = session.cloned();
    event::record(cx, &ended).await
}
