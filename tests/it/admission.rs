//! One admission for every grant and every use of a token: whatever is taken away is taken away everywhere.
//!
//! Each row is a condition, each column a use of what was granted before it, or a new grant.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::races::exchange;
use crate::support::{Admin, Answer, Browser, TestServer, refresh_token};

/// Refusals of a refresh may end a session, so the refreshes come after what only looks.
const USES: [&str; 17] = [
    "introspection, offline",
    "introspection, online",
    "userinfo, offline",
    "userinfo, online",
    "account, offline",
    "account, online",
    "administration, offline",
    "administration, online",
    "prompt=none",
    "exchange of a code",
    "refresh of an offline token",
    "refresh of an online token",
    "refresh of a service account's token",
    "client credentials with a refresh token",
    "client credentials without",
    "new offline access",
    "new sign-in",
];

const OFFLINE: [&str; 6] = [
    "introspection, offline",
    "userinfo, offline",
    "account, offline",
    "administration, offline",
    "refresh of an offline token",
    "new offline access",
];
/// What hangs on the session of a sign-in that has been.
const ONLINE: [&str; 7] = [
    "introspection, online",
    "userinfo, online",
    "account, online",
    "administration, online",
    "prompt=none",
    "exchange of a code",
    "refresh of an online token",
];
/// What the client does for itself.
const SERVICE: [&str; 3] =
    ["refresh of a service account's token", "client credentials with a refresh token", "client credentials without"];
/// What needs nothing from before.
const FRESH: [&str; 4] =
    ["client credentials with a refresh token", "client credentials without", "new offline access", "new sign-in"];
/// What asks for the user's password.
const NEW: [&str; 2] = ["new offline access", "new sign-in"];
const NOTHING: [&str; 0] = [];

fn all_but(missing: &[&str]) -> Vec<&'static str> {
    USES.into_iter().filter(|name| !missing.contains(name)).collect()
}

/// What a client got before the condition.
struct Held<'a> {
    server: &'a TestServer,
    admin: &'a Admin<'a>,
    client: String,
    /// Signed in, at another session than the tokens.
    browser: Browser<'a>,
    code: String,
    offline: Value,
    online: Value,
    service: Value,
}

impl<'a> Held<'a> {
    async fn of(server: &'a TestServer, admin: &'a Admin<'a>) -> Self {
        let (id, management, client) =
            (admin.alice().await, admin.client("realm-management").await, admin.client("demo-backup").await);
        let view = admin.get(&format!("/demo/clients/{management}/roles/view-users")).await;
        let path = format!("/demo/users/{id}/role-mappings/clients/{management}");
        assert_eq!(admin.call(Method::POST, &path, Some(&json!([view]))).await.status, 204);
        let browser = server.browser();
        let code = browser.sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
        let (offline, online) = (server.sign_in("openid offline_access").await, server.sign_in("openid").await);
        let mut held = Self { server, admin, client, browser, code, offline, online, service: Value::Null };
        held.service = held.client_credentials(true).await.granted();
        held
    }

    /// The grant, of a client that has just been told whether it gets refresh tokens by it; if it is still there to be told.
    async fn client_credentials(&self, refreshes: bool) -> Answer {
        let change = json!({"attributes": {"client_credentials.use_refresh_token": refreshes.to_string()}});
        self.admin.call(Method::PUT, &format!("/demo/clients/{}", self.client), Some(&change)).await;
        let answer = self.server.as_backup("/token", &[("grant_type", "client_credentials"), ("scope", "openid")]).await;
        assert!(answer.status != 200 || answer.body.get("refresh_token").is_some() == refreshes, "{:?}", answer.body);
        answer
    }

    /// Which uses are answered with what was asked.
    async fn uses(&self) -> Vec<&'static str> {
        let server = self.server;
        let access = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
        let (offline, online) = (access(&self.offline), access(&self.online));
        let is_active = async |token: &str| {
            let answer = server.as_backup("/token/introspect", &[("token", token)]).await;
            answer.status == 200 && answer.body["active"] == true
        };
        let reads = async |address: &str, token: &str| {
            let request = server.http.get(address).header("accept", "application/json").bearer_auth(token);
            request.send().await.unwrap().status().as_u16() == 200
        };
        let signs_in = async |scope: &str| {
            let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", scope)];
            server.as_backup("/token", &form).await.status == 200
        };
        let refreshes = async |tokens: &Value| server.refresh(&refresh_token(tokens)).await.status == 200;
        let user_info = server.endpoint("/userinfo");
        let account = server.realm("demo", "/account/?userProfileMetadata=false");
        let users = format!("{}/admin/realms/demo/users", server.base);
        let silently = server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "none")]);
        let works = [
            is_active(&offline).await,
            is_active(&online).await,
            reads(&user_info, &offline).await,
            reads(&user_info, &online).await,
            reads(&account, &offline).await,
            reads(&account, &online).await,
            reads(&users, &offline).await,
            reads(&users, &online).await,
            self.browser.get(&silently).await.parameter("code").is_some(),
            exchange(server, &self.code).await.status == 200,
            refreshes(&self.offline).await,
            refreshes(&self.online).await,
            refreshes(&self.service).await,
            self.client_credentials(true).await.status == 200,
            self.client_credentials(false).await.status == 200,
            signs_in("openid offline_access").await,
            signs_in("openid").await,
        ];
        USES.into_iter().zip(works).filter(|(_, works)| *works).map(|(name, _)| name).collect()
    }
}

async fn row(change: impl AsyncFnOnce(&TestServer, &Admin<'_>)) -> Vec<&'static str> {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let held = Held::of(&server, &admin).await;
    server.advance(Duration::from_secs(2));
    change(&server, &admin).await;
    let works = held.uses().await;
    server.finish().await;
    works
}

async fn backup(admin: &Admin<'_>, change: Value) {
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    assert_eq!(admin.call(Method::PUT, &path, Some(&change)).await.status, 204);
}

#[tokio::test]
async fn nothing_taken_away_everything_works() {
    assert_eq!(row(async |_, _| ()).await, USES);
}

#[tokio::test]
async fn a_disabled_realm_or_client_has_nothing_and_a_disabled_user_leaves_what_the_client_does_for_itself() {
    assert_eq!(row(async |_, admin| admin.set(json!({"enabled": false})).await).await, NOTHING, "realm");
    assert_eq!(row(async |_, admin| backup(admin, json!({"enabled": false})).await).await, NOTHING, "client");
    assert_eq!(row(async |_, admin| admin.put_user(json!({"enabled": false})).await).await, SERVICE, "user");
}

#[tokio::test]
async fn a_temporary_lock_refuses_what_is_new_and_nothing_else() {
    let locked = row(async |server, admin| lock_out(server, admin, json!({"permanentLockout": false})).await);
    assert_eq!(locked.await, all_but(&NEW));
}

#[tokio::test]
async fn a_permanent_lock_is_a_disabled_user() {
    let locked = row(async |server, admin| lock_out(server, admin, json!({"permanentLockout": true})).await);
    assert_eq!(locked.await, SERVICE);
}

/// By a wrong password.
async fn lock_out(server: &TestServer, admin: &Admin<'_>, rules: Value) {
    admin.set(rules).await;
    admin.set(json!({"bruteForceProtected": true, "failureFactor": 1})).await;
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "wrong")];
    assert_eq!(server.as_backup("/token", &form).await.status, 400);
}

#[tokio::test]
async fn a_not_before_makes_stale_what_was_issued_before_it() {
    let at = |server: &TestServer| json!({"notBefore": server.now()});
    assert_eq!(row(async |server, admin| admin.set(at(server)).await).await, FRESH, "realm");
    let client = row(async |server, admin| backup(admin, at(server)).await);
    assert_eq!(client.await, [&["prompt=none"], &FRESH[..]].concat(), "client: the browser is signed in at the realm");
    let log_out = row(async |_, admin| {
        let path = format!("/demo/users/{}/logout", admin.alice().await);
        assert_eq!(admin.call(Method::POST, &path, None).await.status, 204);
    });
    assert_eq!(log_out.await, [&SERVICE[..], &NEW].concat(), "user, by the administrator's logout");
}

#[tokio::test]
async fn without_the_role_or_the_scope_there_is_no_offline_access() {
    let role = row(async |_, admin| {
        let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
        let roles = admin.get(&path).await;
        let default: Vec<_> = roles.as_array().unwrap().iter().filter(|r| r["name"] == "default-roles-demo").cloned().collect();
        assert_eq!(admin.call(Method::DELETE, &path, Some(&json!(default))).await.status, 204);
        let path = format!("/demo/users/{}/role-mappings/clients/{}", admin.alice().await, admin.client("account").await);
        let view = admin.get(&format!("/demo/clients/{}/roles/view-profile", admin.client("account").await)).await;
        assert_eq!(admin.call(Method::POST, &path, Some(&json!([view]))).await.status, 204);
    });
    assert_eq!(role.await, all_but(&OFFLINE), "the role");
    let scope = row(async |_, admin| {
        let scopes = admin.get("/demo/client-scopes").await;
        let id = scopes.as_array().unwrap().iter().find(|s| s["name"] == "offline_access").unwrap()["id"].clone();
        let client = admin.client("demo-backup").await;
        let path = format!("/demo/clients/{client}/optional-client-scopes/{}", id.as_str().unwrap());
        assert_eq!(admin.delete(&path).await.status, 204);
    });
    assert_eq!(scope.await, all_but(&OFFLINE), "the scope");
}

#[tokio::test]
async fn where_consent_is_required_a_client_has_what_was_agreed_to() {
    let asks = json!({"consentRequired": true});
    let without = row(async |_, admin| backup(admin, asks.clone()).await);
    assert_eq!(without.await, SERVICE, "nobody is asked on behalf of the client itself");
    let whole = row(async |server, admin| {
        agree(server, admin, &["default", "optional"]).await;
        backup(admin, asks.clone()).await;
    });
    assert_eq!(whole.await, all_but(&NEW), "nobody can be asked in a request with a password");
    let narrowed = row(async |server, admin| {
        agree(server, admin, &["default", "optional"]).await;
        agree(server, admin, &["default"]).await;
        backup(admin, asks.clone()).await;
    });
    assert_eq!(narrowed.await, all_but(&[&OFFLINE[..], &NEW].concat()));
}

/// Alice agrees, in the account, to these of the client's scopes and no others.
async fn agree(server: &TestServer, admin: &Admin<'_>, kinds: &[&str]) {
    let client = admin.client("demo-backup").await;
    let mut granted = Vec::new();
    for kind in kinds {
        let scopes = admin.get(&format!("/demo/clients/{client}/{kind}-client-scopes")).await;
        granted.extend(scopes.as_array().unwrap().iter().map(|scope| json!({"id": scope["id"]})));
    }
    let token = server.sign_in("openid").await;
    let address = server.realm("demo", "/account/applications/demo-backup/consent");
    let request =
        server.http.put(address).header("accept", "application/json").bearer_auth(token["access_token"].as_str().unwrap());
    assert_eq!(request.json(&json!({"grantedScopes": granted})).send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test]
async fn the_end_of_a_sign_in_leaves_offline_access_alone() {
    let ended = row(async |_, admin| {
        let sessions = admin.get(&format!("/demo/users/{}/sessions", admin.alice().await)).await;
        for session in sessions.as_array().unwrap() {
            let path = format!("/demo/sessions/{}", session["id"].as_str().unwrap());
            assert_eq!(admin.delete(&path).await.status, 204);
        }
    });
    assert_eq!(ended.await, all_but(&ONLINE));
    let changed = row(async |_, admin| {
        let path = format!("/demo/users/{}/reset-password", admin.alice().await);
        let body = json!({"type": "password", "value": "alice", "temporary": false});
        assert_eq!(admin.call(Method::PUT, &path, Some(&body)).await.status, 204);
    });
    assert_eq!(changed.await, USES, "a new password ends nothing by itself (Keycloak)");
}

#[tokio::test]
async fn a_user_who_is_gone_leaves_what_the_client_does_for_itself_and_a_client_nothing() {
    let gone = row(async |_, admin| {
        assert_eq!(admin.delete(&format!("/demo/users/{}", admin.alice().await)).await.status, 204);
    });
    assert_eq!(gone.await, SERVICE, "user");
    let gone = row(async |_, admin| {
        assert_eq!(admin.delete(&format!("/demo/clients/{}", admin.client("demo-backup").await)).await.status, 204);
    });
    assert_eq!(gone.await, NOTHING, "client");
}
