//! The database is away: clients are told to come back, and nobody's token is called bad.

use crate::support::{Answer, TestServer};

#[tokio::test]
async fn clients_are_told_to_try_again_and_never_that_their_token_is_bad() {
    let server = TestServer::without_database().await;
    for path in ["/token", "/token/introspect", "/revoke"] {
        let form = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("token", "x")];
        let answer = server.as_backup(path, &form).await;
        assert_eq!((answer.status, answer.refusal().1), (503, "temporarily_unavailable"), "{path}");
        assert_eq!(answer.headers["retry-after"], "2");
    }
    let page = server.browser().get(&server.authorization("demo-backup", &[])).await;
    assert_eq!(page.status, 503);
    assert!(page.says("try again"), "{}", page.html);
    server.stop().await;
}

#[tokio::test]
async fn the_process_is_alive_but_not_ready() {
    let server = TestServer::without_database().await;
    let health =
        async |path: &str| Answer::of(server.http.get(format!("{}{path}", server.management)).send().await.unwrap()).await;
    assert_eq!(health("/health/live").await.status, 200);
    let ready = health("/health/ready").await;
    assert_eq!((ready.status, ready.body["status"].as_str()), (503, Some("DOWN")));
    server.stop().await;
    let server = TestServer::start().await;
    let ready = server.http.get(format!("{}/health/ready", server.management)).send().await.unwrap();
    assert_eq!(ready.status().as_u16(), 200);
    server.app.drain();
    let draining = server.http.get(format!("{}/health/ready", server.management)).send().await.unwrap();
    assert_eq!(draining.status().as_u16(), 503);
    server.finish().await;
}

#[tokio::test]
async fn metrics_tell_of_requests_and_no_secret() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    server.refresh(&token).await.granted();
    let text = server.http.get(format!("{}/metrics", server.management)).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("nightlatch_token_requests_total"), "{text}");
    assert!(!text.contains(&token) && !text.contains("alice"));
    server.finish().await;
}
