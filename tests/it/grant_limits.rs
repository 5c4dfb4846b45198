//! A realm or a client may limit how many offline grants a user has, and say which gives way.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, TestServer};

const MAX: &str = "nightlatch.offline.grants.max.per.user";
const AT_MAX: &str = "nightlatch.offline.grants.at.max";
const OFFLINE: &str = "openid offline_access";

const FORM: [(&str, &str); 4] = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", OFFLINE)];

async fn ask(server: &TestServer) -> Answer {
    server.as_backup("/token", &FORM).await
}

async fn limit_client(server: &TestServer, max: &str, at_max: &str) -> u16 {
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let mut client = admin.get(&path).await;
    client["attributes"][MAX] = json!(max);
    client["attributes"][AT_MAX] = json!(at_max);
    admin.call(Method::PUT, &path, Some(&client)).await.status
}

#[tokio::test]
async fn a_grant_beyond_the_maximum_is_denied_and_nothing_is_lost() {
    let server = TestServer::start().await;
    let first = server.offline_token().await;
    assert_eq!(limit_client(&server, "2", "").await, 204);
    server.admin().await.set(json!({"eventsEnabled": true})).await;
    let second = server.offline_token().await;
    let denied = ask(&server).await;
    assert_eq!((denied.status, &denied.body["error"]), (400, &json!("invalid_grant")));
    assert_eq!(denied.body["error_description"], "There are too many offline sessions");
    let events = server.admin().await.get("/demo/events?type=LOGIN_ERROR").await;
    assert_eq!(events[0]["error"], "offline_session_limit_exceeded", "{events}");
    // An online session is not counted.
    server.sign_in("openid").await;
    for token in [&first, &second] {
        server.refresh(token).await.granted();
    }
    // Once one is gone there is room.
    assert_eq!(server.as_backup("/revoke", &[("token", &first)]).await.status, 200);
    ask(&server).await.granted();
    // What has lapsed takes no room, whether it was swept or not.
    server.advance(Duration::from_secs(31 * 86_400));
    ask(&server).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn the_grant_used_least_recently_gives_way() {
    let server = TestServer::start().await;
    let set = json!({"eventsEnabled": true, "attributes": {MAX: "2", AT_MAX: "end-least-recently-used"}});
    server.admin().await.set(set).await;
    let first = server.offline_token().await;
    server.advance(Duration::from_secs(10));
    let second = server.offline_token().await;
    server.advance(Duration::from_secs(10));
    server.refresh(&first).await.granted();
    server.advance(Duration::from_secs(10));
    let third = server.offline_token().await;
    assert_eq!(server.refresh(&second).await.status, 400, "granted later than the first, but used longer ago");
    for token in [&first, &third] {
        server.refresh(token).await.granted();
    }
    let events = server.admin().await.get("/demo/events?type=REVOKE_GRANT").await;
    assert_eq!(events[0]["details"]["reason"], "offline_grants_max_per_user", "{events}");
    assert_eq!(events.as_array().unwrap().len(), 1);
    // The client's own word counts before the realm's.
    assert_eq!(limit_client(&server, "", "deny").await, 204);
    assert_eq!(ask(&server).await.status, 400);
    server.finish().await;
}

#[tokio::test]
async fn grants_at_the_same_moment_do_not_both_take_the_last_place() {
    let server = TestServer::start().await;
    assert_eq!(limit_client(&server, "3", "deny").await, 204);
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let request = server.http.post(server.endpoint("/token")).basic_auth("demo-backup", Some("demo-backup-secret"));
        many.spawn(request.form(&FORM).send());
    }
    let statuses: Vec<u16> = many.join_all().await.into_iter().map(|answer| answer.unwrap().status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 3, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 400].contains(status)), "{statuses:?}");
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 3);
    server.finish().await;
}

#[tokio::test]
async fn a_limit_that_means_nothing_is_refused() {
    let server = TestServer::start().await;
    for (max, at_max) in [("0", "deny"), ("-1", ""), ("1001", ""), ("many", ""), ("2", "wait")] {
        assert_eq!(limit_client(&server, max, at_max).await, 400, "{max} {at_max}");
    }
    server.finish().await;
}
