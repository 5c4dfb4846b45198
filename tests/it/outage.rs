//! The database is away: clients are told to come back, and nobody's token is called bad.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::{Answer, TestServer, database_address};

/// A way to the database that can be shut: then every connection is cut and none is let in.
async fn gate() -> (u16, watch::Sender<bool>) {
    let cluster = url::Url::parse(&database_address("postgres")).unwrap();
    let target = (cluster.host_str().unwrap().to_owned(), cluster.port().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (open, state) = watch::channel(true);
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            if !*state.borrow() {
                continue;
            }
            let (mut state, target) = (state.clone(), target.clone());
            tokio::spawn(async move {
                let mut outer = TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut inner, &mut outer) => {}
                    _ = state.wait_for(|open| !*open) => {}
                }
            });
        }
    });
    (port, open)
}

#[tokio::test]
async fn a_server_that_loses_its_database_publishes_its_keys_and_goes_on_when_it_is_back() {
    let (port, open) = gate().await;
    let server = TestServer::through(port).await;
    let token = server.offline_token().await;
    server.refresh(&token).await.granted();
    open.send(false).unwrap();
    for path in ["/.well-known/openid-configuration", "/protocol/openid-connect/certs"] {
        assert_eq!(server.http.get(server.realm("demo", path)).send().await.unwrap().status().as_u16(), 200, "{path}");
    }
    let away = server.refresh(&token).await;
    assert_eq!((away.status, away.refusal().1), (503, "temporarily_unavailable"), "{:?}", away.body);
    let user_info = server.post(&server.endpoint("/userinfo"), &[("access_token", "x")]).await;
    assert_eq!(user_info.status, 401, "what needs no database is answered");
    open.send(true).unwrap();
    // Connections that were cut are thrown away one by one as they are met; none of it calls the token bad.
    let mut last = away;
    for _ in 0..20 {
        last = server.refresh(&token).await;
        if last.status == 200 {
            break;
        }
        assert_eq!(last.refusal().1, "temporarily_unavailable", "{:?}", last.body);
    }
    last.granted();
    server.finish().await;
}

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
    server.admin().await.set(serde_json::json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0})).await;
    let token = server.offline_token().await;
    server.refresh(&token).await.granted();
    assert_eq!(server.refresh(&token).await.status, 400);
    let text = server.http.get(format!("{}/metrics", server.management)).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("nightlatch_token_requests_total"), "{text}");
    assert!(text.contains("nightlatch_refresh_replays_total{realm=\"demo\",kind=\"reuse\"}"), "{text}");
    assert!(!text.contains(&token) && !text.contains("alice"));
    server.finish().await;
}
