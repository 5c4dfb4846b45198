//! The sweeper's work: what has lapsed is removed, in bounded batches that several nodes share.
//!
//! Correctness never depends on it: every use of a session checks the same formula. Nothing is removed before a margin after the
//! lapse, so that nodes whose clocks differ a little agree.

use std::time::Duration;

use super::context::Server;
use super::realms::LoadedRealm;
use crate::base::Timestamp;
use crate::model::event::{Event, EventKind};
use crate::model::{EventId, SessionId, SessionKind, UserId};
use crate::oidc::session_limits::{self, Usage};
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
            let pass = Pass { server, realm: &realm, kind, rules, now };
            let removed = pass.run(&mut swept.batches).await?;
            match kind {
                SessionKind::Online => swept.online_sessions += removed,
                SessionKind::Offline => swept.offline_sessions += removed,
            }
        }
    }
    if !rules.dry_run {
        short_lived(server, rules, now, &mut swept).await?;
    }
    Ok(swept)
}

/// Codes, tabs and notes of revoked tokens: past their time, whatever the realm.
async fn short_lived(server: &Server, rules: SweepRules, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
    let (cutoff, limit) = (now - rules.margin, i64::from(rules.batch));
    // A tab is kept for a day after its time: a user who comes back late is led on instead of being told off.
    let tabs_cutoff = cutoff - Duration::from_secs(86_400);
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
}

impl Pass<'_> {
    async fn run(&self, batches: &mut u64) -> Result<u64, StoreError> {
        let mut removed = 0;
        removed += self.by_idle(batches).await?;
        removed += self.by_start(batches).await?;
        removed += self.empty(batches).await?;
        Ok(removed)
    }

    /// What `now` is for deciding: the margin behind.
    fn judged_at(&self) -> Timestamp {
        self.now - self.rules.margin
    }

    fn limits(&self, remember_me: bool) -> session_limits::Limits {
        session_limits::of_session(&self.realm.snapshot.realm.settings, self.kind, remember_me)
    }

    /// The earliest cut-off of sessions with and without Remember me: the exact limit decides later.
    fn idle_cutoff(&self) -> Timestamp {
        self.judged_at() - self.limits(false).idle.min(self.limits(true).idle)
    }

    async fn by_idle(&self, batches: &mut u64) -> Result<u64, StoreError> {
        let (realm, cutoff) = (&self.realm.snapshot.realm.id, self.idle_cutoff());
        let (mut removed, mut cursor) = (0, None);
        loop {
            let mut db = self.server.store.db().await?;
            let limit = i64::from(self.rules.batch);
            let (sessions, next) = store::sweep::next_by_idle(&mut db, self.kind, realm, cutoff, cursor.as_ref(), limit).await?;
            drop(db);
            if next.is_none() {
                return Ok(removed);
            }
            removed += self.batch(&sessions, batches).await?;
            cursor = next;
        }
    }

    async fn by_start(&self, batches: &mut u64) -> Result<u64, StoreError> {
        let longest = self.limits(false).max.zip(self.limits(true).max).map(|(a, b)| a.max(b));
        let Some(max) = longest else { return Ok(0) };
        let (realm, cutoff) = (&self.realm.snapshot.realm.id, self.judged_at() - max);
        let mut removed = 0;
        loop {
            let mut db = self.server.store.db().await?;
            let sessions = store::sweep::next_by_start(&mut db, self.kind, realm, cutoff, i64::from(self.rules.batch)).await?;
            drop(db);
            let found = sessions.len() as u64;
            let gone = self.batch(&sessions, batches).await?;
            removed += gone;
            // What was skipped is in use by another node; it is for the next pass.
            if gone == 0 || found < u64::from(self.rules.batch) || self.rules.dry_run {
                return Ok(removed);
            }
        }
    }

    async fn empty(&self, batches: &mut u64) -> Result<u64, StoreError> {
        let (realm, cutoff) = (&self.realm.snapshot.realm.id, self.idle_cutoff());
        let mut removed = 0;
        loop {
            let mut db = self.server.store.db().await?;
            let sessions = store::sweep::next_empty(&mut db, self.kind, realm, cutoff, i64::from(self.rules.batch)).await?;
            drop(db);
            let found = sessions.len() as u64;
            let gone = self.batch(&sessions, batches).await?;
            removed += gone;
            if gone == 0 || found < u64::from(self.rules.batch) || self.rules.dry_run {
                return Ok(removed);
            }
        }
    }

    /// One transaction: locks, decides on exact values, deletes.
    async fn batch(&self, sessions: &[SessionId], batches: &mut u64) -> Result<u64, StoreError> {
        if sessions.is_empty() {
            return Ok(0);
        }
        *batches += 1;
        let realm = &self.realm.snapshot.realm.id;
        self.server
            .store
            .in_tx(async |db| {
                let candidates = store::sweep::lock(db, self.kind, realm, sessions).await?;
                let lapsed: Vec<&Candidate> = candidates.iter().filter(|c| self.has_lapsed(c)).collect();
                if self.rules.dry_run {
                    return Ok(lapsed.len() as u64);
                }
                let ids: Vec<SessionId> = lapsed.iter().map(|c| c.session.clone()).collect();
                self.record(db, &lapsed).await?;
                store::sweep::delete(db, self.kind, realm, &ids).await
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
