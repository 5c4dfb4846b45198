//! `/events` and `/admin-events`: what happened to users and clients, and what administrators did.

use axum::http::StatusCode;
use serde_json::Value;

use super::answer::{Answer, done, shown};
use super::routes::{Routes, get};
use super::{Admin, ManageEvents, ViewEvents};
use crate::base::Timestamp;
use crate::http::error::AdminError;
use crate::http::extract::Query;
use crate::http::representation::event::{admin_event, event};
use crate::model::admin_event::Operation;
use crate::store;
use crate::store::admin_event::AdminEventFilter;
use crate::store::event::EventFilter;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/events", get(list).delete(clear))
        .route("/{realm}/admin-events", get(list_admin).delete(clear_admin))
}

/// How many events a list has that asks for no number.
const PAGE: i64 = 100;
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
const MILLISECOND: std::time::Duration = std::time::Duration::from_millis(1);

async fn list(admin: Admin<ViewEvents>, query: Query) -> Answer {
    let page = query.page(Some(PAGE))?;
    let owned = |name: &str| query.text(name).map(str::to_owned);
    let filter = EventFilter {
        types: query.all("type"),
        client_id: owned("client"),
        user_id: owned("user"),
        ip_address: owned("ipAddress"),
        from: moment(&query, "dateFrom")?.map(|m| m.begin),
        until: moment(&query, "dateTo")?.map(|m| m.end),
        ascending: is_ascending(&query)?,
    };
    let realm = &admin.cx.snapshot().realm.id;
    let events = store::event::list_events(&mut admin.cx.store().db().await?, realm, &filter, page.first, page.max).await?;
    Ok(shown(&Value::from(events.iter().map(|e| event(realm, e)).collect::<Vec<Value>>())))
}

async fn clear(admin: Admin<ManageEvents>) -> Answer {
    let realm = &admin.cx.snapshot().realm.id;
    admin.cx.store().in_tx(async |db| store::event::delete_events(db, realm).await).await?;
    Ok(done())
}

async fn list_admin(admin: Admin<ViewEvents>, query: Query) -> Answer {
    let page = query.page(Some(PAGE))?;
    let owned = |name: &str| query.text(name).map(str::to_owned);
    let operations = query.all("operationTypes");
    if let Some(unknown) = operations.iter().find(|name| !Operation::NAMES.contains(&name.as_str())) {
        return Err(AdminError::Plain(StatusCode::BAD_REQUEST, format!("Invalid value for 'operationTypes': {unknown}")));
    }
    let filter = AdminEventFilter {
        operations,
        resource_types: query.all("resourceTypes"),
        resource_path: query.text("resourcePath").map(like),
        auth_realm: owned("authRealm"),
        auth_client: owned("authClient"),
        auth_user: owned("authUser"),
        auth_ip_address: owned("authIpAddress"),
        from: moment(&query, "dateFrom")?.map(|m| m.begin),
        until: moment(&query, "dateTo")?.map(|m| m.end),
        ascending: is_ascending(&query)?,
    };
    let (realm, mut db) = (&admin.cx.snapshot().realm.id, admin.cx.store().db().await?);
    let events = store::admin_event::list_admin_events(&mut db, realm, &filter, page.first, page.max).await?;
    Ok(shown(&Value::from(events.iter().map(|e| admin_event(realm, e)).collect::<Vec<Value>>())))
}

async fn clear_admin(admin: Admin<ManageEvents>) -> Answer {
    let realm = &admin.cx.snapshot().realm.id;
    admin.cx.store().in_tx(async |db| store::admin_event::delete_admin_events(db, realm).await).await?;
    Ok(done())
}

/// A path with `*` for anything, as a pattern of `like`.
fn like(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', letter]),
            other => pattern.push(other),
        }
    }
    pattern
}

fn is_ascending(query: &Query) -> Result<bool, AdminError> {
    match query.text("direction") {
        None | Some("desc") => Ok(false),
        Some("asc") => Ok(true),
        Some(_) => {
            let text = "Invalid value for sortDirection, expected value is asc or desc";
            Err(AdminError::Plain(StatusCode::BAD_REQUEST, text.to_owned()))
        }
    }
}

/// A day or a millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    begin: Timestamp,
    end: Timestamp,
}

fn moment(query: &Query, name: &str) -> Result<Option<Moment>, AdminError> {
    let Some(text) = query.text(name) else { return Ok(None) };
    let found = read_moment(text).ok_or_else(|| {
        let text = format!("Invalid value for '{name}', expected format is yyyy-MM-dd or an Epoch timestamp");
        AdminError::Plain(StatusCode::BAD_REQUEST, text)
    })?;
    Ok(Some(found))
}

fn read_moment(text: &str) -> Option<Moment> {
    if let Ok(millis) = text.parse() {
        let begin = Timestamp::from_unix_millis(millis);
        return Some(Moment { begin, end: begin + MILLISECOND });
    }
    let day = time::Date::parse(text, time::macros::format_description!("[year]-[month]-[day]")).ok()?;
    let begin = Timestamp::from_offset(day.midnight().assume_utc());
    Some(Moment { begin, end: begin + DAY })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_and_a_number_a_millisecond() {
        let day = read_moment("1970-01-02").unwrap();
        assert_eq!((day.begin.unix_seconds(), day.end.unix_seconds()), (86_400, 172_800));
        assert_eq!(read_moment("1500").unwrap().begin.unix_millis(), 1_500);
        assert_eq!(read_moment("yesterday"), None);
    }

    #[test]
    fn a_star_stands_for_anything_and_other_signs_for_themselves() {
        assert_eq!(like("users/*"), "users/%");
        assert_eq!(like("a_b%c\\"), "a\\_b\\%c\\\\");
    }
}
