//! What has lapsed and is still there: whoever meets it ends it as the sweeper would have, and nothing of it lives again.

use super::context::Cx;
use super::logout_notice::{self, Ending};
use super::sweep::{self, Reason};
use super::{event, session_lookup};
use crate::model::logout_notice::LogoutNotice;
use crate::model::session::Session;
use crate::model::{Client, SessionId, SessionKind};
use crate::oidc::session_limits::{self, Usage};
use crate::store::sweep::{Candidate, parts, sessions};
use crate::store::{Db, StoreError};

/// Ends a session if it has lapsed. The clients of an online one hear of it, as in Keycloak; hand the notices on after the commit.
///
/// Judged under its lock: a refresh of the last moment, or limits that were taken back, keep it.
pub(in crate::flow) async fn end_session(
    cx: &Cx,
    db: &mut Db<'_>,
    kind: SessionKind,
    session: &SessionId,
) -> Result<Vec<LogoutNotice>, StoreError> {
    let (realm, ids) = (&cx.snapshot().realm.id, [session.clone()]);
    let Some(found) = sessions::lock(db, kind, realm, &ids).await?.pop() else { return Ok(Vec::new()) };
    if session_lookup::is_within_limits(cx.settings(), kind, found.remember_me, usage(&found), cx.now) {
        return Ok(Vec::new());
    }
    let (lapsed_at, lapse) = session_limits::of_session(cx.settings(), kind, found.remember_me).lapses_at(usage(&found));
    let reason = if lapsed_at <= cx.now { Reason::of_session(lapse) } else { Reason::NotRemembered };
    event::record_in(cx, db, &sweep::ended(kind, &found, None, reason)).await?;
    let told = match kind {
        SessionKind::Online => logout_notice::find(cx, db, kind, Ending::One(session)).await?,
        SessionKind::Offline => Vec::new(),
    };
    sessions::delete(db, kind, realm, &ids).await?;
    logout_notice::write(cx, db, &told).await
}

/// Before a client is granted offline access anew in one sign-in: what of the old has lapsed goes first, or its tokens would live
/// again along with the new one's.
pub(in crate::flow) async fn make_way(cx: &Cx, db: &mut Db<'_>, client: &Client, sign_in: &Session) -> Result<(), StoreError> {
    // It is no older than the sign-in in which it was granted; nearly always that is younger than any limit.
    let kind = SessionKind::Offline;
    let of_client = session_limits::of_client(cx.settings(), client, kind, sign_in.remember_me);
    let of_grant = session_limits::of_grant(cx.settings(), client, kind);
    if cx.now.since(sign_in.started_at) < of_grant.max.map_or(of_grant.idle, |max| max.min(of_grant.idle)) {
        return Ok(());
    }
    end_session(cx, db, kind, &sign_in.id).await?;
    let (realm, ids) = (&cx.snapshot().realm.id, [sign_in.id.clone()]);
    let part = parts::lock(db, kind, realm, &client.uuid, &ids).await?.pop();
    let Some(part) = part.filter(|part| of_client.has_lapsed(usage(part), cx.now)) else { return Ok(()) };
    let (_, lapse) = of_client.lapses_at(usage(&part));
    event::record_in(cx, db, &sweep::ended(kind, &part, Some(client), Reason::of_client(lapse))).await?;
    parts::delete(db, kind, realm, &client.uuid, (&ids, cx.now)).await?;
    Ok(())
}

fn usage(found: &Candidate) -> Usage {
    Usage { started_at: found.started_at, last_used_at: found.last_used_at }
}
