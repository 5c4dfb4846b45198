//! `/account/sessions`: where the user is signed in, as a list and by device.

use std::collections::BTreeMap;

use axum::extract::Path;
use serde_json::{Map, Value, json};

use super::authenticate::{ManageAccount, Own, ViewProfile};
use crate::flow::account::sessions::{self, OwnSession};
use crate::http::admin::{Answer, done_uncached, shown_in_lower_case};
use crate::http::extract::Query;
use crate::model::device::Device;
use crate::model::{Client, SessionId, SessionKind};

pub(super) async fn list(own: Own<ViewProfile>) -> Answer {
    let found = sessions::list(own.cx(), own.user(), SessionKind::Online).await?;
    let shown: Vec<Value> = found.iter().map(|s| Value::from(session(&own, s))).collect();
    Ok(shown_in_lower_case(&Value::from(shown)))
}

/// Offline sessions are among them (Keycloak).
pub(super) async fn devices(own: Own<ViewProfile>) -> Answer {
    let mut found = sessions::list(own.cx(), own.user(), SessionKind::Online).await?;
    found.extend(sessions::list(own.cx(), own.user(), SessionKind::Offline).await?);
    let mut by_device: BTreeMap<(&'static str, String, &'static str, bool), Vec<&OwnSession>> = BTreeMap::new();
    for own_session in &found {
        let device = Device::of(&own_session.listed.user_agent);
        by_device.entry((device.os, device.os_version, device.name, device.mobile)).or_default().push(own_session);
    }
    let shown: Vec<Value> = by_device
        .into_iter()
        .map(|((os, os_version, name, mobile), sessions)| {
            let last = sessions.iter().map(|s| s.listed.last_access_at.unix_seconds()).max().unwrap_or_default();
            let listed: Vec<Value> = sessions.iter().map(|s| Value::from(session(&own, s))).collect();
            let mut device = Map::new();
            if sessions.iter().any(|s| is_current(&own, s)) {
                device.insert("current".to_owned(), json!(true));
            }
            device.extend([
                ("os".to_owned(), json!(os)),
                ("osVersion".to_owned(), json!(os_version)),
                ("device".to_owned(), json!(name)),
                ("mobile".to_owned(), json!(mobile)),
                ("lastAccess".to_owned(), json!(last)),
                ("sessions".to_owned(), Value::from(listed)),
            ]);
            Value::from(device)
        })
        .collect();
    Ok(shown_in_lower_case(&Value::from(shown)))
}

/// One session of the user; another's, or none, is answered alike.
pub(super) async fn end(own: Own<ManageAccount>, Path((_, id)): Path<(String, String)>) -> Answer {
    sessions::end(own.cx(), own.user(), &SessionId::new(id)).await?;
    Ok(done_uncached())
}

/// All sessions but this one, or with `current=true` this one too.
pub(super) async fn end_all(own: Own<ManageAccount>, query: Query) -> Answer {
    let keep = own.session().filter(|_| query.flag("current") != Some(true));
    sessions::end_all(own.cx(), own.user(), keep).await?;
    Ok(done_uncached())
}

fn is_current<P>(own: &Own<P>, found: &OwnSession) -> bool {
    found.kind == SessionKind::Online && own.session() == Some(&found.listed.id)
}

fn session<P>(own: &Own<P>, found: &OwnSession) -> Map<String, Value> {
    let listed = &found.listed;
    let known = listed.clients.iter().filter_map(|uuid| own.cx().snapshot().clients.get(uuid));
    let clients: Vec<Value> = known.map(|client| Value::from(client_of_session(client))).collect();
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(listed.id));
    shown.insert("ipAddress".to_owned(), json!(listed.ip_address));
    shown.insert("started".to_owned(), json!(listed.started_at.unix_seconds()));
    shown.insert("lastAccess".to_owned(), json!(listed.last_access_at.unix_seconds()));
    shown.insert("expires".to_owned(), json!(found.expires));
    shown.insert("clients".to_owned(), Value::from(clients));
    shown.insert("browser".to_owned(), json!(Device::of(&listed.user_agent).browser));
    if is_current(own, found) {
        shown.insert("current".to_owned(), json!(true));
    }
    shown
}

/// A client in the list of a session. Keycloak fills in use and offline access in its list of applications only.
fn client_of_session(client: &Client) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("clientId".to_owned(), json!(client.client_id));
    if let Some(name) = client.settings.name.as_deref().filter(|n| !n.is_empty()) {
        shown.insert("clientName".to_owned(), json!(name));
    }
    shown.insert("userConsentRequired".to_owned(), json!(client.settings.consent_required));
    shown.insert("inUse".to_owned(), json!(false));
    shown.insert("offlineAccess".to_owned(), json!(false));
    shown
}
