//! The sweeper: what has lapsed goes, in batches, from several nodes at once, and nothing else does.

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules, Swept};
use serde_json::json;

use crate::issued_before::grant;
use crate::races::{behind, beside};
use crate::rotation::futures;
use crate::support::{DAY, TestServer, claims, refresh_token, rounds};

fn rules(batch: u32, dry_run: bool) -> SweepRules {
    SweepRules { batch, margin: Duration::from_secs(60), dry_run }
}

async fn backlog() -> TestServer {
    let server = TestServer::start().await;
    for _ in 0..7 {
        server.offline_token().await;
        server.sign_in("openid").await;
    }
    server
}

fn counts(swept: Swept) -> (u64, u64) {
    (swept.offline_sessions, swept.online_sessions)
}

#[tokio::test]
async fn what_lives_stays_and_what_has_lapsed_goes_batch_by_batch() {
    let server = backlog().await;
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 0));
    server.advance(DAY);
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 7));
    server.advance(30 * DAY);
    let promised = sweep::run(&server.server, rules(2, true)).await.unwrap();
    assert_eq!(counts(promised), (7, 0));
    let swept = sweep::run(&server.server, rules(2, false)).await.unwrap();
    assert_eq!(counts(swept), (7, 0), "a dry run promises what a run does");
    assert!(swept.batches > 3);
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 0));
    server.finish().await;
}

#[tokio::test]
async fn what_is_remembered_and_lives_is_not_looked_at_again_and_again() {
    let server = TestServer::start().await;
    let remembered =
        json!({"rememberMe": true, "ssoSessionIdleTimeoutRememberMe": 864_000, "ssoSessionMaxLifespanRememberMe": 8_640_000});
    server.admin().await.set(remembered).await;
    grant(&server, &server.browser(), "openid").await;
    // Beyond SSO Session Idle and Max, which are not its own.
    server.advance(Duration::from_secs(40_000));
    let first = sweep::run(&server.server, rules(2, false)).await.unwrap();
    // The administrator's, hers, and what lives short.
    assert_eq!((first.online_sessions, first.batches), (1, 3), "{first:?}");
    server.advance(Duration::from_secs(60));
    let second = sweep::run(&server.server, rules(2, false)).await.unwrap();
    assert_eq!((second.online_sessions, second.batches), (0, 1), "{second:?}");
    // A bucket's width and the margin after its own end it is gone.
    server.advance(Duration::from_secs(864_000 - 40_060 - 60));
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 0));
    server.advance(Duration::from_secs(60 + 60 + 60));
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 1));
    server.finish().await;
}

#[tokio::test]
async fn several_nodes_share_one_backlog_and_count_nothing_twice() {
    let server = backlog().await;
    let other = TestServer::on(&server.database, 2).await;
    server.advance(31 * DAY);
    other.advance(31 * DAY);
    let passes = futures([sweep::run(&server.server, rules(2, false)), sweep::run(&other.server, rules(2, false))]).await;
    let first: Vec<_> = passes.into_iter().map(|p| counts(p.unwrap())).collect();
    // What one node held while the other came by is for the next pass.
    let rest = counts(sweep::run(&server.server, rules(2, false)).await.unwrap());
    assert_eq!(first[0].0 + first[1].0 + rest.0, 7, "{first:?} {rest:?}");
    assert_eq!(first[0].1 + first[1].1 + rest.1, 7, "{first:?} {rest:?}");
    other.stop().await;
    server.finish().await;
}

#[tokio::test]
async fn sessions_without_a_client_that_are_remembered_do_not_hold_up_those_behind_them() {
    let server = TestServer::start().await;
    let settings =
        json!({"rememberMe": true, "ssoSessionIdleTimeoutRememberMe": 864_000, "ssoSessionMaxLifespanRememberMe": 864_000});
    server.admin().await.set(settings).await;
    for remember in [true, true, true, false, false] {
        let browser = server.browser();
        let page = browser.get(&server.authorization("demo-backup", &[])).await;
        let mut form = vec![("username", "alice"), ("password", "alice")];
        form.extend(remember.then_some(("rememberMe", "on")));
        assert!(browser.post(&page.action(), &form).await.parameter("code").is_some());
        server.advance(Duration::from_secs(1));
    }
    server.advance(DAY);
    // Two of Alice's, and the administrator's.
    assert_eq!(counts(sweep::run(&server.server, rules(2, false)).await.unwrap()), (0, 3));
    server.finish().await;
}

const IN_TIME: Duration = Duration::from_secs(30 * 86_400 - 1);

/// Both are candidates, by their buckets and by their exact times: the one only because its refresh is not done yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_the_sweeper_leaves_a_session_whose_refresh_began_in_time_and_does_not_wait() {
    let server = TestServer::start().await;
    let (token, _) = (server.offline_token().await, server.offline_token().await);
    server.advance(IN_TIME);
    let session = claims(&json!(token))["sid"].as_str().unwrap().to_owned();
    let held = format!("select 1 from chain where session_id = '{session}' for update");
    let sweeping = async {
        server.advance(DAY);
        sweep::run(&server.server, rules(1, false)).await.unwrap()
    };
    let (refreshed, swept) = beside(&server, &held, server.refresh(&token), sweeping).await;
    assert_eq!(counts(swept), (1, 0), "the other one");
    let token = refresh_token(&refreshed.granted());
    assert_eq!(counts(sweep::run(&server.server, rules(1, false)).await.unwrap()), (0, 0));
    server.refresh(&token).await.granted();
    server.finish().await;
}

/// A node whose clock is a day ahead of the others'.
async fn hasty(server: &TestServer) -> TestServer {
    let node = TestServer::on(&server.database, 2).await;
    node.advance(DAY);
    node
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_a_refresh_that_finds_the_sweeper_at_its_session_is_refused_and_not_answered_in_vain() {
    // The session as a whole, and the part of a client with a limit of its own.
    for idle in ["", "864000"] {
        let server = TestServer::start().await;
        set_client(&server, "client.offline.session.idle.timeout", idle).await;
        let ahead = hasty(&server).await;
        let token = server.offline_token().await;
        let in_time = if idle.is_empty() { IN_TIME } else { IN_TIME - 20 * DAY };
        server.advance(in_time);
        ahead.advance(in_time);
        // The sweeper has locked what it takes, and waits for the part.
        let held = "select 1 from offline_client_session for update";
        let sweeping = sweep::run(&ahead.server, rules(1, false));
        let (swept, refused) = behind(&server, held, sweeping, server.refresh(&token)).await;
        let swept = swept.unwrap();
        assert_eq!((swept.offline_sessions, swept.offline_parts), if idle.is_empty() { (1, 0) } else { (0, 1) });
        assert_eq!(refused.refusal().1, "invalid_grant");
        ahead.stop().await;
        server.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r6_whoever_is_first_what_was_answered_lives_and_what_was_refused_is_gone() {
    let server = TestServer::start().await;
    let ahead = hasty(&server).await;
    for _ in 0..rounds(4, 200) {
        let tokens = futures((0..8).map(|_| server.offline_token())).await;
        server.advance(IN_TIME);
        ahead.advance(IN_TIME);
        let refreshing = futures(tokens.iter().map(|token| server.refresh(token)));
        let (answers, swept) = tokio::join!(refreshing, sweep::run(&ahead.server, rules(1, false)));
        swept.unwrap();
        for answer in answers {
            if answer.status == 200 {
                server.refresh(&refresh_token(&answer.body)).await.granted();
            } else {
                assert_eq!(answer.refusal().1, "invalid_grant");
            }
        }
    }
    ahead.stop().await;
    server.finish().await;
}

/// Sets an attribute of the demo's backup client.
async fn set_client(server: &TestServer, name: &str, value: &str) {
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let mut client = admin.get(&path).await;
    client["attributes"][name] = value.into();
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&client)).await.status, 204);
}

#[tokio::test]
async fn a_client_with_shorter_limits_loses_its_part_and_the_session_goes_on() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "enabledEventTypes": ["USER_SESSION_DELETED"]})).await;
    set_client(&server, "client.offline.session.idle.timeout", "86400").await;
    let idle = server.offline_token().await;
    let used = server.offline_token().await;
    server.advance(Duration::from_secs(80_000));
    server.refresh(&used).await.granted();
    server.advance(Duration::from_secs(10_000));
    let promised = sweep::run(&server.server, rules(8, true)).await.unwrap();
    let swept = sweep::run(&server.server, rules(8, false)).await.unwrap();
    assert_eq!((swept.offline_parts, swept.offline_sessions), (1, 0), "{swept:?}");
    assert_eq!(promised.offline_parts, 1);
    server.refresh(&used).await.granted();
    assert_eq!(server.refresh(&idle).await.refusal().2, "Session doesn't have required client");
    let events = server.admin().await.get("/demo/events?type=USER_SESSION_DELETED").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["clientId"], "demo-backup");
    assert_eq!(events[0]["details"]["lapsed_by"], "client_idle");
    // The session without a part stays for its own idle time.
    server.advance(28 * DAY);
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().offline_sessions, 0);
    server.advance(3 * DAY);
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().offline_sessions, 1);
    server.finish().await;
}

#[tokio::test]
async fn a_clients_maximum_takes_its_part_although_it_is_used() {
    let server = TestServer::start().await;
    set_client(&server, "client.offline.session.max.lifespan", "3600").await;
    let token = server.offline_token().await;
    for _ in 0..3 {
        server.advance(Duration::from_secs(1_100));
        server.refresh(&token).await.granted();
    }
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().offline_parts, 0);
    server.advance(Duration::from_secs(400));
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().offline_parts, 1);
    server.finish().await;
}

#[tokio::test]
async fn r6_what_a_disabled_user_or_client_holds_stays_and_works_again() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let admin = server.admin().await;
    admin.put_user(json!({"enabled": false})).await;
    server.advance(29 * DAY);
    assert_eq!(counts(sweep::run(&server.server, rules(8, false)).await.unwrap()).0, 0);
    server.admin().await.put_user(json!({"enabled": true})).await;
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn events_go_when_the_realm_keeps_them_no_longer() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "eventsExpiration": 3_600})).await;
    server.sign_in("openid").await;
    server.advance(Duration::from_secs(3_000));
    server.sign_in("openid").await;
    server.advance(Duration::from_secs(1_000));
    assert_eq!(sweep::run(&server.server, rules(8, true)).await.unwrap().events, 1);
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().events, 1);
    assert_eq!(server.admin().await.get("/demo/events").await.as_array().unwrap().len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn the_lag_is_how_long_the_oldest_could_have_been_gone() {
    let server = TestServer::start().await;
    server.offline_token().await;
    server.advance(32 * DAY);
    let swept = sweep::run(&server.server, rules(8, false)).await.unwrap();
    assert_eq!(swept.lag, 2 * DAY - Duration::from_secs(60));
    assert_eq!(sweep::run(&server.server, rules(8, false)).await.unwrap().lag, Duration::ZERO);
    server.finish().await;
}

/// Between the limits of the one kind and of the other, and before the sweeper comes.
#[tokio::test]
async fn what_is_remembered_is_counted_and_listed_by_limits_of_its_own() {
    let server = TestServer::start().await;
    let long = json!({"rememberMe": true, "ssoSessionIdleTimeout": 600, "ssoSessionIdleTimeoutRememberMe": 86_400,
                      "ssoSessionMaxLifespanRememberMe": 864_000});
    server.admin().await.set(long).await;
    server.sign_in("openid").await;
    grant(&server, &server.browser(), "openid").await;
    let seen = async || {
        let admin = server.admin().await;
        let client = format!("/demo/clients/{}", admin.client("demo-backup").await);
        let count = admin.get(&format!("{client}/session-count")).await["count"].as_u64().unwrap();
        let listed = admin.get(&format!("{client}/user-sessions")).await.as_array().unwrap().len();
        assert_eq!(usize::try_from(count).unwrap(), listed, "counted as listed");
        count
    };
    assert_eq!(seen().await, 2);
    server.advance(Duration::from_secs(3_600));
    assert_eq!(seen().await, 1, "the one that is remembered");
    server.admin().await.set(json!({"rememberMe": false})).await;
    assert_eq!(seen().await, 0);
    server.finish().await;
}
