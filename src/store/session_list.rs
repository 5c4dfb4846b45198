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
/// `s` is the session, `used.session_at` its last refresh by any client, `used.part_at` that by `$client`: of use where its part is
/// joined. `$1` to `$7` are bound here, the caller's own follow.
macro_rules! live {
    ($ask:ident $(<$row:ident>)?, [$($select:literal),+], $join:literal, $client:literal, [$($more:literal),*], ($kind:ident, $realm:ident, $live:ident) $(, $arg:expr)* $(,)?) => {
        sqlx::$ask!(
            $($row,)?
            "select "
                $(+ $select)+
                + " from session s "
                + $join
                + " cross join lateral (
                      select max(c.last_refresh_at) as session_at, max(c.last_refresh_at) filter (where c.client_uuid = "
                + $client
                + ") as part_at from chain c where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id) used
                  where s.kind = $1 and s.realm_id = $2
                    and (not s.remember_me and s.started_at > $3 and greatest(s.last_grant_at, used.session_at) > $5
                         or s.remember_me and $7 and s.started_at > $4 and greatest(s.last_grant_at, used.session_at) > $6) "
                $(+ $more)*,
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

/// The same over the sessions in which a client has a live part, `p`. `$8` to `$13` are bound here, too.
macro_rules! live_parts {
    ($ask:ident $(<$row:ident>)?, [$($select:literal),+], [$($more:literal),*], ($kind:ident, $realm:ident, $live:ident), $page:ident $(, $arg:expr)* $(,)?) => {
        live!(
            $ask $(<$row>)?,
            [$($select),+],
            "join client_session p on p.kind = s.kind and p.realm_id = s.realm_id and p.session_id = s.session_id",
            "$8",
            ["and p.client_uuid = $8 and ($9::text is null or s.user_id = $9)
             and (not s.remember_me and p.started_at > $10 and coalesce(used.part_at, p.started_at) > $12
                  or s.remember_me and p.started_at > $11 and coalesce(used.part_at, p.started_at) > $13)"
                $(, $more)*],
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
    ($ask:ident $(<$row:ident>)?, [$($select:literal),+], [$($more:literal),*], ($kind:ident, $realm:ident, $live:ident), $page:ident $(, $arg:expr)* $(,)?) => {
        live!(
            $ask $(<$row>)?,
            [$($select),+],
            "",
            "$8",
            ["and ($8::text is null or exists (select from client_session p where p.kind = $1 and p.realm_id = $2
                                                and p.session_id = s.session_id and p.client_uuid = $8))
             and ($9::text is null or position($9 in s.ip_address) > 0
                  or exists (select from user_account u where u.realm_id = $2 and u.user_id = s.user_id and position($9 in u.username) > 0)
                  or exists (select from client_session p join client k on k.realm_id = p.realm_id and k.client_uuid = p.client_uuid
                             where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id and position($9 in k.client_id) > 0))"
                $(, $more)*],
            ($kind, $realm, $live),
            $page.client.map(ClientUuid::as_str),
            $page.search
            $(, $arg)*
        )
    };
}

/// The same over the sessions of a user; `$8` is bound here, too.
macro_rules! live_of_user {
    ($ask:ident <$row:ident>, [$($select:literal),+], [$($more:literal),*], $context:tt, $user:ident $(, $arg:expr)* $(,)?) => {
        live!($ask <$row>, [$($select),+], "", "null", ["and s.user_id = $8" $(, $more)*], $context, $user.as_str() $(, $arg)*)
    };
}

/// Lines of a list, over one of these: what only a line shows is read for those that are listed, not for what a page passes over.
macro_rules! listed {
    ($over:ident, $last_access:literal, $page:literal, $order:literal, $($rest:tt)*) => {
        $over!(
            query_as<ListedRow>,
            [
                r#"l.session_id as "session_id!", l.user_id as "user_id!", l.ip_address as "ip_address!", l.user_agent as "user_agent!",
                   l.started_at as "started_at!", l.remember_me as "remember_me!", l.last_access_at as "last_access_at!",
                   (select u.username from user_account u where u.realm_id = $2 and u.user_id = l.user_id) as "username!",
                   coalesce((select jsonb_agg(p.client_uuid) from client_session p
                             where p.kind = $1 and p.realm_id = $2 and p.session_id = l.session_id), '[]'::jsonb)
                     as "clients!: Json<Vec<String>>"
                   from (select s.session_id, s.user_id, s.ip_address, s.user_agent, s.started_at, s.remember_me, "#,
                $last_access,
                " as last_access_at"
            ],
            [$page, ") l", $order],
            $($rest)*
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
    let rows = listed!(
        live_of_user,
        "greatest(s.last_grant_at, used.session_at)",
        " order by greatest(s.last_grant_at, used.session_at) desc, s.session_id limit $9",
        " order by l.last_access_at desc, l.session_id",
        (kind, realm, live),
        user,
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
    let rows = listed!(
        live_found,
        "greatest(s.last_grant_at, used.session_at)",
        " order by s.session_id offset $10 limit $11",
        " order by l.session_id",
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
    let count = live_found!(query_scalar, [r#"count(*) as "count!""#], [], (kind, realm, live), page,);
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

impl ClientPage<'_> {
    /// It passes over all before it, to show a few.
    pub fn is_far_down(&self) -> bool {
        self.user.is_none() && self.first > 0 && self.max.is_some_and(|max| max <= 1_000)
    }
}

/// The live sessions of a kind in which a client has a live part. `last_access_at` is that of the part. A page that
/// is far down belongs into a report.
pub async fn of_client(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    page: ClientPage<'_>,
    live: &LiveCutoffs,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows = listed!(
        live_parts,
        "coalesce(used.part_at, p.started_at)",
        " order by p.session_id offset $14 limit $15",
        " order by l.session_id",
        (kind, realm, live),
        page,
        page.first,
        page.max,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
}

/// How many live sessions of a kind a client has a live part in. Call it in a report.
///
/// A part with a chain that was used after every idle cut-off lives, unless a maximum is over: those are counted by joining whole
/// tables. Only of the rest is the latest use computed one by one, which takes ten times as long. Where the cut-offs are alike the
/// rest is what has lapsed and waits for the sweeper.
pub async fn count_of_client(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    client: &ClientUuid,
    live: &LiveCutoffs,
) -> Result<i64, StoreError> {
    let page = ClientPage { client, user: None, first: 0, max: None };
    let count = live_parts!(
        query_scalar,
        [r#"count(*) + (
             select count(*) from session s
             join client_session p on p.kind = s.kind and p.realm_id = s.realm_id and p.session_id = s.session_id
             where s.kind = $1 and s.realm_id = $2 and p.client_uuid = $8
               and (not s.remember_me and s.started_at > $3 and p.started_at > $10
                    or s.remember_me and $7 and s.started_at > $4 and p.started_at > $11)
               and exists (select from chain c where c.kind = $1 and c.realm_id = $2 and c.session_id = p.session_id
                             and c.client_uuid = p.client_uuid and c.last_refresh_at > $14)) as "count!""#],
        [" and not exists (select from chain c where c.kind = $1 and c.realm_id = $2 and c.session_id = p.session_id
                            and c.client_uuid = p.client_uuid and c.last_refresh_at > $14)"],
        (kind, realm, live),
        page,
        latest(live).to_offset(),
    );
    Ok(count.fetch_one(db.raw()).await?)
}

/// What was used after this is idle by no limit.
fn latest(live: &LiveCutoffs) -> Timestamp {
    live.session_idle.into_iter().chain(live.part_idle).fold(live.session_idle[0], Timestamp::max)
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
