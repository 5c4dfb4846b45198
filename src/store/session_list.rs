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

/// The live sessions of a kind that a user has, the one used last first; so many at most, if there is a limit.
pub async fn of_user(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    user: &UserId,
    live: &LiveCutoffs,
    limit: Option<i64>,
) -> Result<Vec<ListedSession>, StoreError> {
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select s.session_id, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at, s.remember_me,
             greatest(s.last_grant_at, used.at) as "last_access_at!",
             coalesce((select jsonb_agg(p.client_uuid) from client_session p
                       where p.kind = $1 and p.realm_id = $2 and p.session_id = s.session_id), '[]'::jsonb)
               as "clients!: Json<Vec<String>>"
           from session s
           join user_account u on u.realm_id = s.realm_id and u.user_id = s.user_id
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id) used on true
           where s.kind = $1 and s.realm_id = $2 and s.user_id = $3 and (not s.remember_me or $8)
             and s.started_at > case when s.remember_me then $5::timestamptz else $4::timestamptz end
             and greatest(s.last_grant_at, used.at) > case when s.remember_me then $7::timestamptz else $6::timestamptz end
           order by greatest(s.last_grant_at, used.at) desc, s.session_id limit $9"#,
        kind.as_str(),
        realm.as_str(),
        user.as_str(),
        live.session_max[0].to_offset(),
        live.session_max[1].to_offset(),
        live.session_idle[0].to_offset(),
        live.session_idle[1].to_offset(),
        live.remember_me,
        limit,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
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
    let rows = sqlx::query_as!(
        ListedRow,
        r#"select s.session_id, s.user_id, u.username, s.ip_address, s.user_agent, s.started_at, s.remember_me,
             coalesce(part.at, p.started_at) as "last_access_at!",
             coalesce((select jsonb_agg(o.client_uuid) from client_session o
                       where o.kind = $1 and o.realm_id = $2 and o.session_id = s.session_id), '[]'::jsonb)
               as "clients!: Json<Vec<String>>"
           from client_session p
           join session s on s.kind = p.kind and s.realm_id = p.realm_id and s.session_id = p.session_id
           join user_account u on u.realm_id = s.realm_id and u.user_id = s.user_id
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id) used on true
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id
                                and c.client_uuid = p.client_uuid) part on true
           where p.kind = $1 and p.realm_id = $2 and p.client_uuid = $3 and ($4::text is null or s.user_id = $4)
             and (not s.remember_me or $13)
             and s.started_at > case when s.remember_me then $6::timestamptz else $5::timestamptz end
             and greatest(s.last_grant_at, used.at) > case when s.remember_me then $8::timestamptz else $7::timestamptz end
             and p.started_at > case when s.remember_me then $10::timestamptz else $9::timestamptz end
             and coalesce(part.at, p.started_at) > case when s.remember_me then $12::timestamptz else $11::timestamptz end
           order by p.session_id offset $14 limit $15"#,
        kind.as_str(),
        realm.as_str(),
        page.client.as_str(),
        page.user.map(UserId::as_str),
        live.session_max[0].to_offset(),
        live.session_max[1].to_offset(),
        live.session_idle[0].to_offset(),
        live.session_idle[1].to_offset(),
        live.part_max[0].to_offset(),
        live.part_max[1].to_offset(),
        live.part_idle[0].to_offset(),
        live.part_idle[1].to_offset(),
        live.remember_me,
        page.first,
        page.max,
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(ListedSession::from).collect())
}

/// How many live sessions of a kind a client has a live part in.
pub async fn count_of_client(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    client: &ClientUuid,
    live: &LiveCutoffs,
) -> Result<i64, StoreError> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!"
           from client_session p
           join session s on s.kind = p.kind and s.realm_id = p.realm_id and s.session_id = p.session_id
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id) used on true
           left join lateral (select max(c.last_refresh_at) as at from chain c
                              where c.kind = $1 and c.realm_id = $2 and c.session_id = s.session_id
                                and c.client_uuid = p.client_uuid) part on true
           where p.kind = $1 and p.realm_id = $2 and p.client_uuid = $3 and (not s.remember_me or $12)
             and s.started_at > case when s.remember_me then $5::timestamptz else $4::timestamptz end
             and greatest(s.last_grant_at, used.at) > case when s.remember_me then $7::timestamptz else $6::timestamptz end
             and p.started_at > case when s.remember_me then $9::timestamptz else $8::timestamptz end
             and coalesce(part.at, p.started_at) > case when s.remember_me then $11::timestamptz else $10::timestamptz end"#,
        kind.as_str(),
        realm.as_str(),
        client.as_str(),
        live.session_max[0].to_offset(),
        live.session_max[1].to_offset(),
        live.session_idle[0].to_offset(),
        live.session_idle[1].to_offset(),
        live.part_max[0].to_offset(),
        live.part_max[1].to_offset(),
        live.part_idle[0].to_offset(),
        live.part_idle[1].to_offset(),
        live.remember_me,
    );
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
