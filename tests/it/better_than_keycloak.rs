//! Where this server answers otherwise than Keycloak on purpose (`tests/oracle/deviations`): what it answers instead. And what
//! Keycloak's users found broken, by the numbers of its issues.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nightlatch::oidc::token_id::generation_of;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::rotation::futures;
use crate::support::{Answer, Shown, TestServer, claims, database_address, refresh_token};

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
    assert_eq!(admin.call(Method::PUT, &path, None).await.status, 204);
    assert_eq!((user_info(&server, token).await.0, is_active(&server, token).await), (200, json!(true)));
    let roles = json!([admin.get("/demo/roles/default-roles-demo").await]);
    let path = format!("/demo/users/{}/role-mappings/realm", admin.alice().await);
    assert_eq!(admin.call(Method::DELETE, &path, Some(&roles)).await.status, 204);
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
    assert_eq!(admin.call(Method::DELETE, &path, Some(&roles)).await.status, 204);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "offline_access")];
    let client = admin.client("demo-backup").await;
    let origins = json!({"clientId": "demo-backup", "webOrigins": ["https://app.example"]});
    assert_eq!(admin.call(Method::PUT, &format!("/demo/clients/{client}"), Some(&origins)).await.status, 204);
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

const OFFLINE: &str = "openid offline_access";

async fn rotating(mode: &str) -> TestServer {
    let server = TestServer::start().await;
    let settings = json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0, "eventsEnabled": true,
        "enabledEventTypes": ["REFRESH_TOKEN_ERROR"], "attributes": {"nightlatch.refresh.token.rotation": mode}});
    server.admin().await.set(settings).await;
    server
}

/// Changes the client `demo-backup` where it says so.
async fn change_backup(server: &TestServer, change: impl FnOnce(&mut Value)) {
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let mut client = admin.get(&path).await;
    change(&mut client);
    assert_eq!(admin.call(Method::PUT, &path, Some(&client)).await.status, 204);
}

/// The backup client's own account gets refresh tokens as a user does.
pub async fn let_service_account_refresh(server: &TestServer) {
    change_backup(server, |client| client["attributes"]["client_credentials.use_refresh_token"] = json!("true")).await;
}

/// The tokens for the code that a browser came back with.
async fn exchange(server: &TestServer, (client, secret): (&str, &str), back: &Shown) -> Value {
    let code = back.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    let request = server.http.post(server.endpoint("/token")).basic_auth(client, Some(secret)).form(&form);
    Answer::of(request.send().await.unwrap()).await.granted()
}

const BACKUP: (&str, &str) = ("demo-backup", "demo-backup-secret");

/// Keycloak told generations apart by `iat`, which has whole seconds.
#[tokio::test]
async fn keycloak_50999_three_rotations_in_one_second_keep_three_generations() {
    for mode in ["strict", "graceful"] {
        let server = rotating(mode).await;
        let mut tokens = vec![server.offline_token().await];
        for _ in 0..3 {
            let answer = server.refresh(tokens.last().unwrap()).await.granted();
            tokens.push(refresh_token(&answer));
        }
        let told = tokens.iter().map(|token| claims(&json!(token)));
        let told: Vec<_> = told.map(|c| (generation_of(c["jti"].as_str().unwrap()), c["iat"].as_i64().unwrap())).collect();
        assert_eq!(told, [0, 1, 2, 3].map(|generation| (generation, server.now())), "{mode}");
        server.advance(Duration::from_secs(31));
        assert_eq!(server.refresh(&tokens[0]).await.refusal(), (400, "invalid_grant", "Stale token"), "{mode}");
        assert_eq!(server.refresh(&tokens[3]).await.refusal().2, "Session doesn't have required client", "{mode}");
        server.finish().await;
    }
}

/// Keycloak counted uses on a session that some grants made for the one exchange only.
#[tokio::test]
async fn keycloak_52666_a_used_token_is_refused_whichever_grant_it_comes_from() {
    let server = rotating("strict").await;
    let_service_account_refresh(&server).await;
    for scope in ["openid", OFFLINE] {
        let code = server.browser().sign_in("demo-backup", &[("scope", scope)]).await.parameter("code").unwrap();
        let grants: [&[(&str, &str)]; 3] = [
            &[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", "http://localhost:3000/cb")],
            &[("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", scope)],
            &[("grant_type", "client_credentials"), ("scope", scope)],
        ];
        for grant in grants {
            let first = refresh_token(&server.as_backup("/token", grant).await.granted());
            let second = refresh_token(&server.refresh(&first).await.granted());
            let again = [("grant_type", "refresh_token"), ("refresh_token", &*first), ("scope", "openid")];
            for answer in [server.as_backup("/token", &again).await, server.refresh(&first).await] {
                assert_eq!((answer.status, answer.refusal().1), (400, "invalid_grant"), "{grant:?}");
            }
            assert_eq!(server.refresh(&second).await.refusal().1, "invalid_grant", "{grant:?}: it was a theft");
        }
    }
    server.finish().await;
}

/// Keycloak's `AbstractRefreshTokenProvider` once rolled the removal back along with the request that it refused.
#[tokio::test]
async fn keycloak_rollback_of_detach_a_theft_has_ended_the_part_whatever_fails_afterwards() {
    for scope in ["openid", OFFLINE] {
        let server = rotating("strict").await;
        let first = refresh_token(&server.sign_in(scope).await);
        let second = refresh_token(&server.refresh(&first).await.granted());
        let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
        // The event of the refusal cannot be written.
        sqlx::raw_sql("alter table event rename to event_away").execute(&mut database).await.unwrap();
        let refused = server.refresh(&first).await;
        assert_eq!(refused.refusal(), (400, "invalid_grant", "Maximum allowed refresh token reuse exceeded"));
        let left = "select (select count(*) from client_session where session_id = $1),
                           (select count(*) from chain where session_id = $1)";
        let session = claims(&json!(first))["sid"].as_str().unwrap().to_owned();
        let left: (i64, i64) = sqlx::query_as(left).bind(&session).fetch_one(&mut database).await.unwrap();
        assert_eq!(left, (0, 0), "{scope}: parts and chains");
        sqlx::raw_sql("alter table event_away rename to event").execute(&mut database).await.unwrap();
        assert_eq!(server.refresh(&second).await.refusal(), (400, "invalid_grant", "Session doesn't have required client"));
        server.finish().await;
    }
}

/// Sessions of long ago got tokens that had expired before they were issued.
#[tokio::test]
async fn keycloak_39021_no_token_expires_before_it_is_issued() {
    let server = TestServer::start().await;
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let mut wrong = Vec::new();
    // The realm's setting, and the client's own.
    let rows = [(-1, ""), (300, "-1"), (300, "300")].map(|(realm, own)| [(realm, own, false), (realm, own, true)]);
    for (realm, own, limited) in rows.into_iter().flatten() {
        let settings =
            json!({"accessTokenLifespan": realm, "ssoSessionMaxLifespan": 36_000, "offlineSessionMaxLifespanEnabled": limited});
        server.admin().await.set(settings).await;
        change_backup(&server, |client| client["attributes"]["access.token.lifespan"] = json!(own)).await;
        let (recent, ancient) = (server.offline_token().await, server.offline_token().await);
        // As brought along from a server that is older than this one.
        let sid = claims(&json!(ancient))["sid"].as_str().unwrap().to_owned();
        for table in ["session", "client_session"] {
            let age = format!("update {table} set started_at = '2009-02-13 23:31:30Z' where session_id = '{sid}'");
            sqlx::raw_sql(sqlx::AssertSqlSafe(age)).execute(&mut database).await.unwrap();
        }
        server.advance(Duration::from_secs(39_600));
        for (age, token) in [("11 hours", recent), ("of 2009", ancient)] {
            let answer = server.refresh(&token).await;
            if limited && age == "of 2009" {
                assert_eq!(answer.refusal().1, "invalid_grant", "{age}, limited: it has lapsed");
                continue;
            }
            let tokens = answer.granted();
            let time = |name: &str, claim: &str| claims(&tokens[name])[claim].as_i64().unwrap();
            let lasts = |name: &str| time(name, "exp") - time(name, "iat");
            let told = [tokens["expires_in"].as_i64().unwrap(), lasts("access_token"), lasts("id_token")];
            if told.iter().any(|seconds| *seconds <= 0) || tokens["refresh_expires_in"].as_i64().unwrap() < 0 {
                wrong.push(format!("realm {realm}, client {own:?}, limited {limited}, {age}: {told:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    server.finish().await;
}

#[tokio::test]
async fn keycloak_52018_an_offline_login_takes_nothing_from_the_session_that_the_browser_is_in() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-partner").await);
    assert_eq!(admin.call(Method::PUT, &path, Some(&json!({"consentRequired": false}))).await.status, 204);
    let browser = server.browser();
    let partner = ("demo-partner", "demo-partner-secret");
    let online = exchange(&server, partner, &browser.sign_in("demo-partner", &[("scope", "openid")]).await).await;
    // The browser passes without a question, and another client may act offline from now on.
    let back = browser.get(&server.authorization("demo-backup", &[("scope", OFFLINE)])).await;
    let offline = exchange(&server, BACKUP, &back).await;
    let sid = claims(&online["access_token"])["sid"].clone();
    assert_eq!(claims(&offline["access_token"])["sid"], sid);
    let silent = browser.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert!(silent.parameter("code").is_some(), "{}", silent.address);
    let again = [("grant_type", "refresh_token"), ("refresh_token", &*refresh_token(&online))];
    let request = server.http.post(server.endpoint("/token")).basic_auth(partner.0, Some(partner.1)).form(&again);
    Answer::of(request.send().await.unwrap()).await.granted();
    server.refresh(&refresh_token(&offline)).await.granted();
    let user = format!("/demo/users/{}", admin.alice().await);
    let sessions = admin.get(&format!("{user}/sessions")).await;
    let offline_sessions = admin.get(&format!("{user}/offline-sessions/{}", admin.client("demo-backup").await)).await;
    for rows in [sessions, offline_sessions] {
        let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
        assert_eq!(ids, std::slice::from_ref(&sid));
    }
    server.finish().await;
}

/// As Keycloak since 26.1: whoever asks for offline access first, and for nothing else, is not signed in.
#[tokio::test]
async fn keycloak_52018_an_offline_login_that_comes_first_leaves_the_browser_signed_out() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let offline = exchange(&server, BACKUP, &browser.sign_in("demo-backup", &[("scope", OFFLINE)]).await).await;
    let silent = browser.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"));
    server.refresh(&refresh_token(&offline)).await.granted();
    server.finish().await;
}

/// A node on a runtime of its own, which is pulled from under it.
struct Doomed {
    runtime: Mutex<Option<tokio::runtime::Runtime>>,
    base: String,
}

impl Doomed {
    async fn on(database: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let database = database.to_owned();
        let started = runtime.spawn(async move {
            let node = TestServer::on(&database, 2).await;
            let base = node.base.clone();
            // It lives as long as the runtime does.
            tokio::spawn(async move {
                let _node = node;
                std::future::pending::<()>().await;
            });
            base
        });
        Self { base: started.await.unwrap(), runtime: Mutex::new(Some(runtime)) }
    }

    /// Whatever it was about to answer, it does not.
    fn kill(&self) {
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Refreshes at the node with this address, as if it stood in for the server; nothing if nobody answers to the end.
async fn refresh_at(server: &TestServer, base: &str, token: &str) -> reqwest::Result<(u16, Value)> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let request = server.http.post(server.endpoint("/token").replace(&server.base, base)).header("host", server.host());
    let answer = request.basic_auth(BACKUP.0, Some(BACKUP.1)).form(&form).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// Keycloak lost sessions with the pod that cached them (#40483, #9959 likewise).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keycloak_44821_a_node_that_dies_under_load_takes_no_session_along() {
    let server = rotating("graceful").await;
    let doomed = Doomed::on(&server.database).await;
    let (answered, unanswered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let tokens = futures((0..8).map(|_| server.offline_token())).await;
    let work = async |mut token: String| {
        for turn in 0..30 {
            let first = if turn % 2 == 0 { refresh_at(&server, &doomed.base, &token).await.ok() } else { None };
            let (status, body) = match first {
                Some(answer) => answer,
                None => {
                    unanswered.fetch_add(usize::from(turn % 2 == 0), Ordering::Relaxed);
                    refresh_at(&server, &server.base, &token).await.unwrap()
                }
            };
            assert_eq!(status, 200, "{body}");
            token = refresh_token(&body);
            if answered.fetch_add(1, Ordering::Relaxed) == 100 {
                doomed.kill();
            }
        }
        generation_of(claims(&json!(token))["jti"].as_str().unwrap())
    };
    assert_eq!(futures(tokens.into_iter().map(&work)).await, [30; 8], "a step for each answer");
    assert!(unanswered.load(Ordering::Relaxed) > 0, "nobody noticed that it died");
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 8);
    server.finish().await;
}
