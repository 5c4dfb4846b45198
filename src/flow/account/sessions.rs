//! Where a user is signed in, and the end of it.

use super::MAX_SESSIONS;
use crate::base::Timestamp;
use crate::flow::context::Cx;
use crate::flow::logout_notice::{self, Ending};
use crate::flow::{admin, event};
use crate::model::event::{Event, EventKind};
use crate::model::{SessionId, SessionKind, User};
use crate::oidc::session_limits::{self, Usage};
use crate::store::session_list::ListedSession;
use crate::store::{self, StoreError};

/// A session that lives, of either kind.
#[derive(Clone, Debug)]
pub struct OwnSession {
    pub kind: SessionKind,
    pub listed: ListedSession,
    /// When its limits end it at the latest, in seconds since 1970; an offline session without a maximum by being unused.
    pub expires: i64,
    /// When it ends if it stays unused from now on.
    pub ends_at: Timestamp,
}

pub async fn list(cx: &Cx, user: &User, kind: SessionKind) -> Result<Vec<OwnSession>, StoreError> {
    let found = admin::session::of_user(cx, kind, &user.id, Some(MAX_SESSIONS)).await?;
    Ok(found.into_iter().map(|listed| own(cx, kind, listed)).collect())
}

fn own(cx: &Cx, kind: SessionKind, listed: ListedSession) -> OwnSession {
    let limits = session_limits::of_session(cx.settings(), kind, listed.remember_me);
    let ends = limits.max_end(listed.started_at).unwrap_or_else(|| listed.last_access_at + limits.idle);
    let usage = Usage { started_at: listed.started_at, last_used_at: listed.last_access_at };
    OwnSession { kind, expires: ends.unix_seconds(), ends_at: limits.end(usage).at, listed }
}

/// Ends one session of the user: the online one of this id, else the offline one. Somebody else's stays.
pub async fn end(cx: &Cx, user: &User, id: &SessionId) -> Result<bool, StoreError> {
    Ok(end_one(cx, user, SessionKind::Online, id).await? || end_one(cx, user, SessionKind::Offline, id).await?)
}

/// Signs one browser of the user out; false if there is no such session.
pub async fn sign_out(cx: &Cx, user: &User, id: &SessionId) -> Result<bool, StoreError> {
    end_one(cx, user, SessionKind::Online, id).await
}

/// Ends every session of the user, offline ones too; this one only if it is not to be kept.
pub async fn end_all(cx: &Cx, user: &User, keep: Option<&SessionId>) -> Result<(), StoreError> {
    end_kinds(cx, user, &[SessionKind::Online, SessionKind::Offline], keep).await
}

/// Signs all browsers of the user out but this one. What was granted offline goes on.
pub async fn sign_out_others(cx: &Cx, user: &User, own: &SessionId) -> Result<(), StoreError> {
    end_kinds(cx, user, &[SessionKind::Online], Some(own)).await
}

async fn end_one(cx: &Cx, user: &User, kind: SessionKind, id: &SessionId) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let ended = cx.store().in_tx(async |db| {
        let told = logout_notice::find(cx, db, kind, Ending::One(id)).await?;
        if !store::session::end_of_user(db, kind, realm, &user.id, id).await? {
            return Ok(None);
        }
        event::record_in(cx, db, &logout(cx, user, Some(id))).await?;
        Ok(Some(logout_notice::write(cx, db, &told).await?))
    });
    let Some(notices) = ended.await? else { return Ok(false) };
    logout_notice::send(cx, notices).await;
    Ok(true)
}

async fn end_kinds(cx: &Cx, user: &User, kinds: &[SessionKind], keep: Option<&SessionId>) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let ended = cx.store().in_tx(async |db| {
        let mut told = Vec::new();
        for kind in kinds {
            let all = Ending::OfUser { user: &user.id, except: keep };
            told.extend(logout_notice::find(cx, db, *kind, all).await?);
            store::session::end_all_of_user(db, *kind, realm, &user.id, keep).await?;
        }
        event::record_in(cx, db, &logout(cx, user, None)).await?;
        logout_notice::write(cx, db, &told).await
    });
    logout_notice::send(cx, ended.await?).await;
    Ok(())
}

fn logout(cx: &Cx, user: &User, session: Option<&SessionId>) -> Event {
    let mut ended = event::new(cx, EventKind::Logout);
    ended.user_id = Some(user.id.clone());
    ended.session_id = session.cloned();
    ended
}
