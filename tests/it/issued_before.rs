//! What was issued before something was taken away stays dead: a policy counts at every endpoint, who is disabled has nothing, and
//! what is granted anew under the same `sid` revives nothing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::better_than_keycloak::let_service_account_refresh;
use crate::support::{Admin, Browser, TestServer, claims, database_address, refresh_token};

pub const OFFLINE: &str = "openid offline_access";
const PLACES: [&str; 4] = ["introspection", "userinfo", "account", "admin"];
const MINUTE: Duration = Duration::from_secs(60);

/// Alice's tokens by a code of this browser, which signs in, to be remembered, where it is asked to.
pub async fn grant(server: &TestServer, browser: &Browser<'_>, scope: &str) -> Value {
    let mut page = browser.get(&server.authorization("demo-backup", &[("scope", scope)])).await;
    if page.parameter("code").is_none() {
        let form = [("username", "alice"), ("password", "alice"), ("rememberMe", "on")];
        page = browser.post(&page.action(), &form).await;
    }
    let code = page.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    server.as_backup("/token", &form).await.granted()
}

async fn is_active(server: &TestServer, token: &Value) -> bool {
    let answer = server.as_backup("/token/introspect", &[("token", token.as_str().unwrap())]).await;
    answer.granted()["active"] == true
}

/// Where the access token opens anything.
async fn opens(server: &TestServer, tokens: &Value) -> Vec<&'static str> {
    let reads = async |address: String| {
        let request = server.http.get(address).header("accept", "application/json");
        request.bearer_auth(tokens["access_token"].as_str().unwrap()).send().await.unwrap().status().as_u16() == 200
    };
    let works = [
        is_active(server, &tokens["access_token"]).await,
        reads(server.endpoint("/userinfo")).await,
        reads(server.realm("demo", "/account/?userProfileMetadata=false")).await,
        reads(format!("{}/admin/realms/demo/users", server.base)).await,
    ];
    PLACES.into_iter().zip(works).filter(|(_, works)| *works).map(|(name, _)| name).collect()
}

async fn change_backup(admin: &Admin<'_>, change: &Value) {
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    assert_eq!(admin.call(Method::PUT, &path, Some(change)).await.status, 204);
}

/// So that her access tokens open the Admin REST API, too.
async fn let_alice_view_users(admin: &Admin<'_>) {
    let management = admin.client("realm-management").await;
    let role = admin.get(&format!("/demo/clients/{management}/roles/view-users")).await;
    let path = format!("/demo/users/{}/role-mappings/clients/{management}", admin.alice().await);
    assert_eq!(admin.call(Method::POST, &path, Some(&json!([role]))).await.status, 204);
}

/// The client loses its access in one way, and gets it anew in the session that the browser is still in.
async fn removed_and_granted_anew(remove: impl AsyncFnOnce(&TestServer, &Browser<'_>)) {
    let server = TestServer::start().await;
    let_alice_view_users(&server.admin().await).await;
    let browser = server.browser();
    let old = [grant(&server, &browser, "openid").await, grant(&server, &browser, OFFLINE).await];
    for tokens in &old {
        assert_eq!(opens(&server, tokens).await, PLACES);
    }
    server.advance(MINUTE);
    remove(&server, &browser).await;
    for tokens in &old {
        assert_eq!(opens(&server, tokens).await, [""; 0], "nothing is left of it");
    }
    server.advance(MINUTE);
    let new = [grant(&server, &browser, "openid").await, grant(&server, &browser, OFFLINE).await];
    for (kind, old, new) in [("online", &old[0], &new[0]), ("offline", &old[1], &new[1])] {
        assert_eq!(claims(&old["access_token"])["sid"], claims(&new["access_token"])["sid"], "{kind}: the same session");
        assert_eq!(opens(&server, new).await, PLACES, "{kind}");
        server.refresh(&refresh_token(new)).await.granted();
        assert_eq!(server.refresh(&refresh_token(old)).await.refusal().1, "invalid_grant", "{kind}");
    }
    let revived = [opens(&server, &old[0]).await, opens(&server, &old[1]).await];
    assert_eq!(revived, [[""; 0]; 2], "the older access token of the online part, and of the offline one");
    server.finish().await;
}

#[tokio::test]
async fn access_that_was_removed_in_the_console_and_granted_anew_revives_no_older_access_token() {
    removed_and_granted_anew(async |server, browser| {
        let asked = browser.get(&server.realm("demo", "/account/applications/demo-backup/remove")).await;
        assert!(asked.says("Remove the access of Night backup?"), "{}", asked.html);
        let done = browser.post(&asked.action(), &[("csrf", asked.hidden()["csrf"].as_str())]).await;
        assert!(done.says("The access was removed."), "{}", done.html);
    })
    .await;
}

#[tokio::test]
async fn access_that_was_removed_by_the_account_api_and_granted_anew_revives_no_older_access_token() {
    removed_and_granted_anew(async |server, _| {
        let tokens = server.sign_in("openid").await;
        let address = server.realm("demo", "/account/applications/demo-backup/consent");
        let request = server.http.delete(address).bearer_auth(tokens["access_token"].as_str().unwrap());
        assert_eq!(request.send().await.unwrap().status().as_u16(), 204);
    })
    .await;
}

#[tokio::test]
async fn access_that_an_administrator_revoked_and_that_is_granted_anew_revives_no_older_access_token() {
    removed_and_granted_anew(async |server, _| {
        let admin = server.admin().await;
        let path = format!("/demo/users/{}/consents/demo-backup", admin.alice().await);
        assert_eq!(admin.delete(&path).await.status, 204);
    })
    .await;
}

/// A grant is left unused beyond its idle time, no sweeper comes by, and the browser, which is remembered, gives it anew.
async fn lapsed_and_granted_anew(rotates: bool, limit: impl AsyncFnOnce(&Admin<'_>)) {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let remembered = json!({"rememberMe": true, "ssoSessionIdleTimeoutRememberMe": 864_000,
        "ssoSessionMaxLifespanRememberMe": 864_000, "revokeRefreshToken": rotates, "refreshTokenMaxReuse": 0});
    admin.set(remembered).await;
    limit(&admin).await;
    let browser = server.browser();
    // Else the offline grant would be the browser's first, and would take the session along.
    grant(&server, &browser, "openid").await;
    let old = grant(&server, &browser, OFFLINE).await;
    assert!(is_active(&server, &old["refresh_token"]).await);
    server.advance(60 * MINUTE);
    assert!(!is_active(&server, &old["refresh_token"]).await, "it has lapsed");
    let new = grant(&server, &browser, OFFLINE).await;
    assert_eq!(claims(&old["refresh_token"])["sid"], claims(&new["refresh_token"])["sid"], "the same session");
    let (old, mut new) = (refresh_token(&old), refresh_token(&new));
    for _ in 0..2 {
        let refused = server.refresh(&old).await;
        assert_eq!((refused.status, refused.refusal().1), (400, "invalid_grant"));
        assert!(!is_active(&server, &json!(old)).await);
        new = refresh_token(&server.refresh(&new).await.granted());
    }
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 1);
    server.finish().await;
}

async fn realm_idle(admin: &Admin<'_>) {
    admin.set(json!({"offlineSessionIdleTimeout": 3_600})).await;
}

async fn client_idle(admin: &Admin<'_>) {
    let mut client = admin.get(&format!("/demo/clients/{}", admin.client("demo-backup").await)).await;
    client["attributes"]["client.offline.session.idle.timeout"] = json!("3600");
    change_backup(admin, &client).await;
}

#[tokio::test]
async fn an_offline_grant_that_lapsed_and_is_given_anew_revives_no_older_token() {
    lapsed_and_granted_anew(false, realm_idle).await;
}

#[tokio::test]
async fn an_offline_grant_that_lapsed_and_is_given_anew_revives_no_older_token_of_those_that_rotate() {
    lapsed_and_granted_anew(true, realm_idle).await;
}

#[tokio::test]
async fn a_clients_part_that_lapsed_and_is_given_anew_revives_no_older_token() {
    lapsed_and_granted_anew(false, client_idle).await;
}

#[tokio::test]
async fn a_clients_part_that_lapsed_and_is_given_anew_revives_no_older_token_of_those_that_rotate() {
    lapsed_and_granted_anew(true, client_idle).await;
}

#[tokio::test]
async fn cve_2026_18218_of_the_three_not_befores_the_latest_counts_in_all_27_orderings() {
    let server = TestServer::start().await;
    let tokens = server.sign_in(OFFLINE).await;
    let offline = refresh_token(&tokens);
    let issued = server.now();
    server.advance(Duration::from_secs(5));
    let admin = server.admin().await;
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    // Not set; set, but older than the token; newer.
    let times = [0, issued - 100, issued + 1];
    for (realm, client, user) in (0..27).map(|at| (times[at / 9], times[at / 3 % 3], times[at % 3])) {
        admin.set(json!({"notBefore": realm})).await;
        change_backup(&admin, &json!({"notBefore": client})).await;
        // The API sets it to the present moment only, by a logout.
        let set = "update user_account set not_before = $1, version = version + 1 where username = 'alice'";
        assert_eq!(sqlx::query(set).bind(user).execute(&mut database).await.unwrap().rows_affected(), 1);
        let fresh = [realm, client, user].into_iter().all(|not_before| not_before <= issued);
        let case = format!("issued {issued}; realm {realm}, client {client}, user {user}");
        let refreshed = server.refresh(&offline).await;
        if fresh {
            refreshed.granted();
        } else {
            assert_eq!(refreshed.refusal(), (400, "invalid_grant", "Stale token"), "{case}");
        }
        assert_eq!(is_active(&server, &tokens["access_token"]).await, fresh, "{case}");
        assert_eq!(is_active(&server, &tokens["refresh_token"]).await, fresh, "{case}");
        let request = server.http.get(server.endpoint("/userinfo")).bearer_auth(tokens["access_token"].as_str().unwrap());
        assert_eq!(request.send().await.unwrap().status().as_u16(), if fresh { 200 } else { 401 }, "{case}");
    }
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_8922_ghsa_83c4_ffjp_mxp9_a_clients_old_not_before_does_not_hide_the_realms_new_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let_alice_view_users(&admin).await;
    change_backup(&admin, &json!({"notBefore": server.now() - 100})).await;
    let old = server.sign_in(OFFLINE).await;
    assert_eq!(opens(&server, &old).await, PLACES);
    server.advance(Duration::from_secs(5));
    let not_before = server.now();
    admin.set(json!({"notBefore": not_before})).await;
    assert_eq!(opens(&server, &old).await, [""; 0]);
    assert!(!is_active(&server, &old["refresh_token"]).await);
    assert_eq!(server.refresh(&refresh_token(&old)).await.refusal(), (400, "invalid_grant", "Stale token"));
    let new = server.sign_in(OFFLINE).await;
    assert_eq!(new["not-before-policy"], not_before, "and clients are told the later one");
    assert_eq!(opens(&server, &new).await, PLACES);
    server.refresh(&refresh_token(&new)).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn ghsa_wv3h_x6c4_r867_whoever_is_disabled_gets_nothing_from_any_grant() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid offline_access").await;
    let (access, offline) = (tokens["access_token"].as_str().unwrap().to_owned(), refresh_token(&tokens));
    let code = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    server.admin().await.put_user(json!({"enabled": false})).await;
    let password = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
    assert_eq!(server.as_backup("/token", &password).await.status, 400);
    assert_eq!(server.refresh(&offline).await.status, 400);
    let exchange = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    assert_eq!(server.as_backup("/token", &exchange).await.status, 400);
    assert_eq!(server.as_backup("/token/introspect", &[("token", &*access)]).await.body, json!({"active": false}));
    let user_info = server.http.get(server.endpoint("/userinfo")).bearer_auth(&access).send().await.unwrap();
    assert_eq!(user_info.status().as_u16(), 401);
    server.finish().await;
}

#[tokio::test]
async fn ghsa_wv3h_x6c4_r867_a_disabled_service_account_gets_nothing_either() {
    let server = TestServer::start().await;
    let mut held = Vec::new();
    let form = |scope| [("grant_type", "client_credentials"), ("scope", scope)];
    held.push(server.as_backup("/token", &form("openid")).await.granted());
    let_service_account_refresh(&server).await;
    for scope in ["openid", "openid offline_access"] {
        let tokens = server.as_backup("/token", &form(scope)).await.granted();
        server.refresh(&refresh_token(&tokens)).await.granted();
        held.push(tokens);
    }
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let account = admin.get(&format!("/demo/clients/{client}/service-account-user")).await;
    let path = format!("/demo/users/{}", account["id"].as_str().unwrap());
    assert_eq!(admin.call(Method::PUT, &path, Some(&json!({"enabled": false}))).await.status, 204);
    for scope in ["openid", "openid offline_access"] {
        let refused = server.as_backup("/token", &form(scope)).await;
        assert_eq!(refused.refusal(), (401, "invalid_request", "User 'service-account-demo-backup' disabled"));
    }
    for tokens in &held {
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(server.as_backup("/token/introspect", &[("token", access)]).await.body, json!({"active": false}));
        let user_info = server.http.get(server.endpoint("/userinfo")).bearer_auth(access).send().await.unwrap();
        assert_eq!(user_info.status().as_u16(), 401);
    }
    for tokens in &held[1..] {
        let token = refresh_token(tokens);
        assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "User disabled"));
        assert_eq!(server.as_backup("/token/introspect", &[("token", &*token)]).await.body, json!({"active": false}));
    }
    server.finish().await;
}
