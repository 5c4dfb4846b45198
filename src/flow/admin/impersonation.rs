//! An administrator's browser is signed in as a user, to see what the user sees.

use serde_json::Value;

use crate::base::sha256;
use crate::flow::browser::Keep;
use crate::flow::context::Cx;
use crate::flow::event;
use crate::flow::grant::open;
use crate::model::event::EventKind;
use crate::model::{SessionId, User};
use crate::store::{self, StoreError};

/// Who steps into whose place.
#[derive(Clone, Copy, Debug)]
pub struct Impersonation<'a> {
    pub user: &'a User,
    pub administrator: &'a User,
    /// The name of the realm that issued the administrator's token.
    pub realm_of_administrator: &'a str,
}

/// Opens the session. It and its tokens say who is really there. None if the user has changed meanwhile.
pub async fn begin(cx: &Cx, who: Impersonation<'_>) -> Result<Option<(SessionId, Keep)>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut session = open::new_session(cx, who.user, &who.user.username);
    session.auth_time = Some(cx.now.unix_seconds());
    for (name, value) in
        [("IMPERSONATOR_ID", who.administrator.id.as_str()), ("IMPERSONATOR_USERNAME", who.administrator.username.as_str())]
    {
        session.notes.insert(name.to_owned(), Value::from(value));
    }
    let secret = cx.entropy().token::<32>();
    let mut told = event::new(cx, EventKind::Impersonate)
        .detail("impersonator", who.administrator.username.as_str())
        .detail("impersonator_realm", who.realm_of_administrator);
    told.user_id = Some(who.user.id.clone());
    told.session_id = Some(session.id.clone());
    let opened = cx.store().in_tx(async |db| {
        let hash = sha256(secret.as_bytes());
        let opened = store::session::open_in_browser(db, realm, &session, who.user.version, &hash).await?;
        if opened {
            event::record_in(cx, db, &told).await?;
        }
        Ok(opened)
    });
    let keep = Keep::SignedIn {
        identity: secret.clone(),
        session: session.id.clone(),
        remember_for: None,
        username: who.user.username.clone(),
    };
    Ok(opened.await?.then_some((session.id.clone(), keep)))
}
