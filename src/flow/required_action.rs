//! What every required action ends with, whatever the user did: it is asked for no more, and told.

use super::context::Cx;
use super::event;
use super::logout_notice::{self, Ending};
use crate::model::authentication_session::Authenticated;
use crate::model::event::EventKind;
use crate::model::{Client, SessionKind};
use crate::store::{self, Db, StoreError};

/// A required action that was carried out.
#[derive(Clone, Copy, Debug)]
pub struct Done<'a> {
    pub client: &'a Client,
    pub who: &'a Authenticated,
    pub action: &'static str,
    pub event: EventKind,
    /// Whether the user is signed out everywhere else: other online sessions end, and every offline one.
    pub ends_other_sessions: bool,
}

/// Writes what was done, and everything that goes with it, in one transaction. Clients that are to be told of a logout are.
pub async fn finish(
    cx: &Cx,
    done: Done<'_>,
    work: impl AsyncFnOnce(&mut Db<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let (realm, user) = (&cx.snapshot().realm.id, &done.who.user_id);
    let written = cx.store().in_tx(async |db| {
        store::user::delete_required_action(db, realm, user, done.action).await?;
        work(db).await?;
        let mut told = Vec::new();
        if done.ends_other_sessions {
            for (kind, except) in [(SessionKind::Online, done.who.session.as_ref()), (SessionKind::Offline, None)] {
                told.extend(logout_notice::find(cx, db, kind, Ending::OfUser { user, except }).await?);
                store::session::end_all_of_user(db, kind, realm, user, except).await?;
            }
        }
        let mut changed = event::new(cx, done.event).detail("custom_required_action", done.action);
        changed.client_id = Some(done.client.client_id.to_string());
        changed.user_id = Some(user.clone());
        event::record_in(cx, db, &changed).await?;
        logout_notice::write(cx, db, &told).await
    });
    logout_notice::send(cx, written.await?).await;
    Ok(())
}
