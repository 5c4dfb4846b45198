//! Sign-in and logout in a browser without JavaScript.

use std::time::Duration;

use crate::support::TestServer;

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
