//! What must hold of the tables at any moment, whatever was done to them. Every test ends by asking here.

use super::{Store, StoreError};

/// Every broken rule, in words; empty if all hold.
pub async fn check(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut db = store.db().await?;
    let rows = sqlx::query!(
        r#"select 'a part without a chain: ' || p.kind || ' ' || p.session_id as "broken!" from client_session p
           where p.kind = 'offline' and not exists (select from chain c where c.kind = p.kind and c.realm_id = p.realm_id and c.session_id = p.session_id
                               and c.client_uuid = p.client_uuid)
           union all
           select 'a session without parts that is not noted as empty: ' || s.kind || ' ' || s.session_id from session s
           where s.empty_since is null
             and not exists (select from client_session p where p.kind = s.kind and p.realm_id = s.realm_id
                               and p.session_id = s.session_id)
           union all
           select 'a session with parts that is noted as empty: ' || s.kind || ' ' || s.session_id from session s
           where s.empty_since is not null
             and exists (select from client_session p where p.kind = s.kind and p.realm_id = s.realm_id
                           and p.session_id = s.session_id)
           union all
           select 'a bucket later than any use of its session: ' || c.session_id from chain c
           join session s on s.kind = c.kind and s.realm_id = c.realm_id and s.session_id = c.session_id
           where not (s.kind = 'online' and s.remember_me) and c.last_refresh_bucket > greatest(s.last_grant_at, (
             select max(o.last_refresh_at) from chain o
             where o.kind = c.kind and o.realm_id = c.realm_id and o.session_id = c.session_id))
           union all
           select 'one id for two users: ' || s.session_id from session s
           join session t on t.realm_id = s.realm_id and t.session_id = s.session_id and t.user_id <> s.user_id
           union all
           select 'an offline session with a browser''s cookie: ' || s.session_id from session s
           where s.kind = 'offline' and s.cookie_hash is not null
           union all
           select 'a current token of another generation: ' || c.session_id from chain c
           where ('x' || lpad(left(replace(c.current_jti, '-', ''), 12), 16, '0'))::bit(64)::bigint <> c.generation
           union all
           select 'a token that follows itself: ' || c.session_id from chain c where c.current_jti = c.previous_jti"#
    )
    .fetch_all(db.raw())
    .await?;
    Ok(rows.into_iter().map(|r| r.broken).collect())
}
