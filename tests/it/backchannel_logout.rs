//! Clients hear that a session has ended, also where they, or this server, were away at that moment.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use nightlatch::flow::logout_notice;
use serde_json::{Value, json};

use crate::issued_before::{OFFLINE, grant};
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

/// The sessions of which the client heard.
fn sessions(heard: &[Value]) -> Vec<Value> {
    heard.iter().map(|token| claims(token)["sid"].clone()).collect()
}

/// With a reason, each of the realm's sessions that were ended so.
async fn ended(server: &TestServer) -> Vec<(Value, Value)> {
    let events = server.admin().await.get("/demo/events?type=USER_SESSION_DELETED").await;
    events.as_array().unwrap().iter().map(|e| (e["details"]["reason"].clone(), e["sessionId"].clone())).collect()
}

async fn listening() -> (TestServer, Ears) {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"eventsEnabled": true, "enabledEventTypes": ["USER_SESSION_DELETED"]})).await;
    let ears = Ears::listen().await;
    told(&server, &ears.url).await;
    (server, ears)
}

#[tokio::test]
async fn a_session_that_a_refresh_finds_lapsed_is_told_of_like_any_other_that_ends() {
    let (server, ears) = listening().await;
    let tokens = server.sign_in("openid").await;
    let sid = claims(&tokens["access_token"])["sid"].clone();
    // Before the token's own end: the realm has shortened what sessions have.
    server.admin().await.set(json!({"ssoSessionIdleTimeout": 60})).await;
    server.advance(Duration::from_secs(61));
    for _ in 0..2 {
        assert_eq!(server.refresh(&refresh_token(&tokens)).await.refusal().2, "Session not active");
    }
    assert_eq!(sessions(&ears.take()), std::slice::from_ref(&sid), "once");
    assert_eq!(ended(&server).await, [(json!("expired"), sid)]);
    server.finish().await;
}

#[tokio::test]
async fn who_signs_in_where_another_user_is_ends_that_session_and_its_clients_hear_of_it() {
    let (server, ears) = listening().await;
    let bob = json!({"username": "bob", "enabled": true, "email": "bob@example.org", "firstName": "B", "lastName": "B",
        "credentials": [{"type": "password", "value": "bob"}]});
    let admin = server.admin().await;
    assert_eq!(admin.call(reqwest::Method::POST, "/demo/users", Some(&bob)).await.status, 201);
    let browser = server.browser();
    // A page from before Alice signed in, in the same browser.
    let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    let alices = grant(&server, &browser, "openid").await;
    let back = browser.post(&page.action(), &[("username", "bob"), ("password", "bob")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    let sid = claims(&alices["access_token"])["sid"].clone();
    assert_eq!(ended(&server).await, [(json!("another_user"), sid.clone())]);
    assert_eq!(server.refresh(&refresh_token(&alices)).await.status, 400);
    assert_eq!(ears.take(), [Value::Null; 0], "nobody waits for it to sign in");
    server.advance(Duration::from_secs(31));
    logout_notice::send_due(&server.server).await.unwrap();
    assert_eq!(sessions(&ears.take()), [sid]);
    server.finish().await;
}

#[tokio::test]
async fn a_client_whose_consent_is_taken_back_hears_of_the_sign_in_and_not_of_offline_access() {
    let (server, ears) = listening().await;
    let browser = server.browser();
    let online = grant(&server, &browser, "openid").await;
    grant(&server, &browser, OFFLINE).await;
    // Of another sign-in, which is offline alone.
    server.offline_token().await;
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/consents/demo-backup", admin.alice().await);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(sessions(&ears.take()), [claims(&online["access_token"])["sid"].clone()]);
    assert_eq!(admin.offline_sessions("demo-backup").await, 0);
    server.finish().await;
}
