//! One-time codes: the second step of a sign-in, in a browser and in the password grant.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::support::{Answer, Browser, Shown, TestServer};

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
