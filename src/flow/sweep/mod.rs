//! The sweeper's work: what has lapsed is removed, in bounded batches that several nodes share.
//!
//! Correctness never depends on it: every use of a session checks the same formula. Nothing is removed before a margin after the
//! lapse, so that nodes whose clocks differ a little agree. What a disabled user, client or realm holds is not removed for that:
//! it works again once they are enabled, if it has not lapsed by then. What belongs to a deleted one went with it.

mod parts;
mod sessions;
mod short_lived;

use std::time::Duration;

use super::context::Server;
use super::realms::LoadedRealm;
use crate::base::Timestamp;
use crate::model::event::{EndReason, Event, EventKind};
use crate::model::{Client, EventId, SessionId, SessionKind, UserId};
use crate::oidc::rotation::bucket_span;
use crate::oidc::session_limits::Lapse;
use crate::store::sweep::Candidate;
use crate::store::{self, Db, StoreError};

/// How the sweeper works.
#[derive(Clone, Copy, Debug)]
pub struct SweepRules {
    /// Rows per transaction.
    pub batch: u32,
    /// How long after its lapse something is removed.
    pub margin: Duration,
    /// Count only; remove nothing.
    pub dry_run: bool,
}

/// What a pass removed, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub online_sessions: u64,
    pub offline_sessions: u64,
    /// Parts of clients with shorter limits, in sessions that go on.
    pub online_parts: u64,
    pub offline_parts: u64,
    pub codes: u64,
    pub tabs: u64,
    pub revoked_tokens: u64,
    /// By which clients proved who they are.
    pub assertions: u64,
    /// Links of letters.
    pub action_tokens: u64,
    /// Initial access tokens, with which clients are registered.
    pub initial_access: u64,
    pub events: u64,
    pub batches: u64,
    /// How long the oldest of them could have been removed already.
    pub lag: Duration,
}

/// One pass over all realms.
pub async fn run(server: &Server, rules: SweepRules) -> Result<Swept, StoreError> {
    let now = server.clock.now();
    let mut swept = Swept::default();
    let realms = store::realm::list_versions(&mut server.store.db().await?).await?;
    for (_, name, _) in realms {
        let Some(realm) = server.realms.current(&server.store, &name).await? else { continue };
        for kind in [SessionKind::Online, SessionKind::Offline] {
            let (lag, spare) = (Duration::ZERO, Duration::ZERO);
            let mut pass = Pass { server, realm: &realm, kind, rules, now, batches: 0, lag, spare };
            pass.spare = sessions::spare(&pass);
            let removed = (sessions::sweep(&mut pass).await?, parts::sweep(&mut pass).await?);
            swept.batches += pass.batches;
            swept.lag = swept.lag.max(pass.lag);
            match kind {
                SessionKind::Online => {
                    (swept.online_sessions, swept.online_parts) = add(removed, (swept.online_sessions, swept.online_parts))
                }
                SessionKind::Offline => {
                    (swept.offline_sessions, swept.offline_parts) = add(removed, (swept.offline_sessions, swept.offline_parts))
                }
            }
        }
        swept.events += short_lived::events(server, &realm, rules, now).await?;
    }
    short_lived::sweep(server, rules, now, &mut swept).await?;
    Ok(swept)
}

fn add(one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (one.0 + other.0, one.1 + other.1)
}

/// One kind of session in one realm.
struct Pass<'a> {
    server: &'a Server,
    realm: &'a LoadedRealm,
    kind: SessionKind,
    rules: SweepRules,
    now: Timestamp,
    batches: u64,
    lag: Duration,
    /// For how much longer remembered sessions are left alone.
    spare: Duration,
}

/// Which limit ended a session or a part.
#[derive(Clone, Copy, Debug)]
pub(in crate::flow) enum Reason {
    Idle,
    Max,
    ClientIdle,
    ClientMax,
    /// The realm does not remember sign-ins any more.
    NotRemembered,
}

impl Reason {
    pub(in crate::flow) fn of_session(lapse: Lapse) -> Self {
        if lapse == Lapse::Max { Self::Max } else { Self::Idle }
    }

    pub(in crate::flow) fn of_client(lapse: Lapse) -> Self {
        if lapse == Lapse::Max { Self::ClientMax } else { Self::ClientIdle }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Max => "max",
            Self::ClientIdle => "client_idle",
            Self::ClientMax => "client_max",
            Self::NotRemembered => "not_remembered",
        }
    }
}

impl Pass<'_> {
    /// What `now` is for deciding: the margin behind.
    fn judged_at(&self) -> Timestamp {
        self.now - self.rules.margin
    }

    /// The candidates that live, and the bucket that they belong into: that of the latest use, and `spare` later where they are
    /// remembered. `shortest` is the idle time that the candidates are looked for by.
    fn living(candidates: &[Candidate], gone: &[SessionId], shortest: Duration, spare: Duration) -> Vec<(SessionId, Timestamp)> {
        let later = |c: &Candidate| if c.remember_me { spare } else { Duration::ZERO };
        let bucket = |c: &Candidate| (c.last_used_at + later(c)).floor_to(bucket_span(shortest));
        candidates.iter().filter(|c| !gone.contains(&c.session)).map(|c| (c.session.clone(), bucket(c))).collect()
    }

    /// A batch is done; when the things that went had lapsed.
    fn note(&mut self, lapsed_at: impl Iterator<Item = Timestamp>) {
        let judged_at = self.judged_at();
        self.batches += 1;
        self.lag = lapsed_at.map(|at| judged_at.since(at)).max().unwrap_or_default().max(self.lag);
    }

    /// One event for each session, or part of a client, that is removed.
    async fn record(
        &self,
        db: &mut Db<'_>,
        candidate: &Candidate,
        client: Option<&Client>,
        reason: Reason,
    ) -> Result<(), StoreError> {
        if !EventKind::UserSessionDeleted.is_kept(false, &self.realm.snapshot.realm.settings) {
            return Ok(());
        }
        let event = ended(self.kind, candidate, client, reason);
        let id = EventId::new(self.server.entropy.uuid());
        store::event::insert_event(db, &self.realm.snapshot.realm.id, &id, &event, self.now).await
    }
}

/// The event of a session, or of a client's part in one, that has lapsed and goes.
pub(in crate::flow) fn ended(kind: SessionKind, candidate: &Candidate, client: Option<&Client>, reason: Reason) -> Event {
    Event {
        kind: EventKind::UserSessionDeleted,
        error: None,
        client_id: client.map(|client| client.client_id.to_string()),
        user_id: Some(UserId::new(candidate.user_id.as_str())),
        session_id: Some(candidate.session.clone()),
        ip_address: String::new(),
        details: serde_json::Map::new(),
    }
    .because(EndReason::Expired)
    .detail("lapsed_by", reason.as_str())
    .detail("session_kind", kind.as_str())
}
