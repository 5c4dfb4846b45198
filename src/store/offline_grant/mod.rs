//! Grants of offline access across sessions: a client's part in an offline session, with what is known of it. Lists are paged by
//! key, and filtered here. What has lapsed is neither listed nor counted. The parts of online sessions are found alike.

mod revoke;

use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::ClientSessionDetails;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind, UserId};

pub use revoke::{lock_grants, remove_grants};

/// One grant that lives.
#[derive(Clone, Debug)]
pub struct FoundGrant {
    pub session: SessionId,
    pub client: ClientUuid,
    pub user_id: UserId,
    pub username: String,
    /// Where it was granted from.
    pub ip_address: String,
    /// Where it was used from last.
    pub last_ip_address: Option<String>,
    pub user_agent: String,
    pub remember_me: bool,
    pub session_started_at: Timestamp,
    pub granted_at: Timestamp,
    /// The client's last refresh, or the grant.
    pub last_used_at: Timestamp,
    /// The last use of the session by any client, or its last grant.
    pub session_used_at: Timestamp,
    pub refreshes: i64,
    pub scopes: Vec<String>,
}

/// The limits of a realm's clients and of its sessions as cut-offs seen from one moment: what was used, or began, at or before
/// them is over by then.
#[derive(Clone, Debug)]
pub struct GrantCutoffs {
    pub clients: Vec<ClientUuid>,
    /// In the order of the clients.
    pub plain: PartCutoffs,
    /// Of sign-ins that are remembered; none while the realm remembers none.
    pub remembered: Option<PartCutoffs>,
}

#[derive(Clone, Debug)]
pub struct PartCutoffs {
    pub idle: Vec<Timestamp>,
    pub max: Vec<Timestamp>,
    pub session_idle: Timestamp,
    pub session_max: Timestamp,
}

/// Which grants. What is none filters nothing.
#[derive(Clone, Debug)]
pub struct GrantFilter {
    pub kind: SessionKind,
    pub client: Option<ClientUuid>,
    pub user: Option<UserId>,
    /// Where it was granted from, or used from last.
    pub ip_address: Option<String>,
    /// Not used since.
    pub unused_since: Option<Timestamp>,
    /// With this scope among those that were granted.
    pub scope: Option<String>,
    pub granted_from: Option<Timestamp>,
    /// Up to here and not including it.
    pub granted_until: Option<Timestamp>,
    /// What is over now is not found.
    pub live: GrantCutoffs,
    /// Only what is over by the moment of these, if it stays unused.
    pub ends_before: Option<PartCutoffs>,
}

/// The place in a list, in the order of sessions and clients, after which a page begins.
pub type Place = (String, String);

/// How far one statement goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Grants that it finds at most.
    pub found: i64,
    /// Grants that it looks at for a filter that no index serves.
    pub looked_at: i64,
}

impl Reach {
    /// Of a page that somebody waits for: some 30 µs for each grant that is looked at.
    pub const fn page(found: i64) -> Self {
        Self { found, looked_at: 300 }
    }

    /// Of a run through all of them.
    pub const fn batch(found: i64) -> Self {
        Self { found, looked_at: 2_000 }
    }

    /// Of a report, which takes half a minute at most.
    pub const fn report(found: i64) -> Self {
        Self { found, looked_at: 1_000_000 }
    }
}

/// A page, and the place after which the next one begins; none if there is no more.
#[derive(Clone, Debug)]
pub struct GrantPage {
    pub grants: Vec<FoundGrant>,
    pub next: Option<Place>,
}

impl GrantFilter {
    /// Every grant of a kind that lives.
    pub fn all(kind: SessionKind, live: GrantCutoffs) -> Self {
        Self {
            kind,
            client: None,
            user: None,
            ip_address: None,
            unused_since: None,
            scope: None,
            granted_from: None,
            granted_until: None,
            live,
            ends_before: None,
        }
    }

    /// Whether it takes looking at many grants to find one.
    fn searches(&self) -> bool {
        self.user.is_none()
            && (self.ip_address.is_some()
                || self.unused_since.is_some()
                || self.scope.is_some()
                || self.granted_from.is_some()
                || self.granted_until.is_some()
                || self.ends_before.is_some())
    }
}

/// A statement over the grants that a filter finds: `$1` to `$26` are bound here, the caller's own follow.
macro_rules! found {
    ($ask:ident, $($row:ty,)? $head:literal, $tail:literal, $realm:ident, $filter:ident, $after:expr, $until:expr $(, $arg:expr)* $(,)?) => {{
        let ends = $filter.ends_before.as_ref();
        let offsets = |times: &[Timestamp]| times.iter().map(|t| t.to_offset()).collect::<Vec<_>>();
        let clients: Vec<String> = $filter.live.clients.iter().map(ToString::to_string).collect();
        let (plain, remembered) = (&$filter.live.plain, $filter.live.remembered.as_ref());
        sqlx::$ask!(
            $($row,)?
            $head
                + r#" from client_session p
             cross join lateral (select array_position($11::text[], p.client_uuid) as n) l
             join session s on s.kind = $22 and s.realm_id = p.realm_id and s.session_id = p.session_id
             cross join lateral (
               select max(c.last_refresh_at) as session_at,
                 max(c.last_refresh_at) filter (where c.client_uuid = p.client_uuid) as part_at,
                 sum(c.refreshes) filter (where c.client_uuid = p.client_uuid)::bigint as refreshes,
                 (array_agg(c.last_ip_address order by c.last_refresh_at desc) filter (where c.client_uuid = p.client_uuid))[1] as ip
               from chain c where c.kind = $22 and c.realm_id = $1 and c.session_id = p.session_id) used
             where p.kind = $22 and p.realm_id = $1 and p.session_id >= $2 and (p.session_id, p.client_uuid) > ($2, $3)
               and ($20::text is null or p.session_id <= $20 and (p.session_id, p.client_uuid) <= ($20, $21))
               and ($4::text is null or p.client_uuid = $4) and ($5::text is null or s.user_id = $5)
               and ($6::text is null or s.ip_address = $6 or used.ip = $6)
               and ($7::timestamptz is null or coalesce(used.part_at, p.started_at) < $7)
               and ($8::text is null or p.details -> 'scopes' ? $8)
               and ($9::timestamptz is null or p.started_at >= $9) and ($10::timestamptz is null or p.started_at < $10)
               and (not s.remember_me and coalesce(used.part_at, p.started_at) > ($12::timestamptz[])[l.n]
                   and p.started_at > ($13::timestamptz[])[l.n] and greatest(s.last_grant_at, used.session_at) > $14 and s.started_at > $15
                 or s.remember_me and coalesce(used.part_at, p.started_at) > ($23::timestamptz[])[l.n]
                   and p.started_at > ($24::timestamptz[])[l.n] and greatest(s.last_grant_at, used.session_at) > $25 and s.started_at > $26)
               and ($18::timestamptz is null
                 or coalesce(used.part_at, p.started_at) <= ($16::timestamptz[])[l.n] or p.started_at <= ($17::timestamptz[])[l.n]
                 or greatest(s.last_grant_at, used.session_at) <= $18 or s.started_at <= $19)"#
                + $tail,
            $realm.as_str(),
            $after.map_or("", |(session, _): &Place| session.as_str()),
            $after.map_or("", |(_, client): &Place| client.as_str()),
            $filter.client.as_ref().map(ClientUuid::as_str),
            $filter.user.as_ref().map(UserId::as_str),
            $filter.ip_address,
            $filter.unused_since.map(Timestamp::to_offset),
            $filter.scope,
            $filter.granted_from.map(Timestamp::to_offset),
            $filter.granted_until.map(Timestamp::to_offset),
            &clients,
            &offsets(&plain.idle),
            &offsets(&plain.max),
            plain.session_idle.to_offset(),
            plain.session_max.to_offset(),
            &ends.map_or_else(Vec::new, |ends| offsets(&ends.idle)),
            &ends.map_or_else(Vec::new, |ends| offsets(&ends.max)),
            ends.map(|ends| ends.session_idle.to_offset()),
            ends.map(|ends| ends.session_max.to_offset()),
            $until.map(|(session, _): &Place| session.as_str()),
            $until.map(|(_, client): &Place| client.as_str()),
            $filter.kind.as_str(),
            &remembered.map_or_else(Vec::new, |cut| offsets(&cut.idle)),
            &remembered.map_or_else(Vec::new, |cut| offsets(&cut.max)),
            remembered.map(|cut| cut.session_idle.to_offset()),
            remembered.map(|cut| cut.session_max.to_offset())
            $(, $arg)*
        )
    }};
}

// Behind the macro that it uses.
mod report;
pub use report::{GrantCounts, StaleGrants, count, stale};

/// The next grants. A filter that no index serves looks at so many and no more: the page may be short, or empty, and yet there
/// is a next one. Call it within a transaction.
pub async fn list(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &GrantFilter,
    after: Option<&Place>,
    reach: Reach,
) -> Result<GrantPage, StoreError> {
    plan_for_these_filters(db).await?;
    let bound = if filter.searches() { bound(db, realm, filter, (after, reach.looked_at)).await? } else { None };
    let grants = page(db, realm, filter, (after, bound.as_ref()), reach.found).await?;
    let is_full = i64::try_from(grants.len()).is_ok_and(|n| n == reach.found);
    let last = grants.last().map(|last| (last.session.to_string(), last.client.to_string()));
    Ok(GrantPage { next: if is_full { last } else { bound }, grants })
}

/// The grants from one place to another, that included, as many as a page has; under a lock, what is still to be found of it.
pub async fn between(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &GrantFilter,
    (after, until): (Option<&Place>, &Place),
    limit: i64,
) -> Result<Vec<FoundGrant>, StoreError> {
    page(db, realm, filter, (after, Some(until)), limit).await
}

/// One plan for all sets of filters would use the index of none.
async fn plan_for_these_filters(db: &mut Db<'_>) -> Result<(), StoreError> {
    sqlx::query!("set local plan_cache_mode = force_custom_plan").execute(db.raw()).await?;
    Ok(())
}

/// The last place that a request looks at; none if there are fewer.
async fn bound(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &GrantFilter,
    (after, looked_at): (Option<&Place>, i64),
) -> Result<Option<Place>, StoreError> {
    let row = sqlx::query!(
        "select session_id, client_uuid from client_session
         where kind = $6 and realm_id = $1 and session_id >= $2 and (session_id, client_uuid) > ($2, $3)
           and ($4::text is null or client_uuid = $4)
         order by session_id, client_uuid offset $5 limit 1",
        realm.as_str(),
        after.map_or("", |(session, _)| session.as_str()),
        after.map_or("", |(_, client)| client.as_str()),
        filter.client.as_ref().map(ClientUuid::as_str),
        looked_at - 1,
        filter.kind.as_str(),
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| (r.session_id, r.client_uuid)))
}

async fn page(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: &GrantFilter,
    (after, until): (Option<&Place>, Option<&Place>),
    limit: i64,
) -> Result<Vec<FoundGrant>, StoreError> {
    let rows = found!(
        query,
        r#"select p.session_id, p.client_uuid, s.user_id,
             (select u.username from user_account u where u.realm_id = s.realm_id and u.user_id = s.user_id) as "username!",
             s.ip_address, used.ip as last_ip_address, s.user_agent, s.remember_me,
             s.started_at as session_started_at, p.started_at as granted_at, coalesce(used.part_at, p.started_at) as "last_used_at!",
             greatest(s.last_grant_at, used.session_at) as "session_used_at!", used.refreshes, p.details as "details: Json<ClientSessionDetails>""#,
        " order by p.session_id, p.client_uuid limit $27",
        realm,
        filter,
        after,
        until,
        limit,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| FoundGrant {
            session: SessionId::new(r.session_id),
            client: ClientUuid::new(r.client_uuid),
            user_id: UserId::new(r.user_id),
            username: r.username,
            ip_address: r.ip_address,
            last_ip_address: r.last_ip_address,
            user_agent: r.user_agent,
            remember_me: r.remember_me,
            session_started_at: Timestamp::from_offset(r.session_started_at),
            granted_at: Timestamp::from_offset(r.granted_at),
            last_used_at: Timestamp::from_offset(r.last_used_at),
            session_used_at: Timestamp::from_offset(r.session_used_at),
            refreshes: r.refreshes.unwrap_or(0),
            scopes: r.details.0.scopes,
        })
        .collect())
}
