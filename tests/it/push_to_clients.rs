//! A not-before and a logout of everybody reach the admin URLs of clients, and the answer says whom they reached.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, TestServer, claims};

type Heard = Arc<Mutex<Vec<(String, String)>>>;

async fn hear(State(heard): State<Heard>, Path(action): Path<String>, headers: HeaderMap, body: String) -> StatusCode {
    assert_eq!(headers["content-type"], "text/plain");
    heard.lock().unwrap().push((action, body));
    StatusCode::NO_CONTENT
}

async fn listen() -> (String, Heard) {
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/app", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/app/{action}", axum::routing::post(hear)).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, heard)
}

async fn admin_url(admin: &Admin<'_>, client: &str, url: &str) -> String {
    let path = format!("/demo/clients/{}", admin.client(client).await);
    let changed = admin.call(Method::PUT, &path, Some(&json!({"adminUrl": url, "notBefore": 7}))).await;
    assert_eq!(changed.status, 204, "{:?}", changed.body);
    path
}

fn said(heard: &Heard) -> Vec<(String, Value)> {
    std::mem::take(&mut *heard.lock().unwrap()).into_iter().map(|(path, token)| (path, claims(&Value::from(token)))).collect()
}

#[tokio::test]
async fn the_answer_says_who_was_reached_and_who_was_not() {
    let server = TestServer::start().await;
    let (url, heard) = listen().await;
    let admin = server.admin().await;
    let path = admin_url(&admin, "demo-backup", &format!("{url}/")).await;
    // Nobody listens there, and what is no address on the web is not asked at all.
    admin_url(&admin, "demo-spa", "http://127.0.0.1:1/gone").await;
    let closed = admin.call(Method::PUT, "/demo", Some(&json!({"notBefore": 1_700_000_000}))).await;
    assert_eq!(closed.status, 204);

    let answer = admin.call(Method::POST, "/demo/push-revocation", None).await;
    assert_eq!(answer.body, json!({"successRequests": [url], "failedRequests": ["http://127.0.0.1:1/gone"]}));
    let (action, statement) = said(&heard).remove(0);
    assert_eq!(action, "k_push_not_before");
    assert_eq!((&statement["action"], &statement["notBefore"]), (&json!("PUSH_NOT_BEFORE"), &json!(1_700_000_000)));
    assert_eq!((&statement["resource"], &statement["expiration"]), (&json!("demo-backup"), &json!(server.now() + 30)));

    let answer = admin.call(Method::POST, &format!("{path}/push-revocation"), None).await;
    assert_eq!(answer.body, json!({"successRequests": [url]}));
    assert_eq!(said(&heard)[0].1["notBefore"], 7, "the client's own");

    let answer = admin.call(Method::POST, "/demo/logout-all", None).await;
    assert_eq!(answer.body["successRequests"], json!([url]));
    let (action, statement) = said(&heard).remove(0);
    assert_eq!((action.as_str(), &statement["action"]), ("k_logout", &json!("LOGOUT")));
    assert_eq!(statement["notBefore"], server.now());
    server.finish().await;
}

#[tokio::test]
async fn an_address_that_is_none_on_the_web_is_never_asked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = admin_url(&admin, "demo-backup", "ftp://127.0.0.1/app").await;
    for of in ["/demo".to_owned(), path] {
        let answer = admin.call(Method::POST, &format!("{of}/push-revocation"), None).await;
        assert_eq!((answer.status, answer.body), (200, json!({})));
    }
    let missing = admin.call(Method::POST, "/demo/clients/nobody/push-revocation", None).await;
    assert_eq!(missing.status, 404);
    server.finish().await;
}
