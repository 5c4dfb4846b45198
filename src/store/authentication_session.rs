//! Tabs of browsers that sign in or out. Each form that a tab shows works once: taking it is one conditional statement.

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::authentication_session::{AuthenticationSession, Progress, TabRequest};
use crate::model::{ClientUuid, RealmId, TabId};

/// The two hashes that bind a tab: to its browser's cookie, and to the form that it shows.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    pub browser_hash: &'a [u8; 32],
    pub form_hash: &'a [u8; 32],
}

pub async fn insert_tab(
    db: &mut Db<'_>,
    realm: &RealmId,
    tab: &AuthenticationSession,
    binding: Binding<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into authentication_session (realm_id, tab_id, browser_hash, form_hash, client_uuid, request, progress, started_at,
           expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        realm.as_str(),
        tab.tab.as_str(),
        &binding.browser_hash[..],
        &binding.form_hash[..],
        tab.client.as_str(),
        Json(&tab.request) as _,
        Json(&tab.progress) as _,
        tab.started_at.to_offset(),
        tab.expires_at.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

struct TabRow {
    tab_id: String,
    client_uuid: String,
    started_at: time::OffsetDateTime,
    expires_at: time::OffsetDateTime,
    request: Json<TabRequest>,
    progress: Json<Progress>,
}

impl From<TabRow> for AuthenticationSession {
    fn from(r: TabRow) -> Self {
        Self {
            tab: TabId::new(r.tab_id),
            client: ClientUuid::new(r.client_uuid),
            started_at: Timestamp::from_offset(r.started_at),
            expires_at: Timestamp::from_offset(r.expires_at),
            progress: r.progress.0,
            request: r.request.0,
        }
    }
}

/// A tab of this browser. A tab of another browser is not found: knowing its id is worth nothing.
pub async fn find_tab(
    db: &mut Db<'_>,
    realm: &RealmId,
    tab: &TabId,
    browser_hash: &[u8; 32],
) -> Result<Option<AuthenticationSession>, StoreError> {
    let row = sqlx::query_as!(
        TabRow,
        r#"select tab_id, client_uuid, started_at, expires_at, request as "request: Json<TabRequest>",
             progress as "progress: Json<Progress>"
           from authentication_session where realm_id = $1 and tab_id = $2 and browser_hash = $3"#,
        realm.as_str(),
        tab.as_str(),
        &browser_hash[..],
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(AuthenticationSession::from))
}

/// Takes the form that the tab shows: of any number that send it, one gets the tab, and the form is spent.
pub async fn take_form(
    db: &mut Db<'_>,
    realm: &RealmId,
    tab: &TabId,
    binding: Binding<'_>,
    next_form_hash: &[u8; 32],
) -> Result<Option<AuthenticationSession>, StoreError> {
    let row = sqlx::query_as!(
        TabRow,
        r#"update authentication_session set form_hash = $5
           where realm_id = $1 and tab_id = $2 and browser_hash = $3 and form_hash = $4
           returning tab_id, client_uuid, started_at, expires_at, request as "request: Json<TabRequest>",
             progress as "progress: Json<Progress>""#,
        realm.as_str(),
        tab.as_str(),
        &binding.browser_hash[..],
        &binding.form_hash[..],
        &next_form_hash[..],
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(AuthenticationSession::from))
}

/// A tab's next step.
#[derive(Clone, Copy, Debug)]
pub struct Advance<'a> {
    pub progress: &'a Progress,
    pub form_hash: &'a [u8; 32],
    pub expires_at: Timestamp,
}

/// Moves a tab on from the step at which it was read, and binds it to the form that it shows now. False if it has been moved on
/// meanwhile. What a page only says, `message` and `asked`, is no step.
pub async fn advance(
    db: &mut Db<'_>,
    realm: &RealmId,
    tab: &AuthenticationSession,
    next: Advance<'_>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "update authentication_session set progress = $4, form_hash = $5, expires_at = $6
         where realm_id = $1 and tab_id = $2 and progress - array['message', 'asked'] = $3::jsonb - array['message', 'asked']",
        realm.as_str(),
        tab.tab.as_str(),
        Json(&tab.progress) as _,
        Json(next.progress) as _,
        &next.form_hash[..],
        next.expires_at.to_offset(),
    )
    .execute(db.raw())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Binds the browser's tabs to another cookie: after a sign-in the cookie of before is worth nothing.
pub async fn rebind(db: &mut Db<'_>, realm: &RealmId, from: &[u8; 32], to: &[u8; 32]) -> Result<(), StoreError> {
    sqlx::query!(
        "update authentication_session set browser_hash = $3 where realm_id = $1 and browser_hash = $2",
        realm.as_str(),
        &from[..],
        &to[..],
    )
    .execute(db.raw())
    .await?;
    Ok(())
}

pub async fn delete_tab(db: &mut Db<'_>, realm: &RealmId, tab: &TabId) -> Result<bool, StoreError> {
    let done =
        sqlx::query!("delete from authentication_session where realm_id = $1 and tab_id = $2", realm.as_str(), tab.as_str());
    Ok(done.execute(db.raw()).await?.rows_affected() == 1)
}
