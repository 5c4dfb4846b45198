//! Interleavings of what uses a session and what ends it. Others stand where the mode of rotation matters (`graceful`), and where
//! processes die (`chaos`).

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules, Swept};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::rotation::futures;
use crate::support::{Answer, Browser, TestServer, claims, create_copy, database_address, refresh_token, rounds};

pub async fn connection(server: &TestServer) -> PgConnection {
    PgConnection::connect(&database_address(&server.database)).await.unwrap()
}

/// Waits until so many statements wait for a lock. Each gives up after two seconds: who has not come long after that does not come.
pub async fn until_waiting(watch: &mut PgConnection, count: i64) {
    let since = std::time::Instant::now();
    while waiting(watch).await < count {
        assert!(since.elapsed() < Duration::from_secs(20), "fewer than {count} statements wait");
        tokio::task::yield_now().await;
    }
}

/// How many statements wait for a lock.
async fn waiting(watch: &mut PgConnection) -> i64 {
    let waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    sqlx::query_scalar(waiting).fetch_one(&mut *watch).await.unwrap()
}

/// A connection that holds what the statement locks, until it is rolled back.
async fn hold(server: &TestServer, statement: &str) -> PgConnection {
    let mut holder = connection(server).await;
    sqlx::raw_sql(AssertSqlSafe(format!("begin; {statement}"))).execute(&mut holder).await.unwrap();
    holder
}

/// `second` begins when `first` waits for what the statement holds, which is let go when both wait.
pub async fn behind<A, B>(
    server: &TestServer,
    held: &str,
    first: impl Future<Output = A>,
    second: impl Future<Output = B>,
) -> (A, B) {
    let (mut holder, mut one, mut two) = (hold(server, held).await, connection(server).await, connection(server).await);
    let second = async {
        until_waiting(&mut one, 1).await;
        second.await
    };
    let letting_go = async {
        until_waiting(&mut two, 2).await;
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    };
    let (first, second, ()) = tokio::join!(first, second, letting_go);
    (first, second)
}

/// `work` is done, and does not wait, while `first` waits for what the statement holds.
pub async fn beside<A, B>(
    server: &TestServer,
    held: &str,
    first: impl Future<Output = A>,
    work: impl Future<Output = B>,
) -> (A, B) {
    let (mut holder, mut watch) = (hold(server, held).await, connection(server).await);
    let work = async {
        until_waiting(&mut watch, 1).await;
        let done = work.await;
        assert_eq!(waiting(&mut watch).await, 1, "the other still waits");
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
        done
    };
    tokio::join!(first, work)
}

/// Stops the node, and checks that nothing waited in a circle: Postgres breaks one by failing one of those in it, and a request
/// may have been tried again.
pub async fn without_deadlocks(server: TestServer) {
    let (mut watch, database) = (PgConnection::connect(&database_address("postgres")).await.unwrap(), server.database.clone());
    server.finish().await;
    // What a connection has counted is told when it ends.
    let connected = "select count(*) from pg_stat_activity where datname = $1";
    while sqlx::query_scalar::<_, i64>(connected).bind(&database).fetch_one(&mut watch).await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    let counted = sqlx::query_scalar::<_, i64>("select deadlocks from pg_stat_database where datname = $1").bind(&database);
    assert_eq!(counted.fetch_one(&mut watch).await.unwrap(), 0, "deadlocks");
}

pub async fn exchange(server: &TestServer, code: &str) -> Answer {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://localhost:3000/cb")];
    server.as_backup("/token", &form).await
}

/// Takes whatever has lapsed by now.
async fn sweep(server: &TestServer) -> Swept {
    sweep::run(&server.server, SweepRules { margin: Duration::ZERO, batch: 2, dry_run: false }).await.unwrap()
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

pub const OFFLINE: [(&str, &str); 1] = [("scope", "openid offline_access")];

/// A browser that is signed in, at a client whose offline access in the same session lapses long before that.
pub async fn signed_in(server: &TestServer) -> Browser<'_> {
    let browser = server.browser();
    let code = browser.sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    let online = exchange(server, &code).await.granted();
    let offline = exchange(server, &asked(server, &browser).await).await.granted();
    assert_eq!(claims(&online["access_token"])["sid"], claims(&offline["access_token"])["sid"]);
    browser
}

/// The code of another request for offline access in the session that the browser has.
pub async fn asked(server: &TestServer, browser: &Browser<'_>) -> String {
    browser.get(&server.authorization("demo-backup", &OFFLINE)).await.parameter("code").expect("nothing is asked")
}

const LAPSE: Duration = Duration::from_secs(800);

/// Offline sessions that lapse while the browser is signed in: a new grant joins the one that is being swept.
async fn forgetful() -> TestServer {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"offlineSessionIdleTimeout": 600})).await;
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_a_grant_that_finds_the_sweeper_at_its_session_opens_it_anew() {
    let server = forgetful().await;
    let browser = signed_in(&server).await;
    server.advance(LAPSE);
    let code = asked(&server, &browser).await;
    // The sweeper has locked the session, and waits for the part.
    let held = "select 1 from offline_client_session for update";
    let (swept, granted) = behind(&server, held, sweep(&server), exchange(&server, &code)).await;
    assert_eq!(swept.offline_sessions, 1);
    server.refresh(&refresh_token(&granted.granted())).await.granted();
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 1);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_the_sweeper_leaves_a_session_that_a_grant_is_joining_and_does_not_wait() {
    let server = forgetful().await;
    let browser = signed_in(&server).await;
    server.advance(LAPSE);
    let code = asked(&server, &browser).await;
    // The grant has written the offline session, and waits for the part in the online one.
    let held = "select 1 from online_client_session for update";
    let (granted, swept) = beside(&server, held, exchange(&server, &code), sweep(&server)).await;
    assert_eq!(swept.offline_sessions, 0);
    server.refresh(&refresh_token(&granted.granted())).await.granted();
    assert_eq!(sweep(&server).await.offline_sessions, 0);
    server.finish().await;
}

/// A node whose clock is so far ahead that it takes for lapsed what another has just opened.
async fn hasty(server: &TestServer) -> TestServer {
    let node = TestServer::on(&server.database, 2).await;
    node.advance(Duration::from_secs(2_000));
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_a_code_that_finds_the_sweeper_at_its_session_opens_nothing() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "enabledEventTypes": ["USER_SESSION_DELETED"]})).await;
    let ahead = hasty(&server).await;
    let code = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    // The sweeper has locked the session and judged it, and waits to say so.
    let held = "lock table event in share mode";
    let (_, refused) = behind(&server, held, sweep(&ahead), exchange(&server, &code)).await;
    assert_eq!(refused.refusal(), (400, "invalid_grant", "Code not valid"));
    let admin = server.admin().await;
    let sessions = admin.get(&format!("/demo/users/{}/sessions", admin.alice().await)).await;
    assert_eq!(sessions, json!([]));
    ahead.stop().await;
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_the_sweeper_leaves_a_session_that_its_first_client_is_joining_and_does_not_wait() {
    let server = TestServer::start().await;
    let ahead = hasty(&server).await;
    let code = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    // The grant has written its part, and waits to see that its client is still there.
    let held = "select 1 from client where client_id = 'demo-backup' for update";
    let (granted, swept) = beside(&server, held, exchange(&server, &code), sweep(&ahead)).await;
    assert_eq!(swept.online_sessions, 0);
    server.refresh(&refresh_token(&granted.granted())).await.granted();
    ahead.stop().await;
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_r8_whoever_is_first_a_grant_that_joins_a_session_while_it_is_swept_lives() {
    let server = forgetful().await;
    let ahead = hasty(&server).await;
    for _ in 0..rounds(3, 100) {
        let returning = futures((0..3).map(|_| signed_in(&server))).await;
        server.advance(LAPSE);
        ahead.advance(LAPSE);
        let codes = futures(returning.iter().map(|browser| asked(&server, browser))).await;
        let (joined, _) = tokio::join!(futures(codes.iter().map(|code| exchange(&server, code))), sweep(&server));
        for answer in joined {
            server.refresh(&refresh_token(&answer.granted())).await.granted();
        }
        let coming = futures((0..3).map(|_| async {
            let back = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await;
            back.parameter("code").unwrap()
        }));
        let codes = coming.await;
        // By the other's clock the session has lapsed whether a client has joined it or not.
        let (opened, _) = tokio::join!(futures(codes.iter().map(|code| exchange(&server, code))), sweep(&ahead));
        for answer in opened {
            assert!(answer.status == 200 || answer.refusal() == (400, "invalid_grant", "Code not valid"), "{:?}", answer.body);
        }
    }
    ahead.stop().await;
    without_deadlocks(server).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_a_storm_on_one_token_is_answered_in_bounds_and_leaves_room_for_others() {
    let server = TestServer::start().await;
    let (hot, other) = (server.offline_token().await, server.offline_token().await);
    let mut holder = connection(&server).await;
    let session = claims(&json!(hot))["sid"].as_str().unwrap().to_owned();
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
