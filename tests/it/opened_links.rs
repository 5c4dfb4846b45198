//! What the link of a letter proves: for how long, against what comes later, and to which browser.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::forgotten_password::{NEW, ask, status_of, with_reset};
use crate::support::{Browser, Letter, Shown, TestServer};
use crate::verify_email::proceed;

/// The page for a new password, in a browser that did not ask for the letter.
async fn choosing(browser: &Browser<'_>, letter: &Letter) -> Shown {
    let page = browser.get(&proceed(&browser.get(&letter.link()).await)).await;
    assert!(page.html.contains("password-new"), "{}", page.html);
    page
}

async fn choose_by_admin(server: &TestServer, password: &str) {
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/reset-password", admin.alice().await);
    assert_eq!(admin.call(Method::PUT, &path, Some(&json!({"type": "password", "value": password}))).await.status, 204);
}

#[tokio::test]
async fn it_counts_for_the_time_of_a_sign_in_however_often_the_page_is_loaded() {
    let (server, postbox) = with_reset().await;
    let letter = ask(&server, &postbox, &server.browser()).await;
    let browser = server.browser();
    let mut page = choosing(&browser, &letter).await;
    for _ in 0..5 {
        server.advance(Duration::from_secs(300));
        page = browser.get(page.address.as_str()).await;
        assert!(page.html.contains("password-new"), "{}", page.html);
    }
    server.advance(Duration::from_secs(302));
    let refused = browser.post(&page.action(), &NEW).await;
    assert!(refused.status == 400 && !refused.html.contains("password-new"), "{}", refused.html);
    let refused = browser.get(page.address.as_str()).await;
    assert!(refused.status == 400 && !refused.html.contains("password-new"), "{}", refused.html);
    assert_eq!(status_of(&server, "alice").await, 200);
    server.finish().await;
}

#[tokio::test]
async fn in_the_tab_that_asked_the_user_signs_in_anew_after_that_time() {
    let (server, postbox) = with_reset().await;
    let browser = server.browser();
    let letter = ask(&server, &postbox, &browser).await;
    let page = browser.get(&letter.link()).await;
    for _ in 0..2 {
        server.advance(Duration::from_secs(901));
        browser.get(page.address.as_str()).await;
    }
    let again = browser.get(page.address.as_str()).await;
    assert!(again.html.contains("name=\"username\"") && !again.html.contains("password-new"), "{}", again.html);
    server.finish().await;
}

#[tokio::test]
async fn who_is_switched_off_or_signed_out_or_has_a_newer_password_chooses_none_by_it() {
    let (server, postbox) = with_reset().await;
    let admin = server.admin().await;
    let off = async || admin.put_user(json!({"enabled": false})).await;
    let out = async || {
        let path = format!("/demo/users/{}/logout", admin.alice().await);
        assert_eq!(admin.call(Method::POST, &path, None).await.status, 204);
    };
    for case in ["off", "out", "newer"] {
        let letter = ask(&server, &postbox, &server.browser()).await;
        let browser = server.browser();
        let page = choosing(&browser, &letter).await;
        server.advance(Duration::from_secs(2));
        match case {
            "off" => off().await,
            "out" => out().await,
            _ => choose_by_admin(&server, "chosen").await,
        }
        let refused = browser.post(&page.action(), &NEW).await;
        assert!(refused.status == 400 && !refused.says("Your account has been updated."), "{case}: {}", refused.html);
        admin.put_user(json!({"enabled": true})).await;
        assert_eq!(status_of(&server, "fresh").await, 400, "{case}");
    }
    assert_eq!(status_of(&server, "chosen").await, 200);
    server.finish().await;
}

#[tokio::test]
async fn a_letter_of_an_administrator_sets_no_password_after_a_newer_one() {
    let (server, postbox) = with_reset().await;
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/execute-actions-email", admin.alice().await);
    let mut letters = Vec::new();
    for actions in [json!(["UPDATE_PASSWORD"]), json!(["UPDATE_PROFILE"])] {
        assert_eq!(admin.call(Method::PUT, &path, Some(&actions)).await.status, 204);
        letters.push(postbox.take().await);
    }
    server.advance(Duration::from_secs(2));
    choose_by_admin(&server, "chosen").await;
    let refused = server.browser().get(&letters[0].link()).await;
    assert!(refused.status == 400 && refused.says("Action expired"), "{}", refused.html);
    let other = server.browser();
    assert!(other.get(&letters[1].link()).await.html.contains("login-actions/action-token"), "what sets none still works");
    server.finish().await;
}

#[tokio::test]
async fn a_cookie_that_was_planted_before_does_not_show_what_the_user_is_shown() {
    let (server, postbox) = with_reset().await;
    let letter = ask(&server, &postbox, &server.browser()).await;
    let planted = "p".repeat(50);
    let (user, attacker) = (server.browser(), server.browser());
    for browser in [&user, &attacker] {
        browser.set_cookie("AUTH_SESSION_ID", &planted);
    }
    let page = choosing(&user, &letter).await;
    assert_ne!(user.cookie("AUTH_SESSION_ID").unwrap(), planted);
    let seen = attacker.get(page.address.as_str()).await;
    assert!(seen.status == 400 && !seen.html.contains("password-new"), "{}", seen.html);
    let done = user.post(&page.action(), &NEW).await;
    assert!(done.says("Your account has been updated."), "{}", done.html);
    server.finish().await;
}
