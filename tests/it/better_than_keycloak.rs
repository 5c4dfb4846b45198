//! Where this server answers otherwise than Keycloak on purpose (`tests/oracle/deviations`): what it answers instead.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer, refresh_token};

async fn user_info(server: &TestServer, token: &str) -> (u16, String) {
    let answer = server.http.get(server.endpoint("/userinfo")).bearer_auth(token).send().await.unwrap();
    let challenge = answer.headers().get("www-authenticate").map(|v| v.to_str().unwrap().to_owned());
    (answer.status().as_u16(), challenge.unwrap_or_default())
}

async fn is_active(server: &TestServer, token: &str) -> Value {
    server.as_backup("/token/introspect", &[("token", token)]).await.granted()["active"].clone()
}

#[tokio::test]
async fn while_a_realm_is_disabled_its_userinfo_refuses() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid").await;
    let token = tokens["access_token"].as_str().unwrap();
    let admin = server.admin().await;
    admin.set(json!({"enabled": false})).await;
    let (status, challenge) = user_info(&server, token).await;
    assert_eq!(status, 403);
    assert!(challenge.contains("Realm not enabled"), "{challenge}");
    admin.set(json!({"enabled": true})).await;
    assert_eq!(user_info(&server, token).await.0, 200);
    server.finish().await;
}

#[tokio::test]
async fn a_token_whose_session_lost_its_role_or_its_scope_is_refused_everywhere() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid offline_access").await;
    let token = tokens["access_token"].as_str().unwrap();
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let scopes = admin.get("/demo/client-scopes").await;
    let scope = scopes.as_array().unwrap().iter().find(|s| s["name"] == "offline_access").unwrap()["id"].clone();
    let path = format!("/demo/clients/{client}/optional-client-scopes/{}", scope.as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!((user_info(&server, token).await.0, is_active(&server, token).await), (401, json!(false)));
    assert_eq!(admin.call(reqwest::Method::PUT, &path, None).await.status, 204);
    assert_eq!((user_info(&server, token).await.0, is_active(&server, token).await), (200, json!(true)));
    let roles = json!([admin.get("/demo/roles/default-roles-demo").await]);
    let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
    assert_eq!(admin.call(reqwest::Method::DELETE, &path, Some(&roles)).await.status, 204);
    assert_eq!((user_info(&server, token).await.0, is_active(&server, token).await), (401, json!(false)));
    server.finish().await;
}

#[tokio::test]
async fn a_token_whose_consent_was_taken_back_is_inactive() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.sign_in("demo-partner", &[("scope", "openid offline_access")]).await;
    let code = page.hidden()["code"].clone();
    let back = browser.post(&page.action(), &[("code", &*code), ("accept", "Yes")]).await;
    let code = back.parameter("code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", "http://localhost:3000/cb"),
        ("client_id", "demo-partner"),
        ("client_secret", "demo-partner-secret"),
    ];
    let tokens = server.post(&server.endpoint("/token"), &form).await.granted();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(is_active(&server, token).await, json!(true));
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/consents/demo-partner", admin.alice().await);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!((user_info(&server, token).await.0, is_active(&server, token).await), (401, json!(false)));
    server.finish().await;
}

#[tokio::test]
async fn an_application_may_read_why_it_gets_no_offline_token() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let roles = json!([admin.get("/demo/roles/default-roles-demo").await]);
    let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
    assert_eq!(admin.call(reqwest::Method::DELETE, &path, Some(&roles)).await.status, 204);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "offline_access")];
    let client = admin.client("demo-backup").await;
    let origins = json!({"clientId": "demo-backup", "webOrigins": ["https://app.example"]});
    assert_eq!(admin.call(reqwest::Method::PUT, &format!("/demo/clients/{client}"), Some(&origins)).await.status, 204);
    let request = server.http.post(server.endpoint("/token")).header("origin", "https://app.example");
    let request = request.basic_auth("demo-backup", Some("demo-backup-secret")).form(&form);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.refusal().1, "not_allowed");
    assert_eq!(answer.headers["access-control-allow-origin"], "https://app.example");
    server.finish().await;
}

#[tokio::test]
async fn a_used_refresh_token_is_introspected_as_inactive() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0})).await;
    let first = server.offline_token().await;
    assert_eq!(is_active(&server, &first).await, json!(true));
    let second = refresh_token(&server.refresh(&first).await.granted());
    assert_eq!((is_active(&server, &first).await, is_active(&server, &second).await), (json!(false), json!(true)));
    server.finish().await;
}
