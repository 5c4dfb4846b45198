//! Interleavings of what uses a session and what ends it. Others stand where the mode of rotation matters (`graceful`), and where
//! processes die (`chaos`).

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::rotation::futures;
use crate::support::{Answer, DAY, TestServer, create_copy, database_address, refresh_token};

pub async fn connection(server: &TestServer) -> PgConnection {
    PgConnection::connect(&database_address(&server.database)).await.unwrap()
}

/// Waits until so many statements wait for a lock.
pub async fn until_waiting(watch: &mut PgConnection, count: i64) {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *watch).await.unwrap() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_what_ends_a_session_waits_for_a_refresh_and_the_next_one_finds_nothing() {
    let server = TestServer::start().await;
    let (token, id) = (server.offline_token().await, server.admin().await.alice().await);
    let admin = server.admin().await;
    let (mut holder, mut watch) = (connection(&server).await, connection(&server).await);
    // Both wait for the row; whichever comes first, the session is over in the end and no token brings it back.
    sqlx::raw_sql("begin; select 1 from chain for update").execute(&mut holder).await.unwrap();
    let path = format!("/demo/users/{id}/consents/demo-backup");
    let release = async {
        until_waiting(&mut watch, 2).await;
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    };
    let (refreshed, ended, ()) = tokio::join!(server.refresh(&token), admin.delete(&path), release);
    assert_eq!(ended.status, 204, "{:?}", ended.body);
    assert!(matches!(refreshed.status, 200 | 400), "{:?}", refreshed.body);
    assert_eq!(server.refresh(&token).await.refusal().1, "invalid_grant");
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 0);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_r8_a_session_that_gets_a_new_part_while_it_is_swept_stays_whole() {
    let server = TestServer::start().await;
    let rules = SweepRules { margin: Duration::ZERO, batch: 8, dry_run: false };
    for _ in 0..10 {
        server.offline_token().await;
        server.advance(31 * DAY);
        let (swept, granted) = tokio::join!(sweep::run(&server.server, rules), server.offline_token());
        swept.unwrap();
        server.refresh(&granted).await.granted();
    }
    server.finish().await;
}

#[tokio::test]
async fn r14_a_token_that_the_wrong_client_presents_is_not_burnt() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true})).await;
    let token = server.offline_token().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", &token), ("client_id", "demo-spa")];
    assert_eq!(server.post(&server.endpoint("/token"), &form).await.refusal().1, "invalid_grant");
    server.refresh(&token).await.granted();
    server.finish().await;
}

/// A deadlock would be an answer 503: Postgres breaks it by failing one of the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_grants_refreshes_logouts_revocations_and_sweeps_do_not_wait_in_a_circle() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true, "bruteForceProtected": true, "permanentLockout": false})).await;
    let id = server.admin().await.alice().await;
    let rules = SweepRules { margin: Duration::ZERO, batch: 8, dry_run: false };
    for _ in 0..6 {
        let tokens: Vec<_> = futures((0..3).map(|_| server.sign_in("openid offline_access"))).await;
        let admin = server.admin().await;
        let paths = [format!("/demo/users/{id}/consents/demo-backup"), format!("/demo/users/{id}/logout")];
        let refreshes = futures(tokens.iter().map(|t| server.refresh_of(t)));
        let revocations = futures(tokens.iter().map(|t| server.revoke_of(t)));
        let grants = futures((0..3).map(|_| server.as_backup("/token", &PASSWORD)));
        let ends = async { (admin.delete(&paths[0]).await, admin.call(Method::POST, &paths[1], None).await) };
        let swept = sweep::run(&server.server, rules);
        let (refreshes, revocations, grants, ends, swept) = tokio::join!(refreshes, revocations, grants, ends, swept);
        swept.unwrap();
        for answer in refreshes.iter().chain(&revocations).chain(&grants).chain([&ends.0, &ends.1]) {
            assert!(answer.status < 500, "{:?}", answer.body);
        }
        // The administrator's logout makes stale what was issued up to its second.
        server.advance(Duration::from_secs(2));
    }
    server.finish().await;
}

const PASSWORD: [(&str, &str); 4] =
    [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];

impl TestServer {
    async fn refresh_of(&self, tokens: &serde_json::Value) -> Answer {
        self.refresh(&refresh_token(tokens)).await
    }

    async fn revoke_of(&self, tokens: &serde_json::Value) -> Answer {
        self.as_backup("/revoke", &[("token", &refresh_token(tokens))]).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_a_storm_on_one_token_is_answered_in_bounds_and_leaves_room_for_others() {
    let server = TestServer::start().await;
    let (hot, other) = (server.offline_token().await, server.offline_token().await);
    let mut holder = connection(&server).await;
    let session = crate::support::claims(&json!(hot))["sid"].as_str().unwrap().to_owned();
    let hold = format!("begin; select 1 from chain where session_id = '{session}' for update");
    sqlx::raw_sql(sqlx::AssertSqlSafe(hold)).execute(&mut holder).await.unwrap();
    // Fewer than the connections of the pool: the others stay free.
    let storm = futures((0..3).map(|_| server.refresh(&hot)));
    let (stormed, calm) = tokio::join!(storm, server.refresh(&other));
    calm.granted();
    for answer in stormed {
        assert_eq!((answer.status, answer.refusal().1), (503, "temporarily_unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    for answer in futures((0..64).map(|_| server.refresh(&hot))).await {
        answer.granted();
    }
    server.finish().await;
}

#[tokio::test]
async fn r13_what_was_revoked_after_the_backup_comes_back_with_it_until_the_realm_gets_a_not_before() {
    let server = TestServer::start().await;
    let (host, token, database) = (server.host(), server.offline_token().await, server.database.clone());
    server.stop().await;
    let backup = create_copy(&database).await;
    let server = TestServer::on(&database, 2).await;
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/consents/demo-backup", admin.alice().await);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(server.refresh_at(&host, &token).await.refusal().1, "invalid_grant");
    server.stop().await;
    // The restored database knows nothing of it.
    let server = TestServer::on(&backup, 3).await;
    let back = refresh_token(&server.refresh_at(&host, &token).await.granted());
    // What the operator is told to do, before the first client is let in.
    server.advance(Duration::from_secs(60));
    server.admin().await.set(json!({"notBefore": server.now()})).await;
    for token in [token, back] {
        assert_eq!(server.refresh_at(&host, &token).await.refusal(), (400, "invalid_grant", "Stale token"));
    }
    server.finish().await;
}
