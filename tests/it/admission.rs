//! One admission for every grant and every use of a token: whatever is taken away is taken away everywhere.
//!
//! Each row is a condition, each column a use of what was granted before it, or a new grant.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Admin, TestServer, refresh_token};

const USES: [&str; 10] = [
    "refresh of an offline token",
    "refresh of an online token",
    "introspection, offline",
    "introspection, online",
    "userinfo, offline",
    "userinfo, online",
    "account, online",
    "exchange of a code",
    "new offline access",
    "new sign-in",
];

/// What a client got before the condition.
struct Held {
    offline: Value,
    online: Value,
    code: String,
}

impl Held {
    async fn of(server: &TestServer) -> Self {
        let code = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
        Self { offline: server.sign_in("openid offline_access").await, online: server.sign_in("openid").await, code }
    }

    /// Which uses are answered with what was asked.
    async fn uses(&self, server: &TestServer) -> Vec<&'static str> {
        let access = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
        let (offline, online) = (access(&self.offline), access(&self.online));
        let is_active = async |token: &str| {
            let answer = server.as_backup("/token/introspect", &[("token", token)]).await;
            answer.status == 200 && answer.body["active"] == true
        };
        let reads = async |address: String, token: &str| {
            let request = server.http.get(address).header("accept", "application/json").bearer_auth(token);
            request.send().await.unwrap().status().as_u16() == 200
        };
        let grant = async |form: &[(&str, &str)]| server.as_backup("/token", form).await.status == 200;
        let password = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
        let code = [("grant_type", "authorization_code"), ("code", &*self.code), ("redirect_uri", "http://localhost:3000/cb")];
        let works = [
            is_active(&offline).await,
            is_active(&online).await,
            reads(server.endpoint("/userinfo"), &offline).await,
            reads(server.endpoint("/userinfo"), &online).await,
            reads(server.realm("demo", "/account/?userProfileMetadata=false"), &online).await,
            grant(&code).await,
            server.refresh(&refresh_token(&self.offline)).await.status == 200,
            server.refresh(&refresh_token(&self.online)).await.status == 200,
            grant(&[&password[..], &[("scope", "openid offline_access")]].concat()).await,
            grant(&[&password[..], &[("scope", "openid")]].concat()).await,
        ];
        // Refusals of a refresh may end a session, so the refreshes come after what only looks.
        let order = [6, 7, 0, 1, 2, 3, 4, 5, 8, 9];
        USES.into_iter().zip(order).filter(|(_, at)| works[*at]).map(|(name, _)| name).collect()
    }
}

async fn row(change: impl AsyncFnOnce(&TestServer, &Admin<'_>)) -> Vec<&'static str> {
    let server = TestServer::start().await;
    let held = Held::of(&server).await;
    server.advance(Duration::from_secs(2));
    let admin = server.admin().await;
    change(&server, &admin).await;
    let works = held.uses(&server).await;
    server.finish().await;
    works
}

fn all_but(missing: &[&str]) -> Vec<&'static str> {
    USES.into_iter().filter(|name| !missing.contains(name)).collect()
}

const NEW: [&str; 2] = ["new offline access", "new sign-in"];

async fn backup(admin: &Admin<'_>, change: Value) {
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&change)).await.status, 204);
}

#[tokio::test]
async fn nothing_taken_away_everything_works() {
    assert_eq!(row(async |_, _| ()).await, USES);
}

#[tokio::test]
async fn a_disabled_realm_client_or_user_has_nothing() {
    assert_eq!(row(async |_, admin| admin.set(json!({"enabled": false})).await).await, [""; 0], "realm");
    assert_eq!(row(async |_, admin| backup(admin, json!({"enabled": false})).await).await, [""; 0], "client");
    assert_eq!(row(async |_, admin| admin.put_user(json!({"enabled": false})).await).await, [""; 0], "user");
}

#[tokio::test]
async fn a_temporary_lock_refuses_what_is_new_and_nothing_else() {
    let locked = row(async |server, admin| {
        admin.set(json!({"bruteForceProtected": true, "failureFactor": 1})).await;
        let form = [("grant_type", "password"), ("username", "alice"), ("password", "wrong")];
        assert_eq!(server.as_backup("/token", &form).await.status, 400);
    });
    assert_eq!(locked.await, all_but(&NEW));
}

#[tokio::test]
async fn a_not_before_makes_stale_what_was_issued_before_it() {
    let at = |server: &TestServer| json!({"notBefore": server.now()});
    assert_eq!(row(async |server, admin| admin.set(at(server)).await).await, NEW, "realm");
    assert_eq!(row(async |server, admin| backup(admin, at(server)).await).await, NEW, "client");
    let log_out = row(async |_, admin| {
        let path = format!("/demo/users/{}/logout", admin.alice().await);
        assert_eq!(admin.call(reqwest::Method::POST, &path, None).await.status, 204);
    });
    assert_eq!(log_out.await, NEW, "user, by the administrator's logout");
}

#[tokio::test]
async fn without_the_role_or_the_scope_there_is_no_offline_access() {
    let offline = ["refresh of an offline token", "introspection, offline", "userinfo, offline", "new offline access"];
    let role = row(async |_, admin| {
        let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
        let roles = admin.get(&path).await;
        let default: Vec<_> = roles.as_array().unwrap().iter().filter(|r| r["name"] == "default-roles-demo").cloned().collect();
        assert_eq!(admin.call(reqwest::Method::DELETE, &path, Some(&json!(default))).await.status, 204);
        let path = format!("/demo/users/{}/role-mappings/clients/{}", admin.alice().await, admin.client("account").await);
        let view = admin.get(&format!("/demo/clients/{}/roles/view-profile", admin.client("account").await)).await;
        assert_eq!(admin.call(reqwest::Method::POST, &path, Some(&json!([view]))).await.status, 204);
    });
    assert_eq!(role.await, all_but(&offline), "the role");
    let scope = row(async |_, admin| {
        let scopes = admin.get("/demo/client-scopes").await;
        let id = scopes.as_array().unwrap().iter().find(|s| s["name"] == "offline_access").unwrap()["id"].clone();
        let client = admin.client("demo-backup").await;
        let path = format!("/demo/clients/{client}/optional-client-scopes/{}", id.as_str().unwrap());
        assert_eq!(admin.delete(&path).await.status, 204);
    });
    assert_eq!(scope.await, all_but(&offline), "the scope");
}

#[tokio::test]
async fn without_consent_there_is_nothing_where_it_is_required() {
    let works = row(async |_, admin| backup(admin, json!({"consentRequired": true})).await).await;
    assert_eq!(works, [""; 0]);
}

#[tokio::test]
async fn the_end_of_a_sign_in_leaves_offline_access_alone() {
    let online =
        ["refresh of an online token", "introspection, online", "userinfo, online", "account, online", "exchange of a code"];
    let ended = row(async |_, admin| {
        let sessions = admin.get(&format!("/demo/users/{}/sessions", admin.alice().await)).await;
        for session in sessions.as_array().unwrap() {
            let path = format!("/demo/sessions/{}", session["id"].as_str().unwrap());
            assert_eq!(admin.delete(&path).await.status, 204);
        }
    });
    assert_eq!(ended.await, all_but(&online));
    let changed = row(async |_, admin| {
        let path = format!("/demo/users/{}/reset-password", admin.alice().await);
        let body = json!({"type": "password", "value": "alice", "temporary": false});
        assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&body)).await.status, 204);
    });
    assert_eq!(changed.await, USES, "a new password ends nothing by itself (Keycloak)");
}

#[tokio::test]
async fn a_user_who_is_gone_leaves_nothing() {
    let gone = row(async |_, admin| {
        assert_eq!(admin.delete(&format!("/demo/users/{}", admin.alice().await)).await.status, 204);
    });
    assert_eq!(gone.await, [""; 0]);
}
