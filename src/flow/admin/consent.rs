//! What a user lets clients do, as an administrator sees it and takes it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::session;
use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::flow::event;
use crate::flow::logout_notice::{self, Ending};
use crate::model::admin_event::ResourceType;
use crate::model::event::Event;
use crate::model::{Client, ClientId, Consent, SessionKind, User};
use crate::store::client_session::{self, WhenEmpty};
use crate::store::session_list::ClientPage;
use crate::store::{self, StoreError};

/// A client that the user agreed to, or that holds an offline token of the user.
#[derive(Clone, Debug)]
pub struct Granted<'a> {
    pub client: Arc<Client>,
    pub consent: Option<&'a Consent>,
    pub has_offline_token: bool,
}

/// By `client_id`.
pub async fn list<'a>(cx: &Cx, user: &'a User) -> Result<Vec<Granted<'a>>, StoreError> {
    let mut found: BTreeMap<ClientId, Granted<'a>> = BTreeMap::new();
    for consent in &user.consents {
        if let Some(client) = cx.snapshot().clients.get(&consent.client) {
            let granted = Granted { client: Arc::clone(client), consent: Some(consent), has_offline_token: false };
            found.insert(client.client_id.clone(), granted);
        }
    }
    let sessions = session::of_user(cx, SessionKind::Offline, &user.id, None).await?;
    let mut candidates: Vec<_> = sessions.iter().flat_map(|s| &s.clients).collect();
    candidates.sort();
    candidates.dedup();
    for client in candidates.into_iter().filter_map(|uuid| cx.snapshot().clients.get(uuid)) {
        // The session lives; whether the client's part in it does, its own limits say.
        let page = ClientPage { client: &client.uuid, user: Some(&user.id), first: 0, max: Some(1) };
        if !session::of_client(cx, SessionKind::Offline, client, page).await?.is_empty() {
            let fresh = || Granted { client: Arc::clone(client), consent: None, has_offline_token: false };
            found.entry(client.client_id.clone()).or_insert_with(fresh).has_offline_token = true;
        }
    }
    Ok(found.into_values().collect())
}

/// Takes back the consent and ends what the client has of the user: its offline sessions, and its part in the online ones, of
/// which a client that wants to know is told. False if there was neither a consent nor an offline session.
///
/// `recorded`: the event of it, written along if something was taken away.
pub async fn revoke(cx: &Cx, user: &User, client: &Client, recorded: Option<&Event>) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let revoked = cx.store().in_tx(async |db| {
        store::user::touch(db, realm, &user.id).await?;
        // Of its offline sessions it is not told, as in Keycloak: its next refresh says so.
        let mut told = Vec::new();
        if logout_notice::is_told(cx, client) {
            told = logout_notice::find(cx, db, SessionKind::Online, Ending::OfUser { user: &user.id, except: None }).await?;
            told.retain(|part| part.client == client.uuid);
        }
        let had_consent = store::consent::delete_consent(db, realm, &user.id, &client.uuid).await?;
        let (offline, end) = (SessionKind::Offline, (WhenEmpty::End, cx.now));
        let ended = client_session::detach_from_all(db, offline, realm, &user.id, &client.uuid, end).await?;
        if !had_consent && ended == 0 {
            return Ok(None);
        }
        let (online, keep) = (SessionKind::Online, (WhenEmpty::Keep, cx.now));
        client_session::detach_from_all(db, online, realm, &user.id, &client.uuid, keep).await?;
        if let Some(recorded) = recorded {
            event::record_in(cx, db, recorded).await?;
        }
        note(cx, db, Change::action(ResourceType::User)).await?;
        Ok(Some(logout_notice::write(cx, db, &told).await?))
    });
    let notices = revoked.await?;
    cx.server.realms.read_user(cx.store(), realm, &user.id).await?;
    let is_revoked = notices.is_some();
    logout_notice::send(cx, notices.unwrap_or_default()).await;
    Ok(is_revoked)
}
