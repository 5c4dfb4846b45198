//! What was proved in a tab, and whether it still counts.

use std::sync::Arc;

use super::browser::Move;
use super::context::Cx;
use super::tab;
use crate::base::Timestamp;
use crate::model::authentication_session::{Authenticated, AuthenticationSession, Progress};
use crate::model::realm::seconds;
use crate::model::{Client, User};
use crate::store::StoreError;

/// The user as it is now, if what was proved in the tab still counts: nobody has switched the user off or signed it out since.
pub async fn admitted(
    cx: &Cx,
    tab: &AuthenticationSession,
    client: &Client,
    known: &Authenticated,
) -> Result<Result<Arc<User>, Move>, StoreError> {
    let realm = &cx.snapshot().realm;
    let Some(user) = cx.server.realms.read_user(cx.store(), &realm.id, &known.user_id).await? else {
        return Ok(Err(Move::error("invalidUserMessage")));
    };
    if !user.enabled {
        return Ok(Err(Move::error("accountDisabledMessage")));
    }
    if known.auth_time < user.not_before.max(realm.not_before) {
        return Ok(Err(tab::start_over(cx, tab, client, Some("expiredActionMessage")).await?));
    }
    Ok(Ok(user))
}

/// When the user was proved in this tab, to the end of that second: by a session that went on, when the tab was opened.
pub fn proved_at(tab: &AuthenticationSession, known: &Authenticated) -> Timestamp {
    tab.started_at.max(Timestamp::from_unix_seconds(known.auth_time.saturating_add(1)))
}

/// Whether the time for signing in is over. A page that is loaded again and again keeps its form alive, but no proof: that counts
/// for as long as the realm gives a sign-in, from the moment of the proof.
pub fn is_too_late(cx: &Cx, tab: &AuthenticationSession) -> bool {
    match &tab.progress {
        Progress::OneTimeCode(known) | Progress::Authenticated(known) => {
            let limit = seconds(cx.settings().access_code_lifespan_login.max(1));
            tab.expires_at <= cx.now || proved_at(tab, known) + limit <= cx.now
        }
        _ => false,
    }
}
