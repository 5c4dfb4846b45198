//! Sign-in and logout in a browser without JavaScript.

use std::time::Duration;

use serde_json::json;

use crate::support::{TestServer, header};

#[tokio::test]
async fn a_user_signs_in_once_for_all_clients_and_out_again() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let back = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    assert_eq!(back.parameter("iss"), Some(server.realm("demo", "")));
    let again = browser.get(&server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "none")])).await;
    assert!(again.parameter("code").is_some(), "{}", again.address);
    let asked = browser.get(&server.endpoint("/logout")).await;
    let code = asked.hidden()["session_code"].clone();
    let done = browser.post(&asked.action(), &[("session_code", code.as_str()), ("confirmLogout", "Logout")]).await;
    assert!(done.says("You are logged out"), "{}", done.html);
    let after = browser.get(&server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "none")])).await;
    assert_eq!(after.parameter("error").as_deref(), Some("login_required"));
    server.finish().await;
}

#[tokio::test]
async fn a_form_that_is_sent_twice_repeats_nothing() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.get(&server.authorization("demo-backup", &[])).await;
    let form = [("username", "alice"), ("password", "wrong")];
    let first = browser.post(&page.action(), &form).await;
    assert!(first.says("Invalid username or password."));
    let second = browser.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(second.parameter("code").is_none(), "the code of a form works once");
    let third = browser.post(&second.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(third.parameter("code").is_some(), "and the page that is shown instead works");
    server.finish().await;
}

#[tokio::test]
async fn a_page_that_was_left_open_too_long_begins_anew() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.get(&server.authorization("demo-backup", &[])).await;
    server.advance(Duration::from_secs(31 * 60));
    let late = browser.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(late.says("Your login attempt timed out"), "{}", late.html);
    let back = browser.post(&late.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(back.parameter("code").is_some());
    server.finish().await;
}

#[tokio::test]
async fn a_cookie_that_was_planted_before_the_sign_in_is_worth_nothing_after_it() {
    let server = TestServer::start().await;
    let (victim, attacker) = (server.browser(), server.browser());
    let page = attacker.get(&server.authorization("demo-backup", &[])).await;
    let planted = attacker.cookie("AUTH_SESSION_ID").unwrap();
    victim.set_cookie("AUTH_SESSION_ID", &planted);
    let back = victim.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(back.parameter("code").is_some());
    let peek = attacker.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert_eq!(peek.parameter("error").as_deref(), Some("login_required"));
    assert_ne!(victim.cookie("AUTH_SESSION_ID"), Some(planted));
    server.finish().await;
}

#[tokio::test]
async fn an_unknown_redirect_uri_is_never_redirected_to() {
    let server = TestServer::start().await;
    for redirect in
        ["http://evil.example/", "http://localhost:3000.evil.example/cb", "http://localhost:3000/../x", "javascript:alert(1)"]
    {
        let mut address = url::Url::parse(&server.endpoint("/auth")).unwrap();
        let pairs = [("client_id", "demo-backup"), ("response_type", "code"), ("redirect_uri", redirect)];
        address.query_pairs_mut().extend_pairs(pairs);
        let page = server.browser().get(address.as_str()).await;
        assert_eq!(page.status, 400, "{redirect}");
        assert!(page.says("redirect_uri"), "{redirect}");
    }
    server.finish().await;
}

#[tokio::test]
async fn the_code_of_one_page_does_not_answer_another() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    // A temporary password cannot be kept by answering the consent page instead.
    let path = format!("/demo/users/{}/reset-password", admin.alice().await);
    let temporary = serde_json::json!({"type": "password", "value": "temporary", "temporary": true});
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&temporary)).await.status, 204);
    let browser = server.browser();
    let page = browser.get(&server.authorization("demo-partner", &[("scope", "openid")])).await;
    let page = browser.post(&page.action(), &[("username", "alice"), ("password", "temporary")]).await;
    let action = url::Url::parse(&page.action()).unwrap();
    let code = action.query_pairs().find(|(n, _)| n == "session_code").unwrap().1.into_owned();
    let consent = page.action().replace("/required-action?", "/consent?");
    let answer = browser.post(&consent, &[("code", &*code), ("accept", "Yes")]).await;
    assert!(answer.parameter("code").is_none(), "{}", answer.address);
    assert!(answer.says("Update password"), "{}", answer.html);
    // And a consent page does not change a password.
    let form = [("password-new", "fresh"), ("password-confirm", "fresh")];
    let page = browser.post(&answer.action(), &form).await;
    assert!(page.says("Partner application"), "{}", page.html);
    let tab = url::Url::parse(&page.action()).unwrap().query_pairs().find(|(n, _)| n == "tab_id").unwrap().1.into_owned();
    let code = page.hidden()["code"].clone();
    let swapped =
        server.realm("demo", &format!("/login-actions/required-action?session_code={code}&tab_id={tab}&client_id=demo-partner"));
    let form = [("password-new", "stolen"), ("password-confirm", "stolen")];
    browser.post(&swapped, &form).await;
    let grant = |password: &'static str| [("grant_type", "password"), ("username", "alice"), ("password", password)];
    assert_eq!(server.as_backup("/token", &grant("stolen")).await.refusal().1, "invalid_grant");
    server.as_backup("/token", &grant("fresh")).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_page_that_waits_does_not_bring_back_a_session_that_was_ended() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let browser = server.browser();
    browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    let page = browser.get(&server.authorization("demo-partner", &[("scope", "openid")])).await;
    assert!(page.says("Partner application"), "{}", page.html);
    let path = format!("/demo/users/{}/logout", admin.alice().await);
    server.advance(Duration::from_secs(2));
    assert_eq!(admin.call(reqwest::Method::POST, &path, None).await.status, 204);
    let code = page.hidden()["code"].clone();
    let answer = browser.post(&page.action(), &[("code", &*code), ("accept", "Yes")]).await;
    assert!(answer.parameter("code").is_none(), "{}", answer.address);
    assert!(answer.says("Password"), "the user has to sign in again: {}", answer.html);
    server.finish().await;
}

#[tokio::test]
async fn the_realms_not_before_ends_single_sign_on_too() {
    let server = TestServer::start().await;
    let browser = server.browser();
    browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    server.advance(Duration::from_secs(2));
    server.admin().await.set(serde_json::json!({"notBefore": server.now()})).await;
    let back = browser.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert_eq!(back.parameter("error").as_deref(), Some("login_required"));
    server.finish().await;
}

#[tokio::test]
async fn an_id_token_that_the_clients_secret_signed_is_a_hint_too() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let change = json!({"attributes": {"id.token.signed.response.alg": "HS256"}});
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&change)).await.status, 204);
    let browser = server.browser();
    let code = browser.sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    let tokens = server.as_backup("/token", &form).await.granted();
    assert_eq!(header(&tokens["id_token"])["alg"], "HS256");
    let hint = tokens["id_token"].as_str().unwrap();
    let (signed, _) = hint.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(43));
    let page = browser.get(&format!("{}?id_token_hint={forged}", server.endpoint("/logout"))).await;
    assert!(page.says("id_token_hint"), "{}", page.html);
    let out = browser.get(&format!("{}?id_token_hint={hint}", server.endpoint("/logout"))).await;
    assert!(out.says("You are logged out"), "{}", out.html);
    // It opens nothing else: whoever holds the secret could have written it.
    let claims = server.as_backup("/token/introspect", &[("token", hint)]).await.granted();
    assert_eq!(claims, json!({"active": false}));
    server.finish().await;
}
