//! The realm's password policy, wherever somebody chooses a password.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, DAY, TestServer, database_address};

async fn with_policy(policy: &str) -> TestServer {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"passwordPolicy": policy})).await;
    server
}

async fn reset(server: &TestServer, password: &str) -> Answer {
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/reset-password", admin.alice().await);
    server.advance(Duration::from_secs(1));
    admin.call(Method::PUT, &path, Some(&json!({"type": "password", "value": password}))).await
}

async fn kinds(server: &TestServer) -> Vec<String> {
    let admin = server.admin().await;
    let held = admin.get(&format!("/demo/users/{}/credentials", admin.alice().await)).await;
    held.as_array().unwrap().iter().map(|c| c["type"].as_str().unwrap().to_owned()).collect()
}

fn refused(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.body["error"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn the_last_passwords_are_kept_and_not_taken_again() {
    let server = with_policy("passwordHistory(3)").await;
    for password in ["one", "two", "three"] {
        assert_eq!(reset(&server, password).await.status, 204, "{password}");
    }
    for password in ["one", "two", "three"] {
        assert_eq!(refused(&reset(&server, password).await), (400, "invalidPasswordHistoryMessage"), "{password}");
    }
    assert_eq!(reset(&server, "alice").await.status, 204, "the fourth before is forgotten");
    assert_eq!(kinds(&server).await.iter().filter(|kind| *kind == "password-history").count(), 2);
    server.admin().await.set(json!({"passwordPolicy": "passwordAge(2)"})).await;
    assert_eq!(reset(&server, "new").await.status, 204);
    assert_eq!(refused(&reset(&server, "alice").await), (400, "invalidPasswordGenericMessage"));
    server.advance(3 * DAY);
    assert_eq!(reset(&server, "alice").await.status, 204);
    server.admin().await.set(json!({"passwordPolicy": ""})).await;
    assert_eq!(reset(&server, "alice").await.status, 204);
    assert_eq!(kinds(&server).await, ["password"], "no policy keeps no history");
    server.finish().await;
}

#[tokio::test]
async fn a_password_that_is_too_old_is_changed_at_the_next_sign_in_and_tokens_go_on() {
    let server = with_policy("forceExpiredPasswordChange(30)").await;
    let offline = server.offline_token().await;
    server.advance(29 * DAY);
    server.refresh(&offline).await.granted();
    server.sign_in("openid").await;
    server.advance(2 * DAY);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
    let answer = server.as_backup("/token", &form).await;
    assert_eq!(answer.refusal(), (400, "invalid_grant", "Account is not fully set up"));
    server.refresh(&offline).await.granted();
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("You need to change your password"), "the page asks for a new password");
    let new = [("password-new", "fresh"), ("password-confirm", "fresh")];
    assert!(browser.post(&page.action(), &new).await.parameter("code").is_some());
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "fresh")];
    assert_eq!(server.as_backup("/token", &form).await.status, 200);
    server.finish().await;
}

#[tokio::test]
async fn hashes_follow_the_policy_at_the_next_sign_in() {
    let server = with_policy("hashAlgorithm(pbkdf2-sha256) and hashIterations(1000)").await;
    server.sign_in("openid").await;
    let admin = server.admin().await;
    let held = admin.get(&format!("/demo/users/{}/credentials", admin.alice().await)).await;
    let data: Value = serde_json::from_str(held[0]["credentialData"].as_str().unwrap()).unwrap();
    assert_eq!((&data["algorithm"], &data["hashIterations"]), (&json!("pbkdf2-sha256"), &json!(1_000)));
    server.sign_in("openid").await;
    server.finish().await;
}

#[tokio::test]
async fn it_holds_for_new_users_changed_users_files_and_lists_that_are_not_there() {
    let server = with_policy("length(8)").await;
    let admin = server.admin().await;
    let short = json!({"username": "bob", "credentials": [{"type": "password", "value": "short"}]});
    let answer = admin.call(Method::POST, "/demo/users", Some(&short)).await;
    assert_eq!(refused(&answer), (400, "invalidPasswordMinLengthMessage"));
    let path = format!("/demo/users/{}", admin.alice().await);
    let answer = admin.call(Method::PUT, &path, Some(&json!({"credentials": short["credentials"]}))).await;
    assert_eq!(refused(&answer), (400, "invalidPasswordMinLengthMessage"));
    for (realm, text) in [
        (json!({"realm": "n", "passwordPolicy": "length(8)", "users": [short]}), "Password policy not met. See logs for details"),
        (json!({"realm": "n", "passwordPolicy": "nonsense"}), "Password policy not found"),
    ] {
        let answer = admin.call(Method::POST, "", Some(&realm)).await;
        assert_eq!((answer.status, answer.body["errorMessage"].as_str()), (400, Some(text)));
    }
    let list = admin.call(Method::PUT, "/demo", Some(&json!({"passwordPolicy": "passwordBlacklist(none.txt)"}))).await;
    assert_eq!(list.status, 400, "{:?}", list.body);
    server.finish().await;
}

/// Versions before kept any text as a policy. Whoever has a password comes in all the same; nobody sets one until it is put right.
#[tokio::test]
async fn a_policy_that_cannot_be_read_keeps_nobody_out() {
    let server = TestServer::start().await;
    let mut connection = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let broken =
        r#"update realm set settings = settings || '{"passwordPolicy": "passwordHistoryDays(3)"}', version = version + 1"#;
    sqlx::query(broken).execute(&mut connection).await.unwrap();
    server.sign_in("openid").await;
    assert_eq!(reset(&server, "new").await.status, 500);
    server.admin().await.set(json!({"displayName": "still changed"})).await;
    server.admin().await.set(json!({"passwordPolicy": "length(3)"})).await;
    assert_eq!(reset(&server, "new").await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn history_is_kept_of_a_user_whose_file_has_two_passwords() {
    let server = TestServer::start().await;
    let two = json!([{"type": "password", "value": "one"}, {"type": "password", "value": "two"}]);
    let realm = json!({"realm": "n", "passwordPolicy": "passwordHistory(2)", "users": [{"username": "bob", "credentials": two}]});
    let admin = server.admin().await;
    assert_eq!(admin.call(Method::POST, "", Some(&realm)).await.status, 201);
    let id = admin.get("/n/users").await[0]["id"].as_str().unwrap().to_owned();
    let new = json!({"type": "password", "value": "three"});
    assert_eq!(admin.call(Method::PUT, &format!("/n/users/{id}/reset-password"), Some(&new)).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn a_file_that_names_a_list_which_is_not_there_is_refused() {
    let server = TestServer::start().await;
    let realm = json!({"realm": "n", "passwordPolicy": "passwordBlacklist(none.txt)"});
    let answer = server.admin().await.call(Method::POST, "", Some(&realm)).await;
    let text = "Invalid config for passwordBlacklist: Password blacklist not found";
    assert_eq!((answer.status, &answer.body["errorMessage"]), (400, &json!(text)));
    server.finish().await;
}
