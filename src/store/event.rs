//! Events: written as they happen, read newest first.

use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::event::{Event, StoredEvent};
use crate::model::{EventId, RealmId, SessionId, UserId};

pub async fn insert_event(
    db: &mut Db<'_>,
    realm: &RealmId,
    id: &EventId,
    event: &Event,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into event (realm_id, event_id, occurred_at, type_name, error, client_id, user_id, session_id, ip_address, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        realm.as_str(),
        id.as_str(),
        now.to_offset(),
        event.type_name(),
        event.error,
        event.client_id,
        event.user_id.as_ref().map(UserId::as_str),
        event.session_id.as_ref().map(SessionId::as_str),
        event.ip_address,
        Json(&event.details) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Which events a list shows; what is none, or empty, does not matter.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    pub types: Vec<String>,
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    pub ip_address: Option<String>,
    pub from: Option<Timestamp>,
    /// Up to here and not including it.
    pub until: Option<Timestamp>,
    /// Oldest first, instead of newest.
    pub ascending: bool,
}

pub async fn list_events(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &EventFilter,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = sqlx::query!(
        r#"select event_id, occurred_at, type_name, error, client_id, user_id, session_id, ip_address,
             details as "details: Json<Map<String, Value>>"
           from event where realm_id = $1 and (cardinality($2::text[]) = 0 or type_name = any($2))
             and ($3::text is null or client_id = $3) and ($4::text is null or user_id = $4)
             and ($5::text is null or ip_address = $5)
             and ($6::timestamptz is null or occurred_at >= $6) and ($7::timestamptz is null or occurred_at < $7)
           order by case when $8 then occurred_at end, occurred_at desc, event_id offset $9 limit $10"#,
        realm.as_str(),
        &filter.types,
        filter.client_id,
        filter.user_id,
        filter.ip_address,
        filter.from.map(Timestamp::to_offset),
        filter.until.map(Timestamp::to_offset),
        filter.ascending,
        first,
        max,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| StoredEvent {
            id: EventId::new(r.event_id),
            at: Timestamp::from_offset(r.occurred_at),
            type_name: r.type_name,
            error: r.error,
            client_id: r.client_id,
            user_id: r.user_id.map(UserId::new),
            session_id: r.session_id.map(SessionId::new),
            ip_address: r.ip_address,
            details: r.details.0,
        })
        .collect())
}

pub async fn delete_events(db: &mut Db<'_>, realm: &RealmId) -> Result<(), StoreError> {
    sqlx::query!("delete from event where realm_id = $1", realm.as_str()).execute(db.raw()).await?;
    Ok(())
}
