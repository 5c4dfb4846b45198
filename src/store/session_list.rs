//! Lists and counts of sessions. A lapsed session is neither listed nor counted, whether the sweeper has come by or not.

use sqlx::types::Json;

use super::chain::LiveCutoffs;
use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::{ClientUuid, RealmId, SessionId, SessionKind, UserId};

/// One line of a list.
#[derive(Clone, Debug)]
pub struct ListedSession {
    pub id: SessionId,
    pub user_id: UserId,
    pub username: String,
    pub ip_address: String,
    pub user_agent: String,
    pub started_at: Timestamp,
    pub last_access_at: Timestamp,
    pub remember_me: bool,
    pub clients: Vec<ClientUuid>,
}

struct ListedRow {
    session_id: String,
    user_id: String,
    username: String,
    ip_address: String,
    user_agent: String,
    started_at: time::OffsetDateTime,
    last_access_at: time::OffsetDateTime,
    remember_me: bool,
    clients: Json<Vec<String>>,
}

impl From<ListedRow> for ListedSession {
    fn from(r: ListedRow) -> Self {
        Self {
            id: SessionId::new(r.session_id),
            user_id: UserId::new(r.user_id),
            username: r.username,
            ip_address: r.ip_address,
            user_agent: r.user_agent,
            started_at: Timestamp::from_offset(r.started_at),
            last_access_at: Timestamp::from_offset(r.last_access_at),
            remember_me: r.remember_me,
            clients: r.clients.0.into_iter().map(ClientUuid::new).collect(),
        }
    }
}

/// A statement over the live sessions of a kind in a realm: the one place that says, in SQL, which sessions live.
///
/// `s` is the session, `u` its user, `used.at` its last refresh; `$1` to `$7` are bound here, the caller's own follow.
macro_rules! live {
    ($ask:ident, $($row:ty,)? $select:literal, $joins:literal, $more:literal $(+ $rest:literal)?, ($kind:ident, $realm:ident, $live:ident) $(, $arg:expr)* $(,)?) => {
        sqlx::$ask!(
            $($row,)?
            "select "
                + $select
                + " from session s join user_account u on u.realm_id = s.realm_id and u.user_id = s.user_id "
                + $joins
                + " left join lateral (select max(c.last_refresh_at) as at from chain c
                               where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id) used on true
                  where s.kind = $1 and s.realm_id = $2 and (not s.remember_me or $7)
                    and s.started_at > case when s.remember_me then $4::timestamptz else $3::timestamptz end
                    and greatest(s.last_grant_at, used.at) > case when s.remember_me then $6::timestamptz else $5::timestamptz end "
                + $more $(+ $rest)?,
            $kind.as_str(),
            $realm.as_str(),
            $live.session_max[0].to_offset(),
            $live.session_max[1].to_offset(),
            $live.session_idle[0].to_offset(),
            $live.session_idle[1].to_offset(),
            $live.remember_me
            $(, $arg)*
        )
    };
}

/// The same over the sessions in which a client has a live part, `p`, whose last refresh is `part.at`. `$8` to `$13` are bound
/// here, too.
macro_rules! live_parts {
    ($ask:ident, $($row:ty,)? $select:literal, $more:literal, ($kind:ident, $realm:ident, $live:ident), $page:ident $(, $arg:expr)* $(,)?) => {
        live!(
            $ask,
            $($row,)?
            $select,
            "join client_session p on p.kind = s.kind and p.realm_id = s.realm_id and p.session_id = s.session_id
             left join lateral (select max(c.last_refresh_at) as at from chain c
                                where c.kind = $1 and c.realm_id = $2 and c.session_id = p.session_id
                                  and c.client_uuid = p.client_uuid) part on true",
            "and p.client_uuid = $8 and ($9::text is null or s.user_id = $9)
             and p.started_at > case when s.remember_me then $11::timestamptz else $10::timestamptz end
             and coalesce(part.at, p.started_at) > case when s.remember_me then $13::timestamptz else $12::timestamptz end"
                + $more,
            ($kind, $realm, $live),
            $page.client.as_str(),
            $page.user.map(UserId::as_str),
            $live.part_max[0].to_offset(),
            $live.part_max[1].to_offset(),
            $live.part_idle[0].to_offset(),
            $live.part_idle[1].to_offset()
            $(, $arg)*
        )
    };
}

/// The same over the sessions that a search of the realm finds; `$8` and `$9` are bound here, too.
macro_rules! live_found {
    ($ask:ident, $($row:ty,)? $select:literal, $more:literal, ($kind:ident, $realm:ident, $live:ident), $page:ident $(, $arg:expr)* $(,)?) => {
        live!(
            $ask,
            $($row,)?
            $select,
            "",
            "and ($8::text is null or exists (select from client_session p where p.kind = $1 and p.realm_id = $2
                                                and p.session_id = s.session_id and p.client_uuid = $8))
             and ($9::text is null or position($9 in u.username) > 0 or position($9 in s.ip_address) > 0
                  or exists (select from client_session p join client k on k.realm_id = p.realm_id and k.client_uuid = p.client_uuid
                             where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id and position($9 in k.client_id) > 0))"
                + $more,
            ($kind, $realm, $live),
            $page.client.map(ClientUuid::as_str),
            $page.search
            $(, $arg)*
        )
    };
}

/// The live sessions of a kind that a user has, the one used last first; so many at most, if there is a limit.
pub async fn of_user(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    user: &UserId,
    live: &LiveCutoffs,
    limit: Option<i64>,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows = live!(
        query_as,
        ListedRow,
        r#"s.session_id, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at, s.remember_me,
           greatest(s.last_grant_at, used.at) as "last_access_at!",
           coalesce((select jsonb_agg(p.client_uuid) from client_session p
                     where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id), '[]'::jsonb)
             as "clients!: Json<Vec<String>>""#,
        "",
        "and s.user_id = $8 order by greatest(s.last_grant_at, used.at) desc, s.session_id limit $9",
        (kind, realm, live),
        user.as_str(),
        limit,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
}

/// Which sessions of a realm: those with a text in the user's name, the address or a client's name, or of one client; a page
/// at a time, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct RealmPage<'a> {
    pub client: Option<&'a ClientUuid>,
    pub search: Option<&'a str>,
    pub first: i64,
    pub max: i64,
}

/// The live sessions of a kind.
pub async fn of_realm(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    page: RealmPage<'_>,
    live: &LiveCutoffs,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows = live_found!(
        query_as,
        ListedRow,
        r#"s.session_id, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at, s.remember_me,
           greatest(s.last_grant_at, used.at) as "last_access_at!",
           coalesce((select jsonb_agg(p.client_uuid) from client_session p
                     where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id), '[]'::jsonb)
             as "clients!: Json<Vec<String>>""#,
        " order by s.session_id offset $10 limit $11",
        (kind, realm, live),
        page,
        page.first,
        page.max,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
}

/// How many live sessions of a kind a search finds.
pub async fn count_of_realm(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    page: RealmPage<'_>,
    live: &LiveCutoffs,
) -> Result<i64, StoreError> {
    let count = live_found!(query_scalar, r#"count(*) as "count!""#, "", (kind, realm, live), page,);
    Ok(count.fetch_one(db.raw()).await?)
}

/// Which sessions of a client: of one user or of all, a page at a time in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct ClientPage<'a> {
    pub client: &'a ClientUuid,
    pub user: Option<&'a UserId>,
    pub first: i64,
    pub max: Option<i64>,
}

/// The live sessions of a kind in which a client has a live part. `last_access_at` is that of the part.
pub async fn of_client(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    page: ClientPage<'_>,
    live: &LiveCutoffs,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows = live_parts!(
        query_as,
        ListedRow,
        r#"s.session_id, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at, s.remember_me,
           coalesce(part.at, p.started_at) as "last_access_at!",
           coalesce((select jsonb_agg(o.client_uuid) from client_session o
                     where o.kind = $1 and o.realm_id = $2 and o.session_id = s.session_id), '[]'::jsonb)
             as "clients!: Json<Vec<String>>""#,
        " order by p.session_id offset $14 limit $15",
        (kind, realm, live),
        page,
        page.first,
        page.max,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
}

/// How many live sessions of a kind a client has a live part in, of one user or of all.
pub async fn count_of_client(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    page: ClientPage<'_>,
    live: &LiveCutoffs,
) -> Result<i64, StoreError> {
    let count = live_parts!(query_scalar, r#"count(*) as "count!""#, "", (kind, realm, live), page,);
    Ok(count.fetch_one(db.raw()).await?)
}

/// The clients that have a part in any session of a kind, lapsed ones included: where counting by client has to begin.
pub async fn clients_with_parts(db: &mut Db<'_>, kind: SessionKind, realm: &RealmId) -> Result<Vec<ClientUuid>, StoreError> {
    let rows = sqlx::query_scalar!(
        "select k.client_uuid from client k where k.realm_id = $2
           and exists (select from client_session p where p.kind = $1 and p.realm_id = $2 and p.client_uuid = k.client_uuid)
         order by k.client_id",
        kind.as_str(),
        realm.as_str(),
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ClientUuid::new).collect())
}
