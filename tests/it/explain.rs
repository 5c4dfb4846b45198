//! Why a token or a grant works or does not: each rule that it has to pass, and the first that it does not.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::issued_before::{OFFLINE, grant};
use crate::races::connection;
use crate::support::{DAY, TestServer, claims, refresh_token};

/// The answer to "why", and the first rule that is broken.
async fn explained(server: &TestServer, question: Value) -> (Value, Value) {
    let answer = server.admin().await.call(Method::POST, "/demo/nightlatch/explain", Some(&question)).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    (answer.body["reason"].clone(), answer.body)
}

#[tokio::test]
async fn it_is_explained_which_rule_ends_a_token_and_where_it_comes_from() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let (reason, whole) = explained(&server, json!({"token": token})).await;
    assert_eq!((reason, &whole["usable"], &whole["tokenType"]), (Value::Null, &json!(true), &json!("Offline")));
    assert_eq!(whole["endsAt"], json!((server.now() + 2_592_000) * 1_000));
    let rule =
        |whole: &Value, name: &str| whole["checks"].as_array().unwrap().iter().find(|c| c["rule"] == name).unwrap().clone();
    assert_eq!(
        rule(&whole, "session-idle")["setting"],
        json!({"name": "offlineSessionIdleTimeout", "of": "realm", "value": 2_592_000})
    );
    // Whatever ends the token is named, and goes again with its cause.
    let admin = server.admin().await;
    admin.put_user(json!({"enabled": false})).await;
    assert_eq!(explained(&server, json!({"token": token})).await.0, "user-enabled");
    server.admin().await.put_user(json!({"enabled": true})).await;
    server.advance(Duration::from_secs(10));
    let now = server.now();
    server.admin().await.set(json!({"notBefore": now})).await;
    let (reason, whole) = explained(&server, json!({"token": token})).await;
    assert_eq!((reason, rule(&whole, "not-before")["setting"]["of"].clone()), (json!("not-before"), json!("realm")));
    server.admin().await.set(json!({"notBefore": 0})).await;
    server.refresh(&token).await.granted();
    server.advance(31 * DAY);
    let (reason, whole) = explained(&server, json!({"token": token})).await;
    assert_eq!((reason, rule(&whole, "session-idle")["at"].clone()), (json!("session-idle"), json!((now + 2_592_000) * 1_000)));
    server.finish().await;
}

#[tokio::test]
async fn asking_why_uses_nothing_up() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true})).await;
    let first = server.offline_token().await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    let (reason, whole) = explained(&server, json!({"token": first})).await;
    assert_eq!((reason, &whole["usable"]), (json!("rotation"), &json!(false)), "{whole}");
    assert_eq!(explained(&server, json!({"token": second})).await.0, Value::Null);
    let tokens = server.refresh(&second).await.granted();
    assert_eq!(explained(&server, json!({"token": tokens["access_token"]})).await.0, Value::Null);
    let session = claims(&tokens["refresh_token"])["sid"].clone();
    assert_eq!(explained(&server, json!({"sessionId": session, "clientId": "demo-backup"})).await.0, Value::Null);
    assert_eq!(explained(&server, json!({"sessionId": session, "clientId": "demo-spa"})).await.0, "part-found");
    assert_eq!(
        explained(&server, json!({"sessionId": session, "clientId": "demo-backup", "kind": "online"})).await.0,
        "session-found"
    );
    assert_eq!(explained(&server, json!({"token": "x.y.z"})).await.0, "signature");
    let admin = server.admin().await;
    for wrong in [json!({}), json!({"token": "a", "sessionId": "b"}), json!({"sessionId": "b"}), json!({"token": 1, "x": 2})] {
        let answer = admin.call(Method::POST, "/demo/nightlatch/explain", Some(&wrong)).await;
        assert_eq!(answer.status, 400, "{wrong}: {:?}", answer.body);
    }
    server.finish().await;
}

#[tokio::test]
async fn a_token_of_a_client_for_itself_is_explained_by_the_client_and_its_account() {
    let server = TestServer::start().await;
    let tokens = server.as_backup("/token", &[("grant_type", "client_credentials")]).await.granted();
    let token = json!({"token": tokens["access_token"]});
    assert_eq!(explained(&server, token.clone()).await.0, Value::Null);
    let admin = server.admin().await;
    let client = format!("/demo/clients/{}", admin.client("demo-backup").await);
    for (enabled, reason) in [(false, json!("client-enabled")), (true, Value::Null)] {
        assert_eq!(admin.call(Method::PUT, &client, Some(&json!({"enabled": enabled}))).await.status, 204);
        assert_eq!(explained(&server, token.clone()).await.0, reason);
    }
    let revoked = server.as_backup("/revoke", &[("token", tokens["access_token"].as_str().unwrap())]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(explained(&server, token.clone()).await.0, "token-revoked");
    assert_eq!(admin.call(Method::PUT, &client, Some(&json!({"serviceAccountsEnabled": false}))).await.status, 204);
    assert_eq!(explained(&server, token.clone()).await.0, "session-found", "the account is gone");
    server.advance(Duration::from_secs(10));
    let now = server.now();
    server.admin().await.set(json!({"notBefore": now})).await;
    assert_eq!(explained(&server, token).await.0, "not-before");
    server.finish().await;
}

#[tokio::test]
async fn a_realm_that_remembers_nobody_any_more_and_a_grant_that_was_made_anew_are_named() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"rememberMe": true})).await;
    let browser = server.browser();
    grant(&server, &browser, "openid").await;
    let old = refresh_token(&grant(&server, &browser, OFFLINE).await);
    server.advance(Duration::from_secs(10));
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/consents/demo-backup", admin.alice().await);
    assert_eq!(admin.delete(&path).await.status, 204);
    let new = refresh_token(&grant(&server, &browser, OFFLINE).await);
    assert_eq!(explained(&server, json!({"token": old})).await.0, "issued-for-grant");
    assert_eq!(explained(&server, json!({"token": new})).await.0, Value::Null);
    admin.set(json!({"rememberMe": false})).await;
    assert_eq!(explained(&server, json!({"token": new})).await.0, "remember-me");
    assert_eq!(server.refresh(&new).await.status, 400);
    server.finish().await;
}

#[tokio::test]
async fn a_retry_that_is_slowed_down_is_told_apart_from_one_that_ends_the_grant() {
    let server = TestServer::start().await;
    let rotation = json!({"nightlatch.refresh.token.rotation": "graceful"});
    server.admin().await.set(json!({"revokeRefreshToken": true, "attributes": rotation})).await;
    let first = server.offline_token().await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    server.advance(Duration::from_secs(3_600));
    for _ in 0..16 {
        server.refresh(&first).await.granted();
    }
    let (reason, whole) = explained(&server, json!({"token": first})).await;
    assert!(reason == "rotation" && whole.to_string().contains("nothing is lost"), "{whole}");
    assert_eq!(server.refresh(&first).await.status, 429);
    assert_eq!(explained(&server, json!({"token": second})).await.0, Value::Null);
    // Without rotation a token whose chain is gone is stale, too.
    server.admin().await.set(json!({"revokeRefreshToken": false})).await;
    let mut database = connection(&server).await;
    sqlx::raw_sql("update chain set chain_id = 'another'").execute(&mut database).await.unwrap();
    assert_eq!(explained(&server, json!({"token": second})).await.0, "rotation");
    assert_eq!(server.refresh(&second).await.refusal().2, "Stale token");
    server.finish().await;
}
