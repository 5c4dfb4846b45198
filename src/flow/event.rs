//! Writing events down, where the realm wants them.

use serde_json::{Map, Value};

use super::context::Cx;
use crate::model::event::{Event, EventKind};
use crate::model::{Client, EventId};
use crate::store::{self, Db, StoreError};

/// A new event of this request.
pub fn new(cx: &Cx, kind: EventKind) -> Event {
    Event {
        kind,
        error: None,
        client_id: None,
        user_id: None,
        session_id: None,
        ip_address: cx.origin.ip_address.clone(),
        details: Map::new(),
    }
}

/// Whether the realm keeps this event.
pub fn is_kept(cx: &Cx, event: &Event) -> bool {
    event.kind.is_kept(event.error.is_some(), cx.settings())
}

/// Writes an event, if the realm keeps it.
pub async fn record(cx: &Cx, event: &Event) -> Result<(), StoreError> {
    if !is_kept(cx, event) {
        return Ok(());
    }
    record_in(cx, &mut cx.store().db().await?, event).await
}

/// The same within a transaction.
pub async fn record_in(cx: &Cx, db: &mut Db<'_>, event: &Event) -> Result<(), StoreError> {
    if !is_kept(cx, event) {
        return Ok(());
    }
    let id = EventId::new(cx.entropy().uuid());
    store::event::insert_event(db, &cx.snapshot().realm.id, &id, event, cx.now).await
}

/// A detail that is there only if it has a value.
pub fn put(details: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        details.insert(name.to_owned(), value.into());
    }
}

/// How a client proves who it is, as a detail.
pub fn client_auth_method(client: &Client) -> (String, Value) {
    ("client_auth_method".to_owned(), Value::from(client.settings.client_authenticator_type.as_str()))
}
