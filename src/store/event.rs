//! Events: written as they happen, read newest first.

use serde_json::{Map, Value};
use sqlx::types::Json;
use time::OffsetDateTime;

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

/// The order is part of the statement: so the index gives a page, however many events there are.
macro_rules! page {
    ($order:literal, $realm:ident, $filter:ident, $first:ident, $max:ident) => {
        sqlx::query_as!(
            Row,
            r#"select event_id, occurred_at, type_name, error, client_id, user_id, session_id, ip_address,
                 details as "details: Json<Map<String, Value>>"
               from event where realm_id = $1 and (cardinality($2::text[]) = 0 or type_name = any($2))
                 and ($3::text is null or client_id = $3) and ($4::text is null or user_id = $4)
                 and ($5::text is null or ip_address = $5)
                 and ($6::timestamptz is null or occurred_at >= $6) and ($7::timestamptz is null or occurred_at < $7)
               order by "#
                + $order
                + " offset $8 limit $9",
            $realm.as_str(),
            &$filter.types,
            $filter.client_id,
            $filter.user_id,
            $filter.ip_address,
            $filter.from.map(Timestamp::to_offset),
            $filter.until.map(Timestamp::to_offset),
            $first,
            $max,
        )
    };
}

struct Row {
    event_id: String,
    occurred_at: OffsetDateTime,
    type_name: String,
    error: Option<String>,
    client_id: Option<String>,
    user_id: Option<String>,
    session_id: Option<String>,
    ip_address: Option<String>,
    details: Json<Map<String, Value>>,
}

impl From<Row> for StoredEvent {
    fn from(row: Row) -> Self {
        Self {
            id: EventId::new(row.event_id),
            at: Timestamp::from_offset(row.occurred_at),
            type_name: row.type_name,
            error: row.error,
            client_id: row.client_id,
            user_id: row.user_id.map(UserId::new),
            session_id: row.session_id.map(SessionId::new),
            ip_address: row.ip_address,
            details: row.details.0,
        }
    }
}

/// A page of the realm's events.
pub async fn list_events(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &EventFilter,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<StoredEvent>, StoreError> {
    let rows = if filter.ascending {
        page!("occurred_at, event_id desc", realm, filter, first, max).fetch_all(db.raw()).await?
    } else {
        page!("occurred_at desc, event_id", realm, filter, first, max).fetch_all(db.raw()).await?
    };
    Ok(rows.into_iter().map(StoredEvent::from).collect())
}

/// Call it within a transaction.
pub async fn delete_events(db: &mut Db<'_>, realm: &RealmId) -> Result<(), StoreError> {
    db.unhurried().await?;
    sqlx::query!("delete from event where realm_id = $1", realm.as_str()).execute(db.raw()).await?;
    Ok(())
}
