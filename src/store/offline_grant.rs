//! Grants of offline access across sessions: a client's part in an offline session, with what is known of it. Lists are paged by
//! key, and filtered here.

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ClientUuid, RealmId, SessionId, UserId};

/// One grant, lapsed or not.
#[derive(Clone, Debug)]
pub struct FoundGrant {
    pub session: SessionId,
    pub client: ClientUuid,
    pub user_id: UserId,
    pub username: String,
    pub ip_address: String,
    pub user_agent: String,
    pub session_started_at: Timestamp,
    pub granted_at: Timestamp,
    /// The client's last refresh, or the grant.
    pub last_used_at: Timestamp,
    /// The last use of the session by any client, or its last grant.
    pub session_used_at: Timestamp,
}

/// Which grants. What is none filters nothing.
#[derive(Clone, Copy, Debug)]
pub struct GrantFilter<'a> {
    pub client: Option<&'a ClientUuid>,
    pub user: Option<&'a UserId>,
    pub ip_address: Option<&'a str>,
    /// Not used since.
    pub unused_since: Option<Timestamp>,
    /// The grant after which the page begins, in the order of sessions and clients.
    pub after: Option<(&'a str, &'a str)>,
    pub limit: i64,
}

/// How many grants one request looks at for a filter that no index serves.
const LOOKED_AT: i64 = 10_000;

/// A page, and the key after which the next one begins; none if there is no more.
#[derive(Clone, Debug)]
pub struct GrantPage {
    pub grants: Vec<FoundGrant>,
    pub next: Option<(String, String)>,
}

/// The next grants. A filter by address or use looks at so many and no more: the page may be short, or empty, and yet there is
/// a next one. Call it within a transaction.
pub async fn list(db: &mut Db<'_>, realm: &RealmId, filter: GrantFilter<'_>) -> Result<GrantPage, StoreError> {
    // Planned anew for each set of filters: one plan for all of them would use the index of none.
    sqlx::query!("set local plan_cache_mode = force_custom_plan").execute(db.raw()).await?;
    let searches = filter.user.is_none() && (filter.ip_address.is_some() || filter.unused_since.is_some());
    let bound = if searches { bound(db, realm, filter).await? } else { None };
    let grants = page(db, realm, filter, bound.as_ref()).await?;
    let is_full = i64::try_from(grants.len()).is_ok_and(|n| n == filter.limit);
    let last = grants.last().map(|last| (last.session.to_string(), last.client.to_string()));
    Ok(GrantPage { next: if is_full { last } else { bound }, grants })
}

/// The last key that a request looks at; none if there are fewer.
async fn bound(db: &mut Db<'_>, realm: &RealmId, filter: GrantFilter<'_>) -> Result<Option<(String, String)>, StoreError> {
    let (after_session, after_client) = filter.after.unwrap_or(("", ""));
    let row = sqlx::query!(
        "select session_id, client_uuid from client_session
         where kind = 'offline' and realm_id = $1 and session_id >= $2 and (session_id, client_uuid) > ($2, $3)
           and ($4::text is null or client_uuid = $4)
         order by session_id, client_uuid offset $5 limit 1",
        realm.as_str(),
        after_session,
        after_client,
        filter.client.map(ClientUuid::as_str),
        LOOKED_AT - 1,
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| (r.session_id, r.client_uuid)))
}

async fn page(
    db: &mut Db<'_>,
    realm: &RealmId,
    filter: GrantFilter<'_>,
    bound: Option<&(String, String)>,
) -> Result<Vec<FoundGrant>, StoreError> {
    let (after_session, after_client) = filter.after.unwrap_or(("", ""));
    let rows = sqlx::query!(
        r#"select p.session_id, p.client_uuid, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at as session_started_at,
             p.started_at as granted_at, coalesce(part.at, p.started_at) as "last_used_at!",
             greatest(s.last_grant_at, used.at) as "session_used_at!"
           from client_session p
           join session s on s.kind = 'offline' and s.realm_id = p.realm_id and s.session_id = p.session_id
           join user_account u on u.realm_id = s.realm_id and u.user_id = s.user_id
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = 'offline' and c.realm_id = $1 and c.session_id = p.session_id) used on true
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = 'offline' and c.realm_id = $1 and c.session_id = p.session_id
                                and c.client_uuid = p.client_uuid) part on true
           where p.kind = 'offline' and p.realm_id = $1 and p.session_id >= $2 and (p.session_id, p.client_uuid) > ($2, $3)
             and ($9::text is null or p.session_id <= $9 and (p.session_id, p.client_uuid) <= ($9, $10))
             and ($4::text is null or p.client_uuid = $4) and ($5::text is null or s.user_id = $5)
             and ($6::text is null or s.ip_address = $6)
             and ($7::timestamptz is null or coalesce(part.at, p.started_at) < $7)
           order by p.session_id, p.client_uuid limit $8"#,
        realm.as_str(),
        after_session,
        after_client,
        filter.client.map(ClientUuid::as_str),
        filter.user.map(UserId::as_str),
        filter.ip_address,
        filter.unused_since.map(Timestamp::to_offset),
        filter.limit,
        bound.map(|(session, _)| session.as_str()),
        bound.map(|(_, client)| client.as_str()),
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
            user_agent: r.user_agent,
            session_started_at: Timestamp::from_offset(r.session_started_at),
            granted_at: Timestamp::from_offset(r.granted_at),
            last_used_at: Timestamp::from_offset(r.last_used_at),
            session_used_at: Timestamp::from_offset(r.session_used_at),
        })
        .collect())
}
