//! Clients hear that a session has ended, also where they, or this server, were away at that moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use nightlatch::flow::logout_notice;
use serde_json::{Value, json};

use crate::support::{TestServer, claims, refresh_token};

/// A client's own server: what it heard, and what it answers next.
#[derive(Clone)]
struct Ears {
    url: String,
    heard: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<StatusCode>>,
}

impl Ears {
    async fn listen() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let ears = Self { url, heard: Arc::default(), answers: Arc::new(Mutex::new(StatusCode::OK)) };
        let router = axum::Router::new().route("/logout", axum::routing::post(hear)).with_state(ears.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        ears
    }

    fn answer(&self, status: StatusCode) {
        *self.answers.lock().unwrap() = status;
    }

    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }
}

async fn hear(State(ears): State<Ears>, body: String) -> StatusCode {
    let token = body.strip_prefix("logout_token=").unwrap().to_owned();
    ears.heard.lock().unwrap().push(Value::from(token));
    *ears.answers.lock().unwrap()
}

/// Has the demo's backup client told of logouts.
async fn told(server: &TestServer, url: &str) {
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let mut client = admin.get(&path).await;
    client["attributes"]["backchannel.logout.url"] = Value::from(url);
    client["attributes"]["backchannel.logout.session.required"] = Value::from("true");
    client["attributes"]["backchannel.logout.revoke.offline.tokens"] = Value::from("true");
    let changed = admin.call(reqwest::Method::PUT, &path, Some(&client)).await;
    assert_eq!(changed.status, 204, "{:?}", changed.body);
}

async fn log_out(server: &TestServer) {
    let token = refresh_token(&server.sign_in("openid offline_access").await);
    assert_eq!(server.as_backup("/logout", &[("refresh_token", &token)]).await.status, 204);
}

#[tokio::test]
async fn a_client_that_was_away_is_told_when_it_is_back() {
    let server = TestServer::start().await;
    let ears = Ears::listen().await;
    told(&server, &ears.url).await;
    ears.answer(StatusCode::SERVICE_UNAVAILABLE);
    log_out(&server).await;
    assert_eq!(ears.take().len(), 1, "the logout itself told it, and did not fail with it");
    assert_eq!(logout_notice::send_due(&server.server).await.unwrap(), 0, "not at once again");
    ears.answer(StatusCode::OK);
    server.advance(Duration::from_secs(31));
    assert_eq!(logout_notice::send_due(&server.server).await.unwrap(), 1);
    let heard = ears.take();
    assert_eq!(heard.len(), 1);
    let token = claims(&heard[0]);
    assert_eq!(token["iat"].as_i64().unwrap(), server.now(), "a token of its own, not the old one");
    assert_eq!(token["events"]["revoke_offline_access"], json!(true));
    server.advance(Duration::from_secs(100_000));
    assert_eq!(logout_notice::send_due(&server.server).await.unwrap(), 0, "and not again");
    server.finish().await;
}

#[tokio::test]
async fn what_a_node_could_not_send_another_one_sends_and_only_one_does() {
    let server = TestServer::start().await;
    let ears = Ears::listen().await;
    told(&server, &ears.url).await;
    ears.answer(StatusCode::BAD_GATEWAY);
    log_out(&server).await;
    ears.take();
    ears.answer(StatusCode::OK);
    let other = TestServer::on(&server.database, 2).await;
    for node in [&server, &other] {
        node.advance(Duration::from_secs(31));
    }
    let mut tries = tokio::task::JoinSet::new();
    for node in [&server, &other, &server, &other, &server, &other, &server, &other] {
        let node = node.server.clone();
        tries.spawn(async move { logout_notice::send_due(&node).await.unwrap() });
    }
    let sent: usize = tries.join_all().await.into_iter().sum();
    assert_eq!((sent, ears.take().len()), (1, 1));
    other.stop().await;
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_never_answers_is_given_up_with_an_event() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "enabledEventTypes": ["LOGOUT_ERROR"]})).await;
    // A port that was free a moment ago and answers nobody.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    told(&server, &format!("http://{closed}/")).await;
    log_out(&server).await;
    let mut attempts = 1;
    for _ in 0..20 {
        server.advance(Duration::from_secs(7_700));
        attempts += logout_notice::send_due(&server.server).await.unwrap();
    }
    assert_eq!(attempts, 9);
    let events = server.admin().await.get("/demo/events?type=LOGOUT_ERROR").await;
    assert_eq!(events[0]["error"], "logout_failed");
    assert_eq!(events[0]["details"]["reason"], "backchannel_logout_not_taken");
    server.finish().await;
}

#[tokio::test]
async fn a_logout_that_tells_nobody_writes_no_notice_and_one_that_is_undone_tells_nobody() {
    let server = TestServer::start().await;
    let ears = Ears::listen().await;
    log_out(&server).await;
    told(&server, &ears.url).await;
    // An end that fails: there is no such session any more.
    let admin = server.admin().await;
    assert_eq!(admin.delete("/demo/sessions/none?isOffline=true").await.status, 404);
    // A revoked part is the client's own doing: it knows.
    let token = server.offline_token().await;
    assert_eq!(server.as_backup("/revoke", &[("token", &token)]).await.status, 200);
    server.advance(Duration::from_secs(60));
    assert_eq!(logout_notice::send_due(&server.server).await.unwrap(), 0);
    assert_eq!(ears.take(), Vec::<Value>::new());
    server.finish().await;
}
