//! One-time codes: the second step of a sign-in, in a browser and in the password grant.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;
use sqlx::{Connection, PgConnection};

use crate::races::{connection, until_waiting};
use crate::rotation::futures;
use crate::support::{Answer, Browser, Shown, TestServer, database_address};

const SECRET: &str = "abcdefghijklmnopqrst";

/// RFC 6238, written down a second time.
fn code_at(secret: &str, seconds: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&(seconds / 30).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// A realm `otp` whose user `alice` has a device.
async fn with_device(more: Value) -> TestServer {
    let server = TestServer::start().await;
    let data = json!({"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}).to_string();
    let device =
        json!({"type": "otp", "userLabel": "phone", "secretData": json!({"value": SECRET}).to_string(), "credentialData": data});
    let mut realm = json!({
        "realm": "otp", "enabled": true, "eventsEnabled": true,
        "users": [{"username": "alice", "enabled": true, "email": "a@example.org", "firstName": "A", "lastName": "B",
                   "realmRoles": ["default-roles-otp"], "credentials": [{"type": "password", "value": "alice"}, device]}],
        "clients": [{"clientId": "app", "secret": "s", "directAccessGrantsEnabled": true, "redirectUris": ["http://localhost:3000/cb"]}],
    });
    realm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = server.admin().await.call(Method::POST, "", Some(&realm)).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    server
}

async fn grant(server: &TestServer, password: &str, code: Option<&str>) -> Answer {
    let mut form = vec![("grant_type", "password"), ("username", "alice"), ("password", password)];
    form.extend(code.map(|code| ("totp", code)));
    let request = server.http.post(server.realm("otp", "/protocol/openid-connect/token")).basic_auth("app", Some("s"));
    Answer::of(request.form(&form).send().await.unwrap()).await
}

/// The page that comes after the password.
async fn after_password(server: &TestServer, browser: &Browser<'_>, username: &str) -> Shown {
    let query = "client_id=app&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb";
    let form = browser.get(&server.realm("otp", &format!("/protocol/openid-connect/auth?{query}"))).await;
    browser.post(&form.action(), &[("username", username), ("password", username)]).await
}

const WRONG: (u16, &str, &str) = (400, "invalid_grant", "Invalid user credentials");

#[tokio::test]
async fn the_password_alone_opens_nothing_and_a_code_works_once() {
    let server = with_device(json!({})).await;
    assert_eq!(grant(&server, "alice", None).await.refusal(), WRONG);
    assert_eq!(grant(&server, "alice", Some("000000")).await.refusal(), WRONG);
    let code = code_at(SECRET, server.now());
    assert_eq!(grant(&server, "wrong", Some(&code)).await.refusal(), WRONG);
    assert_eq!(grant(&server, "alice", Some(&code)).await.status, 200);
    assert_eq!(grant(&server, "alice", Some(&code)).await.refusal(), WRONG, "the same code again");
    server.advance(Duration::from_secs(30));
    assert_eq!(grant(&server, "alice", Some(&code)).await.refusal(), WRONG, "within the window, and used");
    assert_eq!(grant(&server, "alice", Some(&code_at(SECRET, server.now()))).await.status, 200);
    server.finish().await;
}

#[tokio::test]
async fn the_page_asks_for_the_code_and_the_user_who_has_it_comes_in() {
    let server = with_device(json!({})).await;
    let browser = server.browser();
    let page = after_password(&server, &browser, "alice").await;
    assert!(page.says("One-time code") && page.says("alice"));
    let page = browser.post(&page.action(), &[("otp", "000000")]).await;
    assert!(page.says("Invalid authenticator code."));
    let action = page.action();
    // The password's form does not lead around the code, and neither does the form of before.
    let code = code_at(SECRET, server.now());
    let back = browser.post(&action, &[("otp", &code)]).await;
    assert!(back.parameter("code").is_some());
    let again = browser.post(&action, &[("otp", &code)]).await;
    assert!(again.parameter("code").is_none(), "a form works once");
    server.finish().await;
}

#[tokio::test]
async fn a_password_form_does_not_answer_for_the_code() {
    let server = with_device(json!({})).await;
    let browser = server.browser();
    let page = after_password(&server, &browser, "alice").await;
    for form in [
        &[("username", "alice"), ("password", "alice")][..],
        &[("otp", "")][..],
        &[("otp", "1"), ("selectedCredentialId", "none")][..],
    ] {
        let page = browser.post(&page.action(), form).await;
        assert!(page.parameter("code").is_none(), "{form:?}");
    }
    server.finish().await;
}

#[tokio::test]
async fn guessed_codes_lock_the_user_although_the_password_is_right() {
    let server = with_device(json!({"bruteForceProtected": true, "failureFactor": 3, "quickLoginCheckMilliSeconds": 0})).await;
    for _ in 0..3 {
        assert_eq!(grant(&server, "alice", Some("000000")).await.refusal(), WRONG);
    }
    let code = code_at(SECRET, server.now());
    assert_eq!(grant(&server, "alice", Some(&code)).await.refusal(), WRONG, "locked");
    server.advance(Duration::from_secs(61));
    let code = code_at(SECRET, server.now());
    assert_eq!(grant(&server, "alice", Some(&code)).await.status, 200);
    server.finish().await;
}

#[tokio::test]
async fn a_user_who_is_asked_to_sets_up_a_device_and_needs_it_from_then_on() {
    let user = json!({"username": "bob", "enabled": true, "email": "b@example.org", "firstName": "B", "lastName": "B",
                      "requiredActions": ["CONFIGURE_TOTP"], "credentials": [{"type": "password", "value": "bob"}]});
    let server = with_device(json!({})).await;
    let admin = server.admin().await;
    assert_eq!(admin.call(Method::POST, "/otp/users", Some(&user)).await.status, 201);
    let browser = server.browser();
    let page = after_password(&server, &browser, "bob").await;
    assert!(page.says("Mobile Authenticator Setup"));
    let secret = page.hidden()["totpSecret"].clone();
    let page = browser.post(&page.action(), &[("totpSecret", &secret), ("totp", "000000"), ("userLabel", "x")]).await;
    assert!(page.says("Invalid authenticator code."));
    assert_eq!(page.hidden()["totpSecret"], secret, "the authenticator has it already");
    let page = browser.post(&page.action(), &[("totpSecret", "x"), ("totp", &code_at("x", server.now()))]).await;
    assert!(page.parameter("code").is_none(), "a secret of somebody's choice is none");
    let secret = page.hidden()["totpSecret"].clone();
    let code = code_at(&secret, server.now());
    let done = browser.post(&page.action(), &[("totpSecret", &secret), ("totp", &code), ("userLabel", "my phone")]).await;
    assert!(done.parameter("code").is_some());
    let id = admin.get("/otp/users?username=bob&exact=true").await[0]["id"].as_str().unwrap().to_owned();
    let held = admin.get(&format!("/otp/users/{id}/credentials")).await;
    let device = held.as_array().unwrap().iter().find(|c| c["type"] == "otp").unwrap().clone();
    assert_eq!((&device["userLabel"], device.get("secretData")), (&json!("my phone"), None));
    assert_eq!(admin.get(&format!("/otp/users/{id}")).await["totp"], true);
    let page = after_password(&server, &server.browser(), "bob").await;
    assert!(page.says("One-time code"));
    let events = admin.get("/otp/events?type=UPDATE_TOTP").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    server.finish().await;
}

/// The realm is changed while the grant runs: it is decided anew, and the code that proved the user is not lost by that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_is_decided_anew_does_not_cost_its_code() {
    let server = with_device(json!({"bruteForceProtected": true, "failureFactor": 2, "quickLoginCheckMilliSeconds": 0})).await;
    let stop = Arc::new(AtomicBool::new(false));
    let (address, stopped) = (database_address(&server.database), Arc::clone(&stop));
    let busy = tokio::spawn(async move {
        let mut connection = PgConnection::connect(&address).await.unwrap();
        while !stopped.load(Ordering::Relaxed) {
            sqlx::query("update realm set version = version + 1").execute(&mut connection).await.unwrap();
        }
    });
    for _ in 0..10 {
        server.advance(Duration::from_secs(30));
        let code = code_at(SECRET, server.now());
        let answer = grant(&server, "alice", Some(&code)).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        assert_eq!(grant(&server, "alice", Some(&code)).await.refusal(), WRONG, "and it works once");
        // What was counted of the second use is forgotten by the next right code.
    }
    stop.store(true, Ordering::Relaxed);
    busy.await.unwrap();
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_code_that_comes_many_times_at_once_one_opens() {
    let server = with_device(json!({})).await;
    let code = code_at(SECRET, server.now());
    let answers = futures((0..8).map(|_| grant(&server, "alice", Some(&code)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    server.finish().await;
}

/// A realm that lets codes by time come again means those, and not the codes of a device that counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_by_counter_comes_once_whatever_the_realm_says_of_others() {
    let server = TestServer::start().await;
    let data = json!({"subType": "hotp", "digits": 6, "counter": 0, "algorithm": "HmacSHA1"}).to_string();
    let device = json!({"type": "otp", "secretData": json!({"value": SECRET}).to_string(), "credentialData": data});
    let realm = json!({
        "realm": "otp", "enabled": true, "otpPolicyCodeReusable": true,
        "users": [{"username": "alice", "enabled": true, "email": "a@example.org", "firstName": "A", "lastName": "B",
                   "realmRoles": ["default-roles-otp"], "credentials": [{"type": "password", "value": "alice"}, device]}],
        "clients": [{"clientId": "app", "secret": "s", "directAccessGrantsEnabled": true}],
    });
    assert_eq!(server.admin().await.call(Method::POST, "", Some(&realm)).await.status, 201);
    let first = code_at(SECRET, 0);
    let (mut holder, mut watch) = (connection(&server).await, connection(&server).await);
    // Both have found the code right before either takes it.
    sqlx::raw_sql("begin; select 1 from credential for update").execute(&mut holder).await.unwrap();
    let release = async {
        until_waiting(&mut watch, 2).await;
        sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    };
    let both = futures((0..2).map(|_| grant(&server, "alice", Some(&first))));
    let (answers, ()) = tokio::join!(both, release);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(grant(&server, "alice", Some(&code_at(SECRET, 30))).await.status, 200, "the next one");
    server.finish().await;
}

#[tokio::test]
async fn a_user_who_removes_the_own_device_is_told_of_in_the_events_and_history_stays() {
    let server = with_device(json!({"passwordPolicy": "passwordHistory(3)"})).await;
    let admin = server.admin().await;
    let id = admin.get("/otp/users?username=alice&exact=true").await[0]["id"].as_str().unwrap().to_owned();
    let new = json!({"type": "password", "value": "second"});
    assert_eq!(admin.call(Method::PUT, &format!("/otp/users/{id}/reset-password"), Some(&new)).await.status, 204);
    let code = code_at(SECRET, server.now());
    let token = grant(&server, "second", Some(&code)).await.granted()["access_token"].as_str().unwrap().to_owned();
    let held = admin.get(&format!("/otp/users/{id}/credentials")).await;
    let of = |kind: &str| {
        let found = held.as_array().unwrap().iter().find(|c| c["type"] == kind).unwrap();
        server.realm("otp", &format!("/account/credentials/{}", found["id"].as_str().unwrap()))
    };
    let remove = async |address: String| server.http.delete(address).bearer_auth(&token).send().await.unwrap().status().as_u16();
    assert_eq!((remove(of("password")).await, remove(of("password-history")).await), (400, 400));
    assert_eq!(remove(of("otp")).await, 204);
    let events = admin.get("/otp/events?type=REMOVE_TOTP").await;
    assert_eq!((events.as_array().unwrap().len(), &events[0]["userId"]), (1, &json!(id)));
    assert_eq!(grant(&server, "second", None).await.status, 200);
    server.finish().await;
}

#[tokio::test]
async fn settings_by_which_nobody_could_set_up_a_device_are_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    for (setting, value) in [("otpPolicyDigits", json!(4)), ("otpPolicyPeriod", json!(0)), ("otpPolicyAlgorithm", json!("none"))]
    {
        let answer = admin.call(Method::PUT, "/demo", Some(&json!({ setting: value }))).await;
        assert_eq!((answer.status, &answer.body["errorMessage"]), (400, &json!(format!("Invalid value for {setting}"))));
        let answer = admin.call(Method::POST, "", Some(&json!({"realm": "n", setting: value}))).await;
        assert_eq!((answer.status, &answer.body["errorMessage"]), (400, &json!(format!("Invalid value for {setting}"))));
    }
    server.finish().await;
}
