//! Admin events: written along with the change that they tell of, read newest first.

use serde_json::{Map, Value};
use sqlx::types::Json;
use time::OffsetDateTime;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::admin_event::{AdminEvent, AuthDetails, StoredAdminEvent};
use crate::model::{ClientUuid, EventId, RealmId, UserId};

pub async fn insert_admin_event(
    db: &mut Db<'_>,
    realm: &RealmId,
    id: &EventId,
    event: &AdminEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into admin_event (realm_id, event_id, occurred_at, operation, resource_type, resource_path, auth_realm_id,
           auth_client_id, auth_user_id, auth_ip_address, representation, details)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        realm.as_str(),
        id.as_str(),
        now.to_offset(),
        event.operation.as_str(),
        event.resource_type.as_str(),
        event.resource_path,
        event.auth.realm.as_str(),
        event.auth.client.as_str(),
        event.auth.user.as_str(),
        event.auth.ip_address,
        event.representation,
        Json(&event.details) as _,
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

/// Which events a list shows; what is none, or empty, does not matter.
#[derive(Clone, Debug, Default)]
pub struct AdminEventFilter {
    pub operations: Vec<String>,
    pub resource_types: Vec<String>,
    /// A pattern of `like`.
    pub resource_path: Option<String>,
    pub auth_realm: Option<String>,
    pub auth_client: Option<String>,
    pub auth_user: Option<String>,
    pub auth_ip_address: Option<String>,
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
            r#"select event_id, occurred_at, operation, resource_type, resource_path, auth_realm_id, auth_client_id, auth_user_id,
                 auth_ip_address, representation, details as "details: Json<Map<String, Value>>"
               from admin_event where realm_id = $1 and (cardinality($2::text[]) = 0 or operation = any($2))
                 and (cardinality($3::text[]) = 0 or resource_type = any($3)) and ($4::text is null or resource_path like $4)
                 and ($5::text is null or auth_realm_id = $5) and ($6::text is null or auth_client_id = $6)
                 and ($7::text is null or auth_user_id = $7) and ($8::text is null or auth_ip_address = $8)
                 and ($9::timestamptz is null or occurred_at >= $9) and ($10::timestamptz is null or occurred_at < $10)
               order by "#
                + $order
                + " offset $11 limit $12",
            $realm.as_str(),
            &$filter.operations,
            &$filter.resource_types,
            $filter.resource_path,
            $filter.auth_realm,
            $filter.auth_client,
            $filter.auth_user,
            $filter.auth_ip_address,
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
    operation: String,
    resource_type: String,
    resource_path: Option<String>,
    auth_realm_id: String,
    auth_client_id: String,
    auth_user_id: String,
    auth_ip_address: String,
    representation: Option<String>,
    details: Json<Map<String, Value>>,
}

impl From<Row> for StoredAdminEvent {
    fn from(row: Row) -> Self {
        Self {
            id: EventId::new(row.event_id),
            at: Timestamp::from_offset(row.occurred_at),
            operation: row.operation,
            resource_type: row.resource_type,
            resource_path: row.resource_path,
            auth: AuthDetails {
                realm: RealmId::new(row.auth_realm_id),
                client: ClientUuid::new(row.auth_client_id),
                user: UserId::new(row.auth_user_id),
                ip_address: row.auth_ip_address,
            },
            representation: row.representation,
            details: row.details.0,
        }
    }
}

/// A page of the realm's admin events.
pub async fn list_admin_events(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &AdminEventFilter,
    first: i64,
    max: Option<i64>,
) -> Result<Vec<StoredAdminEvent>, StoreError> {
    let rows = if filter.ascending {
        page!("occurred_at, event_id desc", realm, filter, first, max).fetch_all(db.raw()).await?
    } else {
        page!("occurred_at desc, event_id", realm, filter, first, max).fetch_all(db.raw()).await?
    };
    Ok(rows.into_iter().map(StoredAdminEvent::from).collect())
}

/// Call it within a transaction.
pub async fn delete_admin_events(db: &mut Db<'_>, realm: &RealmId) -> Result<(), StoreError> {
    db.unhurried().await?;
    sqlx::query!("delete from admin_event where realm_id = $1", realm.as_str()).execute(db.raw()).await?;
    Ok(())
}
