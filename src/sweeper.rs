//! What runs beside the requests: the sweeper, the watch on what other nodes changed, and the outbox of back-channel logout.
//!
//! Every node runs all three. Batches are shared by row locks, and nothing depends on the first two: a request checks for itself
//! whether a session has lapsed and whether its copy of a realm is of the version in the database.

use std::future::Future;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::flow::sweep::{self, SweepRules};
use crate::flow::{Server, logout_notice};
use crate::telemetry::labels::SweepKind;
use crate::telemetry::metrics;

/// How soon this node sees what another one changed, where only a copy is asked.
const WATCH: Duration = Duration::from_secs(1);

/// How often this node looks for logouts that a client has still to be told of.
const TELL: Duration = Duration::from_secs(5);

/// Sweeps until `stop`. A pass that is under way then is dropped: its open batch rolls back, and the next pass finds the rows.
pub async fn run(server: Server, rules: SweepRules, every: Duration, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let pass = async {
            ticks.tick().await;
            once(&server, rules).await;
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = pass => {}
        }
    }
}

async fn once(server: &Server, rules: SweepRules) {
    let started = server.clock.now();
    match sweep::run(server, rules).await {
        Ok(swept) => {
            let now = server.clock.now();
            metrics::sweeper_ran(now.since(started), now, swept.lag);
            let kinds = [
                (SweepKind::OfflineSession, swept.offline_sessions),
                (SweepKind::UserSession, swept.online_sessions),
                (SweepKind::OfflinePart, swept.offline_parts),
                (SweepKind::OnlinePart, swept.online_parts),
                (SweepKind::Event, swept.events),
                (SweepKind::AuthorizationCode, swept.codes),
                (SweepKind::AuthenticationSession, swept.tabs),
                (SweepKind::Other, swept.revoked_tokens + swept.assertions + swept.action_tokens + swept.initial_access),
            ];
            for (kind, rows) in kinds.into_iter().filter(|(_, rows)| *rows > 0) {
                metrics::sweeper_removed(kind, rows);
                tracing::info!(kind = kind.as_str(), rows, "swept");
            }
        }
        Err(error) => tracing::warn!(%error, "the sweeper could not finish; it tries again at its next turn"),
    }
}

/// Tells clients of logouts that they have not heard of yet, until `stop`. A notice that is under way then is tried again later.
pub async fn tell(server: Server, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut ticks = interval(TELL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let turn = async {
            ticks.tick().await;
            if let Err(error) = logout_notice::send_due(&server).await {
                tracing::warn!(%error, "clients could not be told of logouts; they are at the next turn");
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            () = turn => {}
        }
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
        // Histograms keep raw samples until they are folded. The page does that, but nobody may ever ask for it.
        metrics::install().upkeep();
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Clock, Entropy, Sealer};
    use crate::flow::outgoing::Outgoing;
    use crate::flow::password::{Cost, Passwords};
    use crate::flow::realms::Realms;
    use crate::store::Store;

    /// A pass that hangs on a database that takes connections and says nothing.
    #[tokio::test]
    async fn a_stop_does_not_wait_for_a_pass_that_is_under_way() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("postgres://nobody@{}/none?sslmode=disable", silent.local_addr().unwrap());
        let sealer = Sealer::from_keys(&Sealer::generate_key_line(&Entropy::Os)).unwrap();
        let server = Server {
            store: Store::open(Store::parse_address(&address).unwrap(), 1, Arc::new(sealer), Entropy::Os),
            clock: Clock::System,
            entropy: Entropy::Os,
            realms: Arc::new(Realms::default()),
            passwords: Arc::new(Passwords::new(1, Cost::KEYCLOAK)),
            outgoing: Outgoing::new(),
        };
        let rules = SweepRules { batch: 1, margin: Duration::ZERO, dry_run: false };
        let mut held = None;
        let stop = async { held = silent.accept().await.ok() };
        // Shorter than the store waits for a connection, which would end the pass too.
        tokio::time::timeout(Duration::from_secs(3), run(server, rules, Duration::from_secs(3600), stop)).await.unwrap();
        assert!(held.is_some(), "the pass had begun");
    }
}
