//! The sweeper's work: what has lapsed is removed, in bounded batches that several nodes share.
//!
//! Correctness never depends on it: every use of a session checks the same formula. Nothing is removed before a margin after the
//! lapse, so that nodes whose clocks differ a little agree.

use std::collections::HashSet;
use std::time::Duration;

use super::context::Server;
use super::realms::LoadedRealm;
use crate::base::Timestamp;
use crate::model::event::{Event, EventKind};
use crate::model::{EventId, SessionId, SessionKind, UserId};
use crate::oidc::session_limits::{self, Usage};
use crate::store::sweep::{Batch, By, Candidate};
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
    pub codes: u64,
    pub tabs: u64,
    pub revoked_tokens: u64,
    pub batches: u64,
}

/// One pass over all realms.
pub async fn run(server: &Server, rules: SweepRules) -> Result<Swept, StoreError> {
    let now = server.clock.now();
    let mut swept = Swept::default();
    let realms = store::realm::list_versions(&mut server.store.db().await?).await?;
    for (_, name, _) in realms {
        let Some(realm) = server.realms.current(&server.store, &name).await? else { continue };
        for kind in [SessionKind::Online, SessionKind::Offline] {
            let mut pass = Pass { server, realm: &realm, kind, rules, now, lapsed: HashSet::new(), batches: 0 };
            let removed = pass.run().await?;
            swept.batches += pass.batches;
            match kind {
                SessionKind::Online => swept.online_sessions += removed,
                SessionKind::Offline => swept.offline_sessions += removed,
            }
        }
    }
    short_lived(server, rules, now, &mut swept).await?;
    Ok(swept)
}

/// Codes, tabs and notes of revoked tokens: past their time, whatever the realm.
async fn short_lived(server: &Server, rules: SweepRules, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
    let (cutoff, limit) = (now - rules.margin, i64::from(rules.batch));
    // A tab is kept for a day after its time: a user who comes back late is led on instead of being told off.
    let tabs_cutoff = cutoff - Duration::from_secs(86_400);
    if rules.dry_run {
        let mut db = server.store.db().await?;
        [swept.codes, swept.tabs, swept.revoked_tokens] = store::sweep::count_short_lived(&mut db, cutoff, tabs_cutoff).await?;
        return Ok(());
    }
    loop {
        let mut db = server.store.db().await?;
        let codes = store::sweep::delete_codes(&mut db, cutoff, limit).await?;
        let tabs = store::sweep::delete_tabs(&mut db, tabs_cutoff, limit).await?;
        let revoked = store::sweep::delete_revoked(&mut db, cutoff, limit).await?;
        swept.codes += codes;
        swept.tabs += tabs;
        swept.revoked_tokens += revoked;
        swept.batches += 1;
        if [codes, tabs, revoked].into_iter().all(|n| n < u64::from(rules.batch)) {
            return Ok(());
        }
    }
}

/// One kind of session in one realm.
struct Pass<'a> {
    server: &'a Server,
    realm: &'a LoadedRealm,
    kind: SessionKind,
    rules: SweepRules,
    now: Timestamp,
    /// What was found lapsed: one session may be found in two ways.
    lapsed: HashSet<SessionId>,
    batches: u64,
}

impl Pass<'_> {
    async fn run(&mut self) -> Result<u64, StoreError> {
        // The earliest cut-off of sessions with and without Remember me: the exact limit decides later.
        let idle = self.judged_at() - self.limits(false).idle.min(self.limits(true).idle);
        self.by(By::Idle, idle).await?;
        if let (Some(plain), Some(remembered)) = (self.limits(false).max, self.limits(true).max) {
            self.by(By::Start, self.judged_at() - plain.min(remembered)).await?;
        }
        self.by(By::Empty, idle).await?;
        Ok(self.lapsed.len() as u64)
    }

    /// What `now` is for deciding: the margin behind.
    fn judged_at(&self) -> Timestamp {
        self.now - self.rules.margin
    }

    fn limits(&self, remember_me: bool) -> session_limits::Limits {
        session_limits::of_session(&self.realm.snapshot.realm.settings, self.kind, remember_me)
    }

    /// Batch after batch, each behind the last: what is skipped or still lives does not stand in the way of the rest.
    async fn by(&mut self, by: By, cutoff: Timestamp) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            let realm = &self.realm.snapshot.realm.id;
            let batch = Batch { kind: self.kind, realm, cutoff, after: cursor.as_ref(), limit: i64::from(self.rules.batch) };
            let (sessions, next) = store::sweep::next(&mut self.server.store.db().await?, by, batch).await?;
            if next.is_none() {
                return Ok(());
            }
            let lapsed = self.batch(&sessions).await?;
            self.lapsed.extend(lapsed);
            self.batches += 1;
            cursor = next;
        }
    }

    /// One transaction: locks, decides on exact values, deletes.
    async fn batch(&self, sessions: &[SessionId]) -> Result<Vec<SessionId>, StoreError> {
        let realm = &self.realm.snapshot.realm.id;
        self.server
            .store
            .in_tx(async |db| {
                let candidates = store::sweep::lock(db, self.kind, realm, sessions).await?;
                let lapsed: Vec<&Candidate> = candidates.iter().filter(|c| self.has_lapsed(c)).collect();
                let ids: Vec<SessionId> = lapsed.iter().map(|c| c.session.clone()).collect();
                if !self.rules.dry_run {
                    self.record(db, &lapsed).await?;
                    store::sweep::delete(db, self.kind, realm, &ids).await?;
                }
                Ok(ids)
            })
            .await
    }

    fn has_lapsed(&self, candidate: &Candidate) -> bool {
        let usage = Usage { started_at: candidate.started_at, last_used_at: candidate.last_used_at };
        self.limits(candidate.remember_me).has_lapsed(usage, self.judged_at())
    }

    async fn record(&self, db: &mut Db<'_>, lapsed: &[&Candidate]) -> Result<(), StoreError> {
        let settings = &self.realm.snapshot.realm.settings;
        let name = EventKind::UserSessionDeleted.as_str();
        if !settings.events_enabled || !settings.enabled_event_types.iter().any(|t| t == name) {
            return Ok(());
        }
        for candidate in lapsed {
            let event = Event {
                kind: EventKind::UserSessionDeleted,
                error: None,
                client_id: None,
                user_id: Some(UserId::new(candidate.user_id.as_str())),
                session_id: Some(candidate.session.clone()),
                ip_address: String::new(),
                details: serde_json::Map::new(),
            }
            .detail("reason", "expired")
            .detail("session_kind", self.kind.as_str());
            let id = EventId::new(self.server.entropy.uuid());
            store::event::insert_event(db, &self.realm.snapshot.realm.id, &id, &event, self.now).await?;
        }
        Ok(())
    }
}
