//! The metrics, one function each, and the text that Prometheus reads.
//!
//! The names are kept: dashboards are built on them. Sessions are counted per realm, never per user or client.

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::labels::{Grant, HttpMethod, Notice, Outcome, PoolState, Realm, Replay, Route, SweepKind, TokenError};
use crate::base::Timestamp;

const TOKEN_REQUESTS: &str = "nightlatch_token_requests_total";
const REFRESH_REPLAYS: &str = "nightlatch_refresh_replays_total";
const REFRESH_AHEAD: &str = "nightlatch_refresh_ahead_total";
const LOGOUT_NOTICES: &str = "nightlatch_backchannel_logout_total";
const SWEEPER_RUN: &str = "nightlatch_sweeper_run_seconds";
const SWEEPER_ROWS: &str = "nightlatch_sweeper_rows_total";
const SWEEPER_LAG: &str = "nightlatch_sweeper_lag_seconds";
const SWEEPER_SUCCESS: &str = "nightlatch_sweeper_last_success_timestamp_seconds";
const HTTP_DURATION: &str = "http_server_request_duration_seconds";
const POOL_CONNECTIONS: &str = "nightlatch_db_pool_connections";

/// From a refresh (below 1 ms) to a login behind a queue of password hashes.
const SECONDS: [f64; 12] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The recorder of the process, for the page at `/metrics`.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// All series in the text format of Prometheus (`text/plain; version=0.0.4`).
    pub fn render(&self) -> String {
        // So that the newest samples show.
        self.handle.run_upkeep();
        self.handle.render()
    }

    /// Folds the samples taken since the last time: histograms keep raw ones until then. To be called steadily, since that
    /// bounds memory where nothing scrapes.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }
}

/// The recorder of this process; made and described at the first call. Servers in one process share it.
pub fn install() -> Metrics {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    let handle = HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS);
        let recorder = builder.expect("the list of buckets is not empty").build_recorder();
        let handle = recorder.handle();
        // Another recorder can only be there if a program that embeds the server set one; then that one gets the samples.
        if metrics::set_global_recorder(recorder).is_ok() {
            describe();
        }
        handle
    });
    Metrics { handle: handle.clone() }
}

fn describe() {
    describe_counter!(TOKEN_REQUESTS, "Token requests answered");
    describe_counter!(REFRESH_REPLAYS, "Refresh tokens presented again");
    describe_counter!(REFRESH_AHEAD, "Refresh tokens of a generation that the database has lost");
    describe_counter!(LOGOUT_NOTICES, "Attempts to tell a client of a logout");
    describe_histogram!(SWEEPER_RUN, Unit::Seconds, "Time that one run of the sweeper took");
    describe_counter!(SWEEPER_ROWS, "Rows that the sweeper removed");
    describe_gauge!(SWEEPER_LAG, Unit::Seconds, "How long the oldest row of the last run could have been removed before");
    describe_gauge!(SWEEPER_SUCCESS, Unit::Seconds, "When the sweeper last finished a run");
    describe_histogram!(HTTP_DURATION, Unit::Seconds, "Time from a request's head to its answer's");
    describe_gauge!(POOL_CONNECTIONS, "Connections to the database");
}

pub fn token_request(realm: Realm<'_>, grant: Grant, outcome: Outcome, error: TokenError) {
    counter!(TOKEN_REQUESTS,
        "realm" => realm.name(), "grant" => grant.as_str(), "outcome" => outcome.as_str(), "error" => error.as_str())
    .increment(1);
}

pub fn refresh_replayed(realm: Realm<'_>, kind: Replay) {
    counter!(REFRESH_REPLAYS, "realm" => realm.name(), "kind" => kind.as_str()).increment(1);
}

pub fn refresh_ahead(realm: Realm<'_>) {
    counter!(REFRESH_AHEAD, "realm" => realm.name()).increment(1);
}

pub fn logout_notice(realm: Realm<'_>, notice: Notice) {
    counter!(LOGOUT_NOTICES, "realm" => realm.name(), "outcome" => notice.as_str()).increment(1);
}

/// A run of the sweeper that ended well at `now`; `lag` is how long the oldest of what it removed could have gone already.
pub fn sweeper_ran(took: Duration, now: Timestamp, lag: Duration) {
    gauge!(SWEEPER_LAG).set(lag.as_secs_f64());
    histogram!(SWEEPER_RUN).record(took.as_secs_f64());
    gauge!(SWEEPER_SUCCESS).set(float(u64::try_from(now.unix_seconds()).unwrap_or(0)));
}

pub fn sweeper_removed(kind: SweepKind, rows: u64) {
    counter!(SWEEPER_ROWS, "kind" => kind.as_str()).increment(rows);
}

pub fn http_request(method: HttpMethod, route: Route<'_>, status: u16, took: Duration) {
    histogram!(HTTP_DURATION, "method" => method.as_str(), "route" => route.name(), "status" => status.to_string())
        .record(took.as_secs_f64());
}

pub fn db_pool_connections(state: PoolState, count: u64) {
    gauge!(POOL_CONNECTIONS, "state" => state.as_str()).set(float(count));
}

/// Exact up to 2^53, which no count here reaches.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_show_under_the_documented_names() {
        let (metrics, realm) = (install(), Realm::of_existing("metrics-test"));
        token_request(realm, Grant::RefreshToken, Outcome::Refused, TokenError::InvalidGrant);
        db_pool_connections(PoolState::Idle, 7);
        http_request(HttpMethod::Get, Route::of_template(Some("/realms/{realm}")), 200, Duration::from_millis(2));
        sweeper_ran(Duration::from_millis(3), Timestamp::from_unix_seconds(1_700_000_000), Duration::from_secs(7));
        let page = metrics.render();
        for line in [
            r#"nightlatch_token_requests_total{realm="metrics-test",grant="refresh_token",outcome="refused",error="invalid_grant"} 1"#,
            r#"nightlatch_db_pool_connections{state="idle"} 7"#,
            r#"http_server_request_duration_seconds_bucket{method="GET",route="/realms/{realm}",status="200",le="0.0025"} 1"#,
            "nightlatch_sweeper_lag_seconds 7",
            "nightlatch_sweeper_last_success_timestamp_seconds 1700000000",
            "# HELP nightlatch_db_pool_connections Connections to the database",
        ] {
            assert!(page.contains(line), "{line}\n{page}");
        }
    }

    #[test]
    fn two_servers_in_one_process_share_the_recorder() {
        let (one, two) = (install(), install());
        refresh_replayed(Realm::of_existing("shared"), Replay::Grace);
        assert!(one.render().contains(r#"realm="shared""#) && two.render().contains(r#"realm="shared""#));
    }
}
