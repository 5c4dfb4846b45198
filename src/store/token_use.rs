//! What is left of the session behind a token: read where a token is introspected or used, and where a refresh step found no
//! row and the answer has to say why.

use serde_json::{Map, Value};
use sqlx::types::Json;

use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::{ClientSessionDetails, Session};
use crate::model::{ClientId, ClientUuid, RealmId, SessionId, SessionKind, UserId};

/// A session, when it was used last, and the part of one client in it.
#[derive(Clone, Debug)]
pub struct SessionUse {
    pub session: Session,
    pub last_used_at: Timestamp,
    pub part: Option<PartUse>,
    /// The present versions of the realm and of the session's user.
    pub realm_version: i64,
    pub user_version: i64,
    /// Whether the access token that was asked about was revoked by itself.
    pub token_revoked: bool,
}

#[derive(Clone, Debug)]
pub struct PartUse {
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
    pub details: ClientSessionDetails,
}

/// Finds a session with the part of a client, named by its `client_id` as tokens do. `jti`: the access token in question.
pub async fn find(
    db: &mut Db<'_>,
    kind: SessionKind,
    realm: &RealmId,
    session: &SessionId,
    client: &ClientId,
    jti: Option<&str>,
) -> Result<Option<SessionUse>, StoreError> {
    let row = sqlx::query!(
        r#"select s.user_id, s.started_at, s.last_grant_at, s.ip_address, s.user_agent, s.login_name, s.remember_me, s.auth_time,
             s.notes as "notes: Json<Map<String, Value>>", r.version as realm_version, u.version as user_version,
             (select max(c.last_refresh_at) from chain c
              where c.kind = $1 and c.realm_id = $2 and c.session_id = $3) as last_refresh_at,
             p.started_at as "part_started_at?", p.details as "details?: Json<ClientSessionDetails>",
             (select max(c.last_refresh_at) from chain c where c.kind = $1 and c.realm_id = $2 and c.session_id = $3
                and c.client_uuid = p.client_uuid) as part_refresh_at,
             exists (select from revoked_token t where t.realm_id = $2 and t.jti = $5) as "token_revoked!"
           from session s
           join realm r on r.realm_id = s.realm_id
           join user_account u on u.realm_id = s.realm_id and u.user_id = s.user_id
           left join client k on k.realm_id = s.realm_id and k.client_id = $4
           left join client_session p on p.kind = s.kind and p.realm_id = s.realm_id and p.session_id = s.session_id
             and p.client_uuid = k.client_uuid
           where s.kind = $1 and s.realm_id = $2 and s.session_id = $3"#,
        kind.as_str(),
        realm.as_str(),
        session.as_str(),
        client.as_str(),
        jti,
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| {
        let last_grant_at = Timestamp::from_offset(r.last_grant_at);
        let part = r.part_started_at.zip(r.details).map(|(started_at, details)| {
            let started_at = Timestamp::from_offset(started_at);
            let last_used_at = r.part_refresh_at.map_or(started_at, Timestamp::from_offset);
            PartUse { started_at, last_used_at, details: details.0 }
        });
        SessionUse {
            last_used_at: r.last_refresh_at.map(Timestamp::from_offset).map_or(last_grant_at, |at| at.max(last_grant_at)),
            part,
            realm_version: r.realm_version,
            user_version: r.user_version,
            token_revoked: r.token_revoked,
            session: Session {
                id: session.clone(),
                user_id: UserId::new(r.user_id),
                started_at: Timestamp::from_offset(r.started_at),
                last_grant_at,
                ip_address: r.ip_address,
                user_agent: r.user_agent,
                login_name: r.login_name,
                remember_me: r.remember_me,
                auth_time: r.auth_time,
                notes: r.notes.0,
            },
        }
    }))
}

/// For the token of a service account, which has no session: the versions of realm and user, and whether it was revoked.
pub async fn find_without_session(
    db: &mut Db<'_>,
    realm: &RealmId,
    client: &ClientUuid,
    jti: &str,
) -> Result<Option<(i64, UserId, i64, bool)>, StoreError> {
    let row = sqlx::query!(
        r#"select r.version as realm_version, u.user_id, u.version as user_version,
             exists (select from revoked_token t where t.realm_id = $1 and t.jti = $3) as "revoked!"
           from realm r join user_account u on u.realm_id = r.realm_id and u.service_account_client_uuid = $2
           where r.realm_id = $1"#,
        realm.as_str(),
        client.as_str(),
        jti,
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(|r| (r.realm_version, UserId::new(r.user_id), r.user_version, r.revoked)))
}
