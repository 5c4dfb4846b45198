//! The step of a refresh: one statement that takes a presented token, compares it with its row, and moves the row or not.
//!
//! Under READ COMMITTED an update that waits for a locked row evaluates its conditions and its values again on the newest
//! version of the row: so this one statement is a complete state machine, however many present the same token at once. It also
//! carries the rest of admission: the versions of realm and user that the decision was taken on, and the limits of session and
//! part as cut-offs seen from the request's `now`. No row: a read finds out why.

use serde_json::{Map, Value};
use sqlx::types::Json;

use super::session::DecidedOn;
use super::{Db, StoreError};
use crate::base::Timestamp;
use crate::model::session::ClientSessionDetails;
use crate::model::{ChainId, ClientUuid, KeyId, SessionId, SessionKind, TokenId};

/// The cut-offs of a session and of a client's part; the second of each pair counts for sessions with Remember me.
#[derive(Clone, Copy, Debug)]
pub struct LiveCutoffs {
    pub session_idle: [Timestamp; 2],
    pub session_max: [Timestamp; 2],
    pub part_idle: [Timestamp; 2],
    pub part_max: [Timestamp; 2],
    /// Whether sessions with Remember me count at all.
    pub remember_me: bool,
}

/// A presented token and what its step needs.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    pub on: DecidedOn<'a>,
    pub kind: SessionKind,
    pub session: &'a SessionId,
    pub client: &'a ClientUuid,
    pub chain: &'a ChainId,
    pub cutoffs: LiveCutoffs,
    /// The latest start of session and part that the token can have been issued in.
    pub started_by: Timestamp,
    pub presented: &'a TokenId,
    pub generation: i64,
    pub key_id: &'a KeyId,
    pub bucket: Timestamp,
    pub now: Timestamp,
    /// Where the request came from.
    pub ip_address: &'a str,
}

/// When a chain that rotates answers the token used last again.
#[derive(Clone, Copy, Debug)]
pub struct Again<'a> {
    /// The id of the successor, of generation + 1.
    pub successor: &'a TokenId,
    /// Any number of times if it rotated at or after this.
    pub grace_from: Option<Timestamp>,
    /// So many times later.
    pub limit: i32,
    /// Whether a retry beyond the limit is told to wait, rather than taken for a theft.
    pub throttles: bool,
    /// Once more if the last such retry was before this.
    pub late_before: Option<Timestamp>,
}

/// The row after the step, and what the answer is made of.
#[derive(Clone, Debug)]
pub struct Stepped {
    pub outcome: String,
    pub generation: i64,
    pub current: Option<TokenId>,
    pub rotated_at: Timestamp,
    pub session_started_at: Timestamp,
    pub part_started_at: Timestamp,
    pub remember_me: bool,
    pub auth_time: Option<i64>,
    pub notes: Map<String, Value>,
    pub details: ClientSessionDetails,
}

struct StepRow {
    outcome: String,
    generation: i64,
    current_jti: Option<String>,
    rotated_at: time::OffsetDateTime,
    session_started_at: time::OffsetDateTime,
    part_started_at: time::OffsetDateTime,
    remember_me: bool,
    auth_time: Option<i64>,
    notes: Json<Map<String, Value>>,
    details: Json<ClientSessionDetails>,
}

/// The step with these assignments. Parameters $1 to $21 are those of the condition, in the order below.
macro_rules! step {
    ([$($assignments:tt)*], $step:ident $(, $more:expr)*) => {
        sqlx::query_as!(
            StepRow,
            "update chain c set " + $($assignments)* + r#"
             from session s, client_session p, realm r, user_account u
             where c.kind = $1 and c.realm_id = $2 and c.session_id = $3 and c.client_uuid = $4 and c.chain_id = $5
               and s.kind = $1 and s.realm_id = $2 and s.session_id = $3 and s.user_id = $8
               and p.kind = $1 and p.realm_id = $2 and p.session_id = $3 and p.client_uuid = $4
               and r.realm_id = $2 and r.version = $6
               and u.realm_id = $2 and u.user_id = $8 and u.version = $7
               and (not s.remember_me or $17)
               and s.started_at > case when s.remember_me then $10::timestamptz else $9::timestamptz end and s.started_at <= $18
               and p.started_at > case when s.remember_me then $14::timestamptz else $13::timestamptz end and p.started_at <= $18
               and (greatest(c.last_refresh_at, s.last_grant_at) > case when s.remember_me then $12::timestamptz else $11::timestamptz end
                 or exists (select from chain o where o.kind = $1 and o.realm_id = $2 and o.session_id = $3
                              and o.last_refresh_at > case when s.remember_me then $12::timestamptz else $11::timestamptz end))
               and (c.last_refresh_at > case when s.remember_me then $16::timestamptz else $15::timestamptz end
                 or exists (select from chain o where o.kind = $1 and o.realm_id = $2 and o.session_id = $3 and o.client_uuid = $4
                              and o.last_refresh_at > case when s.remember_me then $16::timestamptz else $15::timestamptz end))
             returning c.outcome as "outcome!", c.generation, c.current_jti, c.rotated_at,
               s.started_at as session_started_at, p.started_at as part_started_at, s.remember_me, s.auth_time,
               s.notes as "notes: Json<Map<String, Value>>", p.details as "details: Json<ClientSessionDetails>""#,
            $step.kind.as_str(),
            $step.on.realm.as_str(),
            $step.session.as_str(),
            $step.client.as_str(),
            $step.chain.as_str(),
            $step.on.realm_version,
            $step.on.user_version,
            $step.on.user.as_str(),
            $step.cutoffs.session_max[0].to_offset(),
            $step.cutoffs.session_max[1].to_offset(),
            $step.cutoffs.session_idle[0].to_offset(),
            $step.cutoffs.session_idle[1].to_offset(),
            $step.cutoffs.part_max[0].to_offset(),
            $step.cutoffs.part_max[1].to_offset(),
            $step.cutoffs.part_idle[0].to_offset(),
            $step.cutoffs.part_idle[1].to_offset(),
            $step.cutoffs.remember_me,
            $step.started_by.to_offset(),
            $step.now.to_offset(),
            $step.bucket.to_offset(),
            $step.generation
            $(, $more)*
        )
    };
}

/// Rotation is off: the use is noted, and any token of the part goes on working. A token minted now is of the row's generation,
/// so that it is current when rotation is switched on.
pub async fn use_token(db: &mut Db<'_>, step: &Step<'_>) -> Result<Option<Stepped>, StoreError> {
    let row = step!(
        ["outcome = 'used', current_jti = null, generation = greatest(c.generation, $21),
           last_refresh_at = greatest(c.last_refresh_at, $19), last_refresh_bucket = greatest(c.last_refresh_bucket, $20),
           key_id = $22, refreshes = coalesce(c.refreshes, 0) + 1, last_ip_address = $23"],
        step,
        step.key_id.as_str(),
        step.ip_address
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(Stepped::from))
}

/// The assignments of a rotation, with the conditions that they share.
macro_rules! rotation {
    ($step:ident, $again:ident, $moves:literal, $previous:literal, $in_grace:literal, $once_more:literal) => {
        step!(
            ["outcome = case when "
                + $moves
                + " then case when c.generation < $21 then 'ahead' else 'rotated' end
               when "
                + $previous
                + " and ("
                + $in_grace
                + " or c.replays < $24 or "
                + $once_more
                + ") then 'replayed'
               when "
                + $previous
                + " and $26 then 'throttled'
               when c.generation > $21 + 1 and "
                + $in_grace
                + " then 'stale'
               when "
                + $previous
                + " then 'reuse'
               else 'older' end,
             generation = case when "
                + $moves
                + " then $21 + 1 else c.generation end,
             previous_jti = case when "
                + $moves
                + " then $22 else c.previous_jti end,
             current_jti = case when "
                + $moves
                + " then $23 else c.current_jti end,
             rotated_at = case when "
                + $moves
                + " then $19 else c.rotated_at end,
             key_id = case when "
                + $moves
                + " then $27 else c.key_id end,
             replays = case when "
                + $moves
                + " then 0
               when "
                + $previous
                + " and not "
                + $in_grace
                + " and (c.replays < $24 or "
                + $once_more
                + ") then c.replays + 1
               else c.replays end,
             late_replay_at = case when "
                + $previous
                + " and not "
                + $in_grace
                + " and c.replays >= $24 and "
                + $once_more
                + "
               then $19 else c.late_replay_at end,
             last_refresh_at = case when "
                + $moves
                + " or "
                + $previous
                + " then greatest(c.last_refresh_at, $19)
               else c.last_refresh_at end,
             last_refresh_bucket = case when "
                + $moves
                + " or "
                + $previous
                + " then greatest(c.last_refresh_bucket, $20)
               else c.last_refresh_bucket end,
             refreshes = case when "
                + $moves
                + " or "
                + $previous
                + " then coalesce(c.refreshes, 0) + 1 else c.refreshes end,
             last_ip_address = case when "
                + $moves
                + " or "
                + $previous
                + " then $29 else c.last_ip_address end"],
            $step,
            $step.presented.as_str(),
            $again.successor.as_str(),
            $again.limit,
            $again.grace_from.map(Timestamp::to_offset),
            $again.throttles,
            $step.key_id.as_str(),
            $again.late_before.map(Timestamp::to_offset),
            $step.ip_address
        )
    };
}

/// Rotation is on: the current token moves the chain to its successor, and so does one that is ahead of the row, whose commit was
/// lost; the token used last is answered again as far as that is allowed; anything else moves nothing.
pub async fn rotate(db: &mut Db<'_>, step: &Step<'_>, again: &Again<'_>) -> Result<Option<Stepped>, StoreError> {
    let row = rotation!(
        step,
        again,
        "(c.generation < $21 or c.generation = $21 and (c.current_jti = $22 or c.current_jti is null))",
        "(c.generation = $21 + 1 and c.previous_jti = $22)",
        "coalesce(greatest(c.rotated_at, c.late_replay_at) >= $25, false)",
        "coalesce(c.late_replay_at < $28, $28::timestamptz is not null)"
    )
    .fetch_optional(db.raw())
    .await?;
    Ok(row.map(Stepped::from))
}

impl From<StepRow> for Stepped {
    fn from(r: StepRow) -> Self {
        Self {
            outcome: r.outcome,
            generation: r.generation,
            current: r.current_jti.map(TokenId::new),
            rotated_at: Timestamp::from_offset(r.rotated_at),
            session_started_at: Timestamp::from_offset(r.session_started_at),
            part_started_at: Timestamp::from_offset(r.part_started_at),
            remember_me: r.remember_me,
            auth_time: r.auth_time,
            notes: r.notes.0,
            details: r.details.0,
        }
    }
}
