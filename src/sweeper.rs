//! What runs beside the requests: the sweeper, and the watch on what other nodes changed.
//!
//! Every node runs both. Batches are shared by row locks, and nothing depends on either of them: a request checks for itself
//! whether a session has lapsed and whether its copy of a realm is of the version in the database.

use std::future::Future;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::flow::Server;
use crate::flow::sweep::{self, SweepRules};
use crate::telemetry::labels::SweepKind;
use crate::telemetry::metrics;

/// How soon this node sees what another one changed, where only a copy is asked.
const WATCH: Duration = Duration::from_secs(1);

/// Sweeps until `stop`.
pub async fn run(server: Server, rules: SweepRules, every: Duration, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => once(&server, rules).await,
            () = &mut stop => return,
        }
    }
}

async fn once(server: &Server, rules: SweepRules) {
    let started = server.clock.now();
    match sweep::run(server, rules).await {
        Ok(swept) => {
            let now = server.clock.now();
            metrics::sweeper_ran(now.since(started), now);
            let kinds = [
                (SweepKind::OfflineSession, swept.offline_sessions),
                (SweepKind::UserSession, swept.online_sessions),
                (SweepKind::AuthorizationCode, swept.codes),
                (SweepKind::AuthenticationSession, swept.tabs),
                (SweepKind::Other, swept.revoked_tokens),
            ];
            for (kind, rows) in kinds.into_iter().filter(|(_, rows)| *rows > 0) {
                metrics::sweeper_removed(kind, rows);
                tracing::info!(kind = kind.as_str(), rows, "swept");
            }
        }
        Err(error) => tracing::warn!(%error, "the sweeper could not finish; it tries again at its next turn"),
    }
}

/// Reads again what other nodes changed, until `stop`.
pub async fn watch(server: Server, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = interval(WATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = &mut stop => return,
        }
        match server.realms.refresh(&server.store).await {
            Ok(()) => failing = false,
            // Said once, not every second of an outage.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "realms could not be read again");
            }
            Err(_) => {}
        }
    }
}
