//! The applications of a user: those in use, those with consent, those that act while the user is away, and those that a realm
//! shows to everybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::MAX_SESSIONS;
use crate::flow::admin::offline_grant::{self, OfflineGrant};
use crate::flow::context::Cx;
use crate::flow::logout_notice::{self, Ending};
use crate::flow::{admin, event};
use crate::model::event::{EndReason, EventKind};
use crate::model::{Client, ClientId, Consent, SessionId, SessionKind, User};
use crate::store::StoreError;
use crate::store::client_session::{self, WhenEmpty};

#[derive(Clone, Debug)]
pub struct Application {
    pub client: Arc<Client>,
    pub consent: Option<Consent>,
    /// The user is signed in at it.
    pub in_use: bool,
    /// What lets it act while the user is away, the one used last first.
    pub offline: Vec<OfflineGrant>,
}

/// How many grants of a user are looked at, and how many of one client are shown. Who has more has a program that forgets its
/// tokens, and removes them together.
const MAX_GRANTS: i64 = 10_000;
const SHOWN: usize = 100;

/// By `client_id`.
pub async fn list(cx: &Cx, user: &User) -> Result<Vec<Application>, StoreError> {
    let snapshot = cx.snapshot();
    let mut found: BTreeMap<ClientId, Application> = BTreeMap::new();
    let mut note = |client: &Arc<Client>, change: &dyn Fn(&mut Application)| {
        if client.enabled && !client.settings.bearer_only {
            let fresh = || Application { client: Arc::clone(client), consent: None, in_use: false, offline: Vec::new() };
            change(found.entry(client.client_id.clone()).or_insert_with(fresh));
        }
    };
    for client in snapshot.clients.values().filter(|c| c.settings.always_display_in_console) {
        note(client, &|_| ());
    }
    for consent in &user.consents {
        if let Some(client) = snapshot.clients.get(&consent.client) {
            note(client, &|application| application.consent = Some(consent.clone()));
        }
    }
    for session in admin::session::of_user(cx, SessionKind::Online, &user.id, Some(MAX_SESSIONS)).await? {
        for client in session.clients.iter().filter_map(|uuid| snapshot.clients.get(uuid)) {
            note(client, &|application| application.in_use = true);
        }
    }
    for grant in offline_grant::of_user(cx, &user.id, None, MAX_GRANTS).await? {
        note(&grant.client, &|application| {
            if application.offline.len() < SHOWN {
                application.offline.push(grant.clone());
            }
        });
    }
    Ok(found.into_values().collect())
}

/// What there is to remove of the application with this `client_id`; none if there is nothing.
pub async fn find(cx: &Cx, user: &User, client_id: &str) -> Result<Option<Application>, StoreError> {
    let Some(client) = cx.snapshot().client(client_id).filter(|c| c.enabled && !c.settings.bearer_only) else { return Ok(None) };
    let consent = user.consent_for(&client.uuid).cloned();
    let offline = offline_grant::of_user(cx, &user.id, Some(client), MAX_GRANTS).await?;
    let is_there = consent.is_some() || !offline.is_empty();
    Ok(is_there.then(|| Application { client: Arc::clone(client), consent, in_use: false, offline }))
}

/// Ends one grant of offline access, and leaves the others and the consent. False if the user has no such grant.
pub async fn end_grant(cx: &Cx, user: &User, client: &Client, session: &SessionId) -> Result<bool, StoreError> {
    let (realm, offline) = (&cx.snapshot().realm.id, SessionKind::Offline);
    let mut ended =
        event::new(cx, EventKind::RevokeGrant).because(EndReason::User).detail("revoked_client", client.client_id.as_str());
    ended.client_id = Some(client.client_id.to_string());
    ended.user_id = Some(user.id.clone());
    ended.session_id = Some(session.clone());
    let notices = cx.store().in_tx(async |db| {
        if !client_session::lock_session_of(db, offline, realm, session, &user.id).await? {
            return Ok(None);
        }
        let mut told = logout_notice::find(cx, db, offline, Ending::One(session)).await?;
        told.retain(|part| part.client == client.uuid);
        if !client_session::detach(db, offline, realm, session, &client.uuid, (WhenEmpty::End, cx.now)).await? {
            return Ok(None);
        }
        event::record_in(cx, db, &ended).await?;
        Ok(Some(logout_notice::write(cx, db, &told).await?))
    });
    let Some(notices) = notices.await? else { return Ok(false) };
    logout_notice::send(cx, notices).await;
    Ok(true)
}

/// Takes back the consent and ends all offline access of a client. What it is doing at this moment ends with its access token.
pub async fn remove_access(cx: &Cx, user: &User, client: &Client) -> Result<bool, StoreError> {
    let mut revoked =
        event::new(cx, EventKind::RevokeGrant).because(EndReason::User).detail("revoked_client", client.client_id.as_str());
    revoked.client_id = Some(client.client_id.to_string());
    revoked.user_id = Some(user.id.clone());
    admin::consent::revoke(cx, user, client, Some(&revoked)).await
}
