//! Parts of a realm's document that have addresses of their own: texts, required actions, flows.

use serde_json::{Map, Value};

use super::{Refusal, write_decided};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::store;
use crate::store::realm::RealmChange;

/// Writes the document with another value at one name, and the event that tells of it.
pub async fn put(cx: &Cx, name: &str, value: Value, change: Change) -> Result<(), Refusal> {
    put_all(cx, [(name, value)], change).await
}

/// The same for values at several names.
pub async fn put_all<const N: usize>(cx: &Cx, values: [(&str, Value); N], change: Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    let mut document: Map<String, Value> = realm.document.clone();
    document.extend(values.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let row = RealmChange {
        name: &realm.name,
        enabled: realm.enabled,
        not_before: realm.not_before,
        settings: &document,
        changes_lifespans: false,
    };
    write_decided(cx, async |db| {
        store::realm::update_realm(db, &realm.id, &row, cx.now).await?;
        Ok(note(cx, db, change).await?)
    })
    .await
}
