//! The keys that a client publishes at an address of its own (`jwks_uri`): fetched, kept, and asked for again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jsonwebtoken::Algorithm;
use nightlatch::jose::{self, Generated};
use reqwest::Method;
use serde_json::json;

use crate::support::TestServer;
use crate::support::assertions::{RSA, STRANGER, jwk, rsa_signer, signed};

/// Where a client publishes its keys: what is answered, and how often it was asked.
#[derive(Clone, Default)]
struct Publisher {
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<Mutex<usize>>,
}

impl Publisher {
    async fn listen(&self) -> String {
        let own = self.clone();
        let answer = move || {
            *own.asked.lock().unwrap() += 1;
            let (status, text) = own.answer.lock().unwrap().clone();
            async move { (axum::http::StatusCode::from_u16(status).unwrap(), [("location", "http://127.0.0.1:1/")], text) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/keys", axum::routing::get(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn publish(&self, key: &Generated, kid: &str) {
        *self.answer.lock().unwrap() = (200, json!({"keys": [jwk(key, jose::Algorithm::Rs256, kid)]}).to_string());
    }

    fn break_down(&self, status: u16, text: String) {
        *self.answer.lock().unwrap() = (status, text);
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

#[tokio::test]
async fn published_keys_are_fetched_kept_and_asked_for_again_when_one_is_missing() {
    let server = TestServer::start().await;
    let publisher = Publisher::default();
    publisher.publish(&RSA, "k1");
    let url = publisher.listen().await;
    let client = server.asserting("client-jwt", json!({"use.jwks.url": "true", "jwks.url": url})).await;
    client.send(&client.by_key("1")).await.granted();
    client.send(&client.by_key("2")).await.granted();
    assert_eq!(publisher.asked(), 1);
    // A stranger who makes kids up makes nobody ask without a pause.
    for at in 0..5 {
        let made_up = signed(Algorithm::RS256, Some(&format!("x{at}")), &client.claims("x", json!({})), &rsa_signer(&STRANGER));
        client.refused(&made_up, "Unable to load public key").await;
    }
    assert_eq!(publisher.asked(), 1);
    server.advance(Duration::from_secs(11));
    publisher.publish(&STRANGER, "k2");
    let by_new = |jti: &str| signed(Algorithm::RS256, Some("k2"), &client.claims(jti, json!({})), &rsa_signer(&STRANGER));
    client.send(&by_new("3")).await.granted();
    assert_eq!(publisher.asked(), 2);
    client.refused(&client.by_key("4"), "Unable to load public key").await;
    // An address that does not answer for a while keeps nobody out; one that stays away does.
    publisher.break_down(500, String::new());
    server.advance(Duration::from_secs(601));
    client.send(&by_new("5")).await.granted();
    client.send(&by_new("6")).await.granted();
    assert_eq!(publisher.asked(), 3);
    server.advance(Duration::from_secs(3_000));
    client.refused(&by_new("7"), "Unable to load public key").await;
    server.finish().await;
}

#[tokio::test]
async fn what_is_no_key_set_gives_no_key() {
    let server = TestServer::start().await;
    let publisher = Publisher::default();
    let url = publisher.listen().await;
    let client = server.asserting("client-jwt", json!({"use.jwks.url": "true", "jwks.url": url})).await;
    let good = json!({"keys": [jwk(&RSA, jose::Algorithm::Rs256, "k1")]}).to_string();
    for (status, text) in [
        (302, good.clone()),
        (404, good.clone()),
        (200, "<html>".to_owned()),
        (200, format!("{good}{}", " ".repeat(65 * 1024))),
        (200, "[".repeat(60_000)),
    ] {
        publisher.break_down(status, text);
        server.advance(Duration::from_secs(11));
        client.refused(&client.by_key("j"), "Unable to load public key").await;
    }
    assert_eq!(publisher.asked(), 5);
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("asserting").await);
    for address in ["http://169.254.169.254/keys", "http://127.0.0.1:1/keys"] {
        let changed = json!({"attributes": {"jwks.url": address}});
        assert_eq!(admin.call(Method::PUT, &path, Some(&changed)).await.status, 204);
        client.refused(&client.by_key("j"), "Unable to load public key").await;
    }
    let refused = admin.call(Method::PUT, &path, Some(&json!({"attributes": {"jwks.url": "javascript:alert(1)"}}))).await;
    assert_eq!(refused.status, 400);
    server.finish().await;
}
