//! A forgotten password: the form that tells nothing, and the link that works once, for one user, in one realm.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::rotation::futures;
use crate::support::{Browser, Letter, Postbox, Shown, TestServer};
use crate::verify_email::{proceed, with_mail};

pub async fn with_reset() -> (TestServer, Postbox) {
    with_mail(json!({"resetPasswordAllowed": true})).await
}

/// The form in a browser.
async fn form(server: &TestServer, browser: &Browser<'_>) -> Shown {
    let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    let tab = page.action().split("tab_id=").nth(1).unwrap().to_owned();
    browser.get(&server.realm("demo", &format!("/login-actions/reset-credentials?client_id=demo-backup&tab_id={tab}"))).await
}

pub async fn ask(server: &TestServer, postbox: &Postbox, browser: &Browser<'_>) -> Letter {
    let page = form(server, browser).await;
    let page = browser.post(&page.action(), &[("username", "alice")]).await;
    assert!(page.says("You should receive an email shortly"), "{}", page.html);
    postbox.take().await
}

pub const NEW: [(&str, &str); 2] = [("password-new", "fresh"), ("password-confirm", "fresh")];

pub async fn status_of(server: &TestServer, password: &str) -> u16 {
    let form = [("grant_type", "password"), ("username", "alice"), ("password", password)];
    server.as_backup("/token", &form).await.status
}

#[tokio::test]
async fn the_link_leads_to_a_new_password_and_into_the_client_once() {
    let (server, postbox) = with_reset().await;
    let browser = server.browser();
    let letter = ask(&server, &postbox, &browser).await;
    assert_eq!((letter.header("subject").as_str(), letter.header("to").as_str()), ("Reset password", "alice@example.org"));
    let page = browser.get(&letter.link()).await;
    assert!(page.says("You need to change your password."), "{}", page.html);
    assert!(browser.cookie("KEYCLOAK_IDENTITY").is_none(), "nobody is signed in yet");
    let page = browser.post(&page.action(), &[NEW[0], ("password-confirm", "other")]).await;
    assert!(page.says("Passwords don't match."));
    assert!(browser.post(&page.action(), &NEW).await.parameter("code").is_some());
    let again = browser.get(&letter.link()).await;
    assert!(again.status == 400 && again.says("Action expired."), "{}", again.html);
    assert!(server.browser().get(&letter.link()).await.says("Action expired."), "nor in another browser");
    assert_eq!((status_of(&server, "fresh").await, status_of(&server, "alice").await), (200, 400));
    let admin = server.admin().await;
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    assert_eq!((&user["emailVerified"], &user["requiredActions"]), (&json!(true), &json!([])), "the letter was read there");
    server.finish().await;
}

#[tokio::test]
async fn whoever_is_named_the_answer_is_the_same() {
    let (server, postbox) = with_reset().await;
    let admin = server.admin().await;
    let off = json!({"username": "off", "enabled": false, "email": "off@example.org"});
    let bare = json!({"username": "bare", "enabled": true});
    for user in [off, bare] {
        assert_eq!(admin.call(Method::POST, "/demo/users", Some(&user)).await.status, 201);
    }
    let mut pages = Vec::new();
    for name in ["alice", "alice@example.org", "nobody", "off", "bare", "' or 1=1 --", &"x".repeat(10_000)] {
        let browser = server.browser();
        let page = form(&server, &browser).await;
        let page = browser.post(&page.action(), &[("username", name)]).await;
        // What differs from one page to the next anyhow.
        let tab = page.address.query_pairs().find(|(n, _)| n == "tab_id").unwrap().1.into_owned();
        let code = page.action().split("session_code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let plain = page.html.replace(&tab, "TAB").replace(&code, "CODE");
        pages.push((page.status, plain));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]));
    for _ in 0..2 {
        assert_eq!(postbox.take().await.header("to"), "alice@example.org");
    }
    assert_eq!(postbox.count(), 0, "nobody else gets a letter");
    server.finish().await;
}

#[tokio::test]
async fn the_form_moves_nobody_past_the_password() {
    let (server, postbox) = with_reset().await;
    let browser = server.browser();
    let page = form(&server, &browser).await;
    let empty = browser.post(&page.action(), &[("username", " ")]).await;
    assert!(empty.says("Please specify username."), "{}", empty.html);
    let action = empty.action();
    let sent = browser.post(&action, &[("username", "alice")]).await;
    postbox.take().await;
    let twice = browser.post(&action, &[("username", "alice")]).await;
    assert!(twice.says("Action expired"), "a form works once: {}", twice.html);
    // The forms of other steps, sent without the letter.
    let tab = sent.address.query().unwrap().to_owned();
    for execution in ["UPDATE_PASSWORD", "UPDATE_PROFILE", "VERIFY_EMAIL", "CONFIGURE_TOTP"] {
        let page = browser.get(&server.realm("demo", &format!("/login-actions/authenticate?{tab}"))).await;
        let code = page.action().split("session_code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let address = format!("/login-actions/required-action?{tab}&execution={execution}&session_code={code}");
        let page = browser.post(&server.realm("demo", &address), &NEW).await;
        assert!(page.parameter("code").is_none() && page.html.contains("name=\"username\""), "{execution}: {}", page.html);
    }
    assert_eq!(status_of(&server, "alice").await, 200);
    assert_eq!(postbox.count(), 0);
    server.finish().await;
}

#[tokio::test]
async fn where_it_is_not_allowed_there_is_no_form() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    assert!(!page.html.contains("reset-credentials"));
    let address = page.action().replace("/authenticate", "/reset-credentials");
    for page in [browser.get(&address).await, browser.post(&address, &[("username", "alice")]).await] {
        assert!(page.status == 400 && page.says("Reset Credential not allowed"), "{}", page.html);
    }
    server.finish().await;
}

#[tokio::test]
async fn in_another_browser_the_password_is_changed_and_nobody_signed_in() {
    let (server, postbox) = with_reset().await;
    let letter = ask(&server, &postbox, &server.browser()).await;
    let other = server.browser();
    let asked = other.get(&letter.link()).await;
    assert!(asked.says("Choose a new password for the account of alice@example.org"), "{}", asked.html);
    let page = other.get(&proceed(&asked)).await;
    let done = other.post(&page.action(), &NEW).await;
    assert!(done.says("Your account has been updated.") && done.parameter("code").is_none(), "{}", done.html);
    assert!(other.cookie("KEYCLOAK_IDENTITY").is_none());
    assert_eq!(status_of(&server, "fresh").await, 200);
    server.finish().await;
}

#[tokio::test]
async fn a_newer_password_and_a_used_letter_make_older_letters_worthless() {
    let (server, postbox) = with_reset().await;
    let browser = server.browser();
    let (first, second) = (ask(&server, &postbox, &browser).await, ask(&server, &postbox, &browser).await);
    server.advance(Duration::from_secs(1));
    let page = browser.get(&second.link()).await;
    browser.post(&page.action(), &NEW).await;
    let refused = server.browser().get(&first.link()).await;
    assert!(refused.status == 400 && refused.says("Action expired"), "{}", refused.html);
    let third = ask(&server, &postbox, &server.browser()).await;
    server.advance(Duration::from_secs(1));
    let admin = server.admin().await;
    let path = format!("/demo/users/{}/reset-password", admin.alice().await);
    assert_eq!(admin.call(Method::PUT, &path, Some(&json!({"type": "password", "value": "chosen"}))).await.status, 204);
    let refused = server.browser().get(&third.link()).await;
    assert!(refused.status == 400 && refused.says("Action expired"), "{}", refused.html);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_letter_that_is_opened_eight_times_at_once_one_may_choose() {
    let (server, postbox) = with_reset().await;
    let link = ask(&server, &postbox, &server.browser()).await.link();
    let browsers: Vec<Browser<'_>> = (0..8).map(|_| server.browser()).collect();
    let mut links = Vec::new();
    for browser in &browsers {
        links.push(proceed(&browser.get(&link).await));
    }
    let opened = futures(browsers.iter().zip(&links).map(|(browser, link)| async move { browser.get(link).await })).await;
    assert_eq!(opened.iter().filter(|page| page.html.contains("password-new")).count(), 1);
    assert_eq!(opened.iter().filter(|page| page.status == 400 && page.says("Action expired")).count(), 7);
    server.finish().await;
}

#[tokio::test]
async fn a_forgotten_password_is_no_forgotten_device() {
    let (server, postbox) = with_reset().await;
    let admin = server.admin().await;
    let data = json!({"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}).to_string();
    let device =
        json!({"type": "otp", "secretData": json!({"value": "abcdefghijklmnopqrst"}).to_string(), "credentialData": data});
    let realm = json!({
        "realm": "otp", "enabled": true, "resetPasswordAllowed": true, "smtpServer": postbox.settings(),
        "users": [{"username": "carol", "enabled": true, "email": "c@example.org", "firstName": "C", "lastName": "D",
                   "credentials": [{"type": "password", "value": "carol"}, device]}],
        "clients": [{"clientId": "app", "secret": "s", "redirectUris": ["http://localhost:3000/cb"]}],
    });
    assert_eq!(admin.call(Method::POST, "", Some(&realm)).await.status, 201);
    let browser = server.browser();
    let query = "client_id=app&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb";
    let page = browser.get(&server.realm("otp", &format!("/protocol/openid-connect/auth?{query}"))).await;
    let tab = page.action().split("tab_id=").nth(1).unwrap().to_owned();
    let form = browser.get(&server.realm("otp", &format!("/login-actions/reset-credentials?client_id=app&tab_id={tab}"))).await;
    let sent = browser.post(&form.action(), &[("username", "carol")]).await;
    let first = postbox.take().await;
    // In another browser than the one that asked, too.
    let other = server.browser();
    let page = other.get(&proceed(&other.get(&first.link()).await)).await;
    assert!(page.html.contains("name=\"otp\"") && !page.html.contains("password-new"), "{}", page.html);
    let form = browser.get(&sent.address.as_str().replace("/authenticate", "/reset-credentials")).await;
    browser.post(&form.action(), &[("username", "carol")]).await;
    let page = browser.get(&postbox.take().await.link()).await;
    assert!(page.html.contains("name=\"otp\"") && !page.html.contains("password-new"), "{}", page.html);
    let page = browser.post(&page.action(), &[("otp", "000000")]).await;
    assert!(page.says("Invalid authenticator code."));
    server.finish().await;
}

#[tokio::test]
async fn a_letter_does_not_lead_around_a_lock() {
    let lock =
        json!({"resetPasswordAllowed": true, "bruteForceProtected": true, "failureFactor": 2, "quickLoginCheckMilliSeconds": 0});
    let (server, postbox) = with_mail(lock).await;
    let browser = server.browser();
    let letter = ask(&server, &postbox, &browser).await;
    for _ in 0..2 {
        assert_eq!(status_of(&server, "wrong").await, 400);
    }
    let page = browser.get(&letter.link()).await;
    assert!(page.status == 400 && page.says("temporarily disabled"), "{}", page.html);
    server.advance(Duration::from_secs(61));
    assert!(browser.get(&letter.link()).await.says("You need to change your password."), "the link has waited");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_letters_of_one_user_have_an_end_even_if_asked_for_at_once() {
    let (server, postbox) = with_reset().await;
    let browsers: Vec<Browser<'_>> = (0..12).map(|_| server.browser()).collect();
    let mut forms = Vec::new();
    for browser in &browsers {
        forms.push(form(&server, browser).await.action());
    }
    let alice = [("username", "alice")];
    let asked = futures(browsers.iter().zip(&forms).map(|(browser, form)| browser.post(form, &alice))).await;
    assert!(asked.iter().all(|page| page.says("You should receive an email shortly")));
    for _ in 0..5 {
        postbox.take().await;
    }
    // Seven more events of letters that were not sent; then nothing more can come.
    let admin = server.admin().await;
    let mut refused = 0;
    for _ in 0..200 {
        refused = admin.get("/demo/events?type=RESET_PASSWORD_ERROR").await.as_array().unwrap().len();
        if refused == 7 {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!((refused, postbox.count()), (7, 0));
    server.advance(Duration::from_secs(301));
    ask(&server, &postbox, &server.browser()).await;
    server.finish().await;
}
