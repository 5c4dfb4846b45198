//! How many grants there are, and how they are used.

use super::{GrantFilter, Place, Reach, bound};
use crate::base::Timestamp;
use crate::model::{ClientUuid, RealmId, UserId};
use crate::store::{Db, StoreError};

/// How many grants, of how many users at how many clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantCounts {
    pub grants: i64,
    pub users: i64,
    pub clients: i64,
    /// There may be more: not all were looked at.
    pub at_least: bool,
}

/// Call it in a report.
pub async fn count(db: &mut Db<'_>, realm: &RealmId, filter: &GrantFilter, reach: Reach) -> Result<GrantCounts, StoreError> {
    let none: Option<&Place> = None;
    let until = if filter.searches() { bound(db, realm, filter, (none, reach.looked_at)).await? } else { None };
    let row = found!(
        query,
        r#"select count(*) as "grants!", count(distinct g.user_id) as "users!", count(distinct g.client_uuid) as "clients!"
           from (select s.user_id, p.client_uuid"#,
        " limit $27) g",
        realm,
        filter,
        none,
        until.as_ref(),
        reach.found,
    )
    .fetch_one(db.raw())
    .await?;
    let at_least = row.grants >= reach.found || until.is_some();
    Ok(GrantCounts { grants: row.grants, users: row.users, clients: row.clients, at_least })
}

/// How the grants of one client are used.
#[derive(Clone, Debug)]
pub struct StaleGrants {
    pub client: ClientUuid,
    pub grants: i64,
    pub users: i64,
    /// How many of them have not been used since each of the moments that were asked for.
    pub unused: Vec<i64>,
    /// Never refreshed since they were granted.
    pub never_used: i64,
    /// When the one unused longest was used last.
    pub oldest_use: Timestamp,
}

/// All clients that have grants, those with the most unused ones first. It reads every grant: call it in
/// a report.
pub async fn stale(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &GrantFilter,
    moments: [Timestamp; 3],
) -> Result<Vec<StaleGrants>, StoreError> {
    let none: Option<&Place> = None;
    let rows = found!(
        query,
        r#"select g.client_uuid, count(*) as "grants!", count(distinct g.user_id) as "users!",
             count(*) filter (where g.at < $27) as "unused_a!", count(*) filter (where g.at < $28) as "unused_b!",
             count(*) filter (where g.at < $29) as "unused_c!", count(*) filter (where g.refreshes is null) as "never_used!",
             min(g.at) as "oldest_use!"
           from (select s.user_id, p.client_uuid, coalesce(used.part_at, p.started_at) as at, used.refreshes"#,
        r#") g group by g.client_uuid order by 6 desc, 2 desc, 1"#,
        realm,
        filter,
        none,
        none,
        moments[0].to_offset(),
        moments[1].to_offset(),
        moments[2].to_offset(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| StaleGrants {
            client: ClientUuid::new(r.client_uuid),
            grants: r.grants,
            users: r.users,
            unused: vec![r.unused_a, r.unused_b, r.unused_c],
            never_used: r.never_used,
            oldest_use: Timestamp::from_offset(r.oldest_use),
        })
        .collect())
}
