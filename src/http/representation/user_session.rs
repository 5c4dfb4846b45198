//! Sessions as Keycloak lists them: times in milliseconds, cut to seconds.

use serde_json::{Map, Value, json};

use crate::base::Timestamp;
use crate::flow::admin::session::Statistics;
use crate::model::{RealmSnapshot, SessionKind};
use crate::store::session_list::ListedSession;

pub(crate) fn user_session(snapshot: &RealmSnapshot, session: &ListedSession) -> Value {
    let parts = session.clients.iter().filter_map(|uuid| snapshot.clients.get(uuid));
    let clients: Map<String, Value> = parts.map(|c| (c.uuid.to_string(), json!(c.client_id))).collect();
    json!({
        "id": session.id,
        "username": session.username,
        "userId": session.user_id,
        "ipAddress": session.ip_address,
        "start": millis(session.started_at),
        "lastAccess": millis(session.last_access_at),
        "rememberMe": session.remember_me,
        "clients": clients,
        "transientUser": false,
    })
}

/// The same in the console's list, where online and offline sessions stand together.
pub(crate) fn console_session(snapshot: &RealmSnapshot, kind: SessionKind, session: &ListedSession) -> Value {
    let mut shown = user_session(snapshot, session);
    if let Some(fields) = shown.as_object_mut() {
        fields.shift_remove("rememberMe");
        fields.insert("type".to_owned(), json!(if kind == SessionKind::Online { "REGULAR" } else { "OFFLINE" }));
    }
    shown
}

fn millis(at: Timestamp) -> i64 {
    at.unix_seconds().saturating_mul(1_000)
}

/// An entry of `client-session-stats`: the numbers are texts.
pub(crate) fn statistics(entry: &Statistics) -> Value {
    json!({
        "id": entry.client.uuid,
        "clientId": entry.client.client_id,
        "active": entry.online.to_string(),
        "offline": entry.offline.to_string(),
    })
}
