//! Wrong passwords lock a user for a while. What was granted before goes on: a stranger's guesses stop no job at night.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::races::{connection, until_waiting};
use crate::support::{Answer, TestServer, refresh_token};

const WRONG: (u16, &str, &str) = (400, "invalid_grant", "Invalid user credentials");

/// The demo realm with three tries, and no penalty for quick ones.
async fn guarded(more: Value) -> TestServer {
    let server = TestServer::start().await;
    let mut settings = json!({
        "bruteForceProtected": true, "failureFactor": 3, "waitIncrementSeconds": 60, "quickLoginCheckMilliSeconds": 0,
        "eventsEnabled": true,
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.admin().await.set(settings).await;
    server
}

async fn try_password(server: &TestServer, password: &str) -> Answer {
    let form = [("grant_type", "password"), ("username", "alice"), ("password", password), ("scope", "openid")];
    server.as_backup("/token", &form).await
}

async fn lock(server: &TestServer) {
    for _ in 0..3 {
        assert_eq!(try_password(server, "wrong").await.refusal(), WRONG);
    }
}

async fn status(server: &TestServer) -> Value {
    let admin = server.admin().await;
    admin.get(&format!("/demo/attack-detection/brute-force/users/{}", admin.alice().await)).await
}

#[tokio::test]
async fn three_wrong_passwords_lock_for_a_minute_and_nobody_is_told() {
    let server = guarded(json!({})).await;
    lock(&server).await;
    assert_eq!(try_password(&server, "alice").await.refusal(), WRONG, "as if it were wrong");
    assert_eq!(try_password(&server, "wrong").await.refusal(), WRONG);
    let told = status(&server).await;
    assert_eq!((&told["disabled"], &told["numFailures"], &told["numTemporaryLockouts"]), (&json!(true), &json!(3), &json!(1)));
    assert_eq!(told["failedLoginNotBefore"], server.now() + 60, "a guess while locked does not prolong it");
    server.advance(Duration::from_secs(59));
    assert_eq!(try_password(&server, "alice").await.refusal(), WRONG);
    server.advance(Duration::from_secs(1));
    assert_eq!(try_password(&server, "alice").await.status, 200);
    assert_eq!(status(&server).await["numFailures"], 0, "a right password forgets the wrong ones");
    let events = server.admin().await.get("/demo/events?type=USER_DISABLED_BY_TEMPORARY_LOCKOUT").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(events[0]["details"]["num_failures"], "3");
    let locked = server.admin().await.get("/demo/events?type=LOGIN_ERROR").await;
    let words: Vec<_> = locked.as_array().unwrap().iter().map(|e| e["error"].as_str().unwrap()).collect();
    assert_eq!(words.iter().filter(|w| **w == "user_temporarily_disabled").count(), 3, "{words:?}");
    server.finish().await;
}

#[tokio::test]
async fn what_was_granted_before_a_lock_goes_on_and_nothing_new_opens() {
    let server = guarded(json!({})).await;
    let offline = server.offline_token().await;
    let online = server.sign_in("openid").await;
    let browser = server.browser();
    let code = browser.sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    let second = browser.get(&server.authorization("demo-backup", &[("scope", "openid offline_access")])).await;
    let offline_code = second.parameter("code").unwrap();
    lock(&server).await;
    server.refresh(&offline).await.granted();
    server.refresh(&refresh_token(&online)).await.granted();
    let access = online["access_token"].as_str().unwrap();
    assert_eq!(server.http.get(server.endpoint("/userinfo")).bearer_auth(access).send().await.unwrap().status(), 200);
    let exchange = async |code: &str| {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://localhost:3000/cb")];
        server.as_backup("/token", &form).await
    };
    exchange(&code).await.granted();
    assert_eq!(exchange(&offline_code).await.refusal(), (400, "invalid_grant", "User temporarily disabled"));
    let page = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("Invalid username or password."), "the page does not tell a lock from a wrong password");
    server.finish().await;
}

#[tokio::test]
async fn guesses_sent_all_at_once_do_not_get_by() {
    let server = guarded(json!({})).await;
    let mut guesses = JoinSet::new();
    for n in 0..24 {
        let password = if n == 23 { "alice".to_owned() } else { format!("wrong {n}") };
        let request = server.http.post(server.endpoint("/token")).basic_auth("demo-backup", Some("demo-backup-secret"));
        let form = [("grant_type", "password"), ("username", "alice")].map(|(name, value)| (name, value.to_owned()));
        let form: Vec<(&str, String)> = form.into_iter().chain([("password", password)]).collect();
        guesses.spawn(async move { request.form(&form).send().await.unwrap().status().as_u16() });
    }
    let granted = guesses.join_all().await.into_iter().filter(|status| *status == 200).count();
    // The right one counts if it came among the first; it forgets those before it.
    assert!(granted <= 1);
    let told = status(&server).await;
    assert_eq!((&told["disabled"], &told["numFailures"]), (&json!(true), &json!(3)), "counted one by one, and no more than lock");
    server.finish().await;
}

#[tokio::test]
async fn an_administrator_lets_a_user_in_again_and_it_is_noted() {
    let server = guarded(json!({"adminEventsEnabled": true})).await;
    lock(&server).await;
    let admin = server.admin().await;
    let path = format!("/demo/attack-detection/brute-force/users/{}", admin.alice().await);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(try_password(&server, "alice").await.status, 200);
    lock(&server).await;
    assert_eq!(admin.delete("/demo/attack-detection/brute-force/users").await.status, 204);
    assert_eq!(try_password(&server, "alice").await.status, 200);
    let noted = admin.get("/demo/admin-events?resourceTypes=USER_LOGIN_FAILURE").await;
    assert_eq!(noted.as_array().unwrap().len(), 2);
    server.finish().await;
}

#[tokio::test]
async fn a_permanent_lock_disables_the_user_until_an_administrator_enables_it() {
    let server = guarded(json!({"permanentLockout": true})).await;
    lock(&server).await;
    let admin = server.admin().await;
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    assert_eq!((&user["enabled"], &user["attributes"]["disabledReason"]), (&json!(false), &json!(["permanentLockout"])));
    assert_eq!(status(&server).await["failedLoginNotBefore"], i64::MAX);
    server.advance(Duration::from_secs(86_400));
    assert_eq!(try_password(&server, "alice").await.refusal(), WRONG);
    server.admin().await.put_user(json!({"enabled": true})).await;
    assert_eq!(try_password(&server, "alice").await.status, 200);
    let admin = server.admin().await;
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    assert_eq!((&user["enabled"], user["attributes"].get("disabledReason")), (&json!(true), None));
    server.finish().await;
}

#[tokio::test]
async fn names_that_nobody_has_are_not_counted_and_nonsense_is_answered() {
    let server = guarded(json!({})).await;
    for _ in 0..5 {
        let form = [("grant_type", "password"), ("username", "nobody"), ("password", "wrong")];
        assert_eq!(server.as_backup("/token", &form).await.refusal(), WRONG);
    }
    let admin = server.admin().await;
    for id in ["nobody", "%00", "x'y"] {
        let path = format!("/demo/attack-detection/brute-force/users/{id}");
        let answer = admin.call(Method::GET, &path, None).await;
        assert!(matches!(answer.status, 200 | 400), "{id}: {}", answer.status);
        assert!(matches!(admin.delete(&path).await.status, 204 | 400), "{id}");
    }
    server.finish().await;
}

/// A right password that waits behind the failure that locks is refused: the lock was there first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_password_that_waits_behind_the_failure_that_locks_is_refused() {
    let server = guarded(json!({})).await;
    try_password(&server, "wrong").await;
    let mut failing = connection(&server).await;
    let mut watch = connection(&server).await;
    // The third failure, in the middle of its transaction.
    let until = server.now() + 60;
    let count = format!("begin; update login_failure set failures = 3, locked_until = to_timestamp({until})");
    sqlx::raw_sql(sqlx::AssertSqlSafe(count)).execute(&mut failing).await.unwrap();
    let commit = async {
        until_waiting(&mut watch, 1).await;
        sqlx::raw_sql("commit").execute(&mut failing).await.unwrap();
    };
    let (answer, ()) = tokio::join!(try_password(&server, "alice"), commit);
    assert_eq!(answer.refusal(), WRONG);
    assert_eq!(status(&server).await["disabled"], true);
    server.finish().await;
}

#[tokio::test]
async fn a_user_whom_an_administrator_disabled_stays_the_administrators_to_enable() {
    let server = guarded(json!({"permanentLockout": true})).await;
    server.admin().await.put_user(json!({"enabled": false})).await;
    lock(&server).await;
    let admin = server.admin().await;
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    assert_eq!((&user["enabled"], user.get("attributes").and_then(|a| a.get("disabledReason"))), (&json!(false), None));
    let events = admin.get("/demo/events?type=USER_DISABLED_BY_PERMANENT_LOCKOUT").await;
    assert_eq!(events, json!([]));
    server.finish().await;
}
