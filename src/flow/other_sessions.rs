//! Signing out everywhere else, for whoever changes what they prove themselves by.

use super::context::Cx;
use super::logout_notice::{self, Ending};
use crate::model::SessionKind;
use crate::model::authentication_session::Authenticated;
use crate::store::logout_notice::EndingPart;
use crate::store::{self, Db, StoreError};

/// Ends the user's other online sessions and every offline one; the clients that are to be told of it.
pub async fn end(cx: &Cx, db: &mut Db<'_>, authenticated: &Authenticated) -> Result<Vec<EndingPart>, StoreError> {
    let (realm, user) = (&cx.snapshot().realm.id, &authenticated.user_id);
    let mut told = Vec::new();
    for (kind, except) in [(SessionKind::Online, authenticated.session.as_ref()), (SessionKind::Offline, None)] {
        told.extend(logout_notice::find(cx, db, kind, Ending::OfUser { user, except }).await?);
        store::session::end_all_of_user(db, kind, realm, user, except).await?;
    }
    Ok(told)
}
