//! What offline access promises: the backup job that runs at night for a user who has gone home.

use std::time::Duration;

use serde_json::json;

use crate::support::{DAY, TestServer, claims, refresh_token};

#[tokio::test]
async fn an_offline_token_works_for_months_if_it_is_used_and_ends_when_it_is_not() {
    let server = TestServer::start().await;
    let mut token = server.offline_token().await;
    for _ in 0..4 {
        server.advance(29 * DAY);
        let answer = server.refresh(&token).await.granted();
        assert_eq!(answer["refresh_expires_in"], json!(0), "an offline token names no end where the realm sets none");
        token = refresh_token(&answer);
    }
    server.advance(31 * DAY);
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "Offline user session not found"));
    server.finish().await;
}

#[tokio::test]
async fn a_refresh_of_the_oldest_token_counts_as_use() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    server.advance(20 * DAY);
    server.refresh(&token).await.granted();
    server.advance(9 * DAY);
    // The token of the first day is within its own 30 days, and its session was used on day 20.
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_limited_realm_ends_offline_sessions_at_offline_session_max_however_they_are_used() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(json!({"offlineSessionMaxLifespanEnabled": true, "offlineSessionMaxLifespan": 60 * 86_400})).await;
    let mut token = server.offline_token().await;
    for _ in 0..2 {
        server.advance(29 * DAY);
        token = refresh_token(&server.refresh(&token).await.granted());
    }
    let exp = claims(&json!(token))["exp"].as_i64().unwrap();
    assert_eq!(exp, server.now() + 2 * 86_400, "the token's end is the session's");
    server.advance(3 * DAY);
    assert_eq!(server.refresh(&token).await.refusal().1, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn it_outlives_the_users_logout() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let back = browser.sign_in("demo-backup", &[("scope", "openid offline_access")]).await;
    let code = back.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", "http://localhost:3000/cb")];
    let tokens = server.as_backup("/token", &form).await.granted();
    let hint = tokens["id_token"].as_str().unwrap();
    let out = browser.get(&format!("{}?id_token_hint={hint}", server.endpoint("/logout"))).await;
    assert!(out.says("You are logged out"), "{}", out.html);
    assert!(out.says("offline") || out.says("access"), "the user is told of what goes on");
    server.refresh(&refresh_token(&tokens)).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn it_outlives_a_restart_of_the_server() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let (database, moment) = (server.database.clone(), server.now());
    let host = server.host();
    server.stop().await;
    let server = TestServer::on(&database, 2).await;
    assert_eq!(server.now(), moment);
    server.refresh_at(&host, &token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn the_user_disabled_deleted_or_without_the_role_gets_no_more_tokens() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let admin = server.admin().await;
    admin.put_user(json!({"enabled": false})).await;
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "User disabled"));
    admin.put_user(json!({"enabled": true})).await;
    server.refresh(&token).await.granted();
    let role = admin.get("/demo/roles/offline_access").await;
    let default = admin.get("/demo/roles/default-roles-demo").await;
    let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
    let removed = admin.call(reqwest::Method::DELETE, &path, Some(&json!([default, role]))).await;
    assert_eq!(removed.status, 204, "{:?}", removed.body);
    let text = "Offline session invalid because offline access not granted anymore";
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", text));
    assert_eq!(admin.delete(&format!("/demo/users/{}", admin.alice().await)).await.status, 204);
    assert_eq!(server.refresh(&token).await.refusal().1, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn an_administrator_sees_and_ends_every_offline_session() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let list = admin.get(&format!("/demo/clients/{client}/offline-sessions")).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["username"], json!("alice"));
    let session = list[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(admin.delete(&format!("/demo/sessions/{session}?isOffline=true")).await.status, 204);
    let refused = server.refresh(&token).await;
    assert_eq!(refused.refusal(), (400, "invalid_grant", "Offline user session not found"));
    assert_eq!(admin.offline_sessions("demo-backup").await, 0);
    server.finish().await;
}

#[tokio::test]
async fn a_lapsed_session_is_neither_counted_nor_listed_before_the_sweeper_ran() {
    let server = TestServer::start().await;
    server.offline_token().await;
    server.advance(31 * DAY);
    let admin = server.admin().await;
    assert_eq!(admin.offline_sessions("demo-backup").await, 0);
    server.finish().await;
}

#[tokio::test]
async fn a_realm_may_say_for_how_long_an_offline_token_may_stay_unused() {
    let server = TestServer::start().await;
    assert_eq!(server.sign_in("openid offline_access").await["refresh_expires_in"], 0, "as Keycloak");
    let settings = json!({"offlineSessionIdleTimeout": 1000, "attributes": {"nightlatch.refresh.expires.in": "idle"}});
    server.admin().await.set(settings).await;
    let tokens = server.sign_in("openid offline_access").await;
    assert_eq!(tokens["refresh_expires_in"], 1000);
    let claims = crate::support::claims(&tokens["refresh_token"]);
    assert!(claims.get("exp").is_none(), "the token itself stays as it is: {claims}");
    server.advance(Duration::from_secs(999));
    let again = server.refresh(&refresh_token(&tokens)).await.granted();
    assert_eq!(again["refresh_expires_in"], 1000);
    server.finish().await;
}
