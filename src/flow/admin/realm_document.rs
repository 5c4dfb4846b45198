//! Parts of a realm's document that have addresses of their own: texts, required actions, flows.

use serde_json::{Map, Value};

use super::{Refusal, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::model::Realm;
use crate::store;
use crate::store::realm::RealmChange;

/// Writes the document with another value at one name, and the event that tells of it.
pub async fn put(cx: &Cx, name: &str, value: Value, change: Change) -> Result<(), Refusal> {
    put_all(cx, [(name, value)], change).await
}

/// The same for values at several names.
pub async fn put_all<'a>(cx: &Cx, values: impl IntoIterator<Item = (&'a str, Value)>, change: Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    let document = with(realm, values);
    write_decided(cx, async |db| {
        store::realm::update_realm(db, &realm.id, &row(realm, &document), cx.now).await?;
        Ok(note(cx, db, change).await?)
    })
    .await
}

/// The realm's document with other values at some names.
pub(super) fn with<'a>(realm: &Realm, values: impl IntoIterator<Item = (&'a str, Value)>) -> Map<String, Value> {
    let mut document = realm.document.clone();
    document.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
    document
}

/// The realm as it is, but for the document.
pub(super) fn row<'a>(realm: &'a Realm, document: &'a Map<String, Value>) -> RealmChange<'a> {
    RealmChange {
        name: &realm.name,
        enabled: realm.enabled,
        not_before: realm.not_before,
        settings: document,
        changes_lifespans: false,
    }
}
