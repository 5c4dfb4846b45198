//! New users: the form, what is wrong with it, and the sign-in that follows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::rotation::futures;
use crate::support::{Browser, Postbox, Shown, TestServer};
use crate::verify_email::profile;

async fn open_to_all(more: Value) -> TestServer {
    let server = TestServer::start().await;
    let mut settings = json!({"registrationAllowed": true, "eventsEnabled": true});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.admin().await.set(settings).await;
    server
}

async fn form(server: &TestServer, browser: &Browser<'_>) -> Shown {
    browser.get(&server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "create")])).await
}

/// A form that is all right, with some fields changed.
fn filled<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let good = [
        ("username", "carol"),
        ("email", "carol@example.org"),
        ("firstName", "Carol"),
        ("lastName", "Example"),
        ("password", "carol-s3cret"),
        ("password-confirm", "carol-s3cret"),
    ];
    let kept = good.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied()).collect()
}

async fn user(server: &TestServer, name: &str) -> Option<Value> {
    server.admin().await.get(&format!("/demo/users?username={name}&exact=true")).await.get(0).cloned()
}

#[tokio::test]
async fn a_new_user_comes_in_with_the_default_role_and_groups() {
    let server = open_to_all(json!({})).await;
    let admin = server.admin().await;
    let realm = json!({
        "realm": "open", "enabled": true, "registrationAllowed": true, "groups": [{"name": "everybody"}],
        "defaultGroups": ["/everybody"], "clients": [{"clientId": "app", "publicClient": true, "redirectUris": ["http://localhost:3000/cb"]}],
    });
    assert_eq!(admin.call(Method::POST, "", Some(&realm)).await.status, 201);
    let browser = server.browser();
    let query = "client_id=app&response_type=code&scope=openid&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb&login_hint=carol";
    let page = browser.get(&server.realm("open", &format!("/protocol/openid-connect/registrations?{query}"))).await;
    assert!(page.says("Register") && page.html.contains("value=\"carol\""), "{}", page.html);
    let back = browser.post(&page.action(), &filled(&[("username", " Carol ")])).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    let made = admin.get("/open/users?username=carol&exact=true").await[0].clone();
    assert_eq!((&made["email"], &made["emailVerified"]), (&json!("carol@example.org"), &json!(false)));
    let id = made["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("/open/users/{id}/groups")).await[0]["name"], "everybody");
    assert_eq!(admin.get(&format!("/open/users/{id}/role-mappings/realm")).await[0]["name"], "default-roles-open");
    server.finish().await;
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field_and_the_rest_stays_filled_in() {
    let server = open_to_all(json!({"passwordPolicy": "length(8)"})).await;
    let browser = server.browser();
    let mut page = form(&server, &browser).await;
    let long = "x".repeat(300);
    let tries: [(&[(&str, &str)], &str); 9] = [
        (&[("username", "")], "Please specify username."),
        (&[("password", "")], "Please specify password."),
        (&[("password-confirm", "other")], "Passwords don't match."),
        (&[("password", "short"), ("password-confirm", "short")], "minimum length 8"),
        (&[("username", "alice")], "This user name is taken."),
        (&[("email", "ALICE@example.org")], "This email address is taken."),
        (&[("email", "nonsense")], "This is no email address."),
        (&[("firstName", &long)], "This is too long."),
        (&[("username", "<b>carol")], "characters that a user name cannot have"),
    ];
    for (changes, text) in tries {
        page = browser.post(&page.action(), &filled(changes)).await;
        assert!(page.status == 200 && page.says(text), "{changes:?}: {}", page.html);
        assert!(page.html.contains("value=\"Example\""), "{changes:?}: what was typed stays");
        assert!(!page.html.contains("carol-s3cret") && !page.html.contains("value=\"short\""), "passwords do not");
    }
    assert!(user(&server, "carol").await.is_none());
    // An address of another user is no name: that user could not sign in by it any more.
    page = browser.post(&page.action(), &filled(&[("username", "alice@example.org")])).await;
    assert!(page.says("This user name is taken."), "{}", page.html);
    let action = page.action();
    assert!(browser.post(&action, &filled(&[])).await.parameter("code").is_some());
    let again = browser.post(&action, &filled(&[("username", "dora"), ("email", "d@example.org")])).await;
    assert!(again.parameter("code").is_none() && user(&server, "dora").await.is_none(), "a form works once");
    let events = server.admin().await.get("/demo/events?type=REGISTER").await;
    assert_eq!(events.as_array().unwrap().len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn what_a_form_does_not_show_it_does_not_set() {
    let server = open_to_all(json!({})).await;
    let admin = server.admin().await;
    assert_eq!(admin.call(Method::PUT, "/demo/users/profile", Some(&profile())).await.status, 200);
    let browser = server.browser();
    let page = form(&server, &browser).await;
    assert!(page.says("Site") && page.says("Colours") && !page.says("Grade") && !page.says("Secret"), "{}", page.html);
    let more =
        [("site", "north"), ("grade", "1"), ("secret", "x"), ("emailVerified", "true"), ("enabled", "false"), ("other", "y")];
    let back = browser.post(&page.action(), &filled(&more)).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    let made = user(&server, "carol").await.unwrap();
    assert_eq!((&made["attributes"], &made["emailVerified"]), (&json!({"site": ["north"]}), &json!(false)));
    assert_eq!((&made["firstName"], &made["lastName"]), (&json!(null), &json!(null)), "the profile does not name them");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_eight_who_register_one_name_at_once_one_gets_it() {
    let server = open_to_all(json!({})).await;
    let browsers: Vec<Browser<'_>> = (0..8).map(|_| server.browser()).collect();
    let mut actions = Vec::new();
    for browser in &browsers {
        actions.push(form(&server, browser).await.action());
    }
    let addresses: Vec<String> = (0..8).map(|n| format!("c{n}@example.org")).collect();
    let sent = browsers
        .iter()
        .zip(&actions)
        .zip(&addresses)
        .map(|((browser, action), email)| async move { browser.post(action, &filled(&[("email", email)])).await });
    let pages = futures(sent).await;
    assert_eq!(pages.iter().filter(|page| page.parameter("code").is_some()).count(), 1);
    assert_eq!(pages.iter().filter(|page| page.says("This user name is taken.")).count(), 7);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_19607_of_eight_who_take_one_text_at_once_as_name_or_as_address_one_gets_it() {
    let server = open_to_all(json!({})).await;
    let browsers: Vec<Browser<'_>> = (0..8).map(|_| server.browser()).collect();
    let mut actions = Vec::new();
    for browser in &browsers {
        actions.push(form(&server, browser).await.action());
    }
    let text = "dora@example.org";
    let others: Vec<(String, String)> = (0..8).map(|n| (format!("d{n}"), format!("d{n}@example.org"))).collect();
    let sent = browsers.iter().zip(&actions).zip(&others).enumerate().map(|(n, ((browser, action), (name, email)))| async move {
        let fields = if n % 2 == 0 {
            [("username", text), ("email", email.as_str())]
        } else {
            [("username", name.as_str()), ("email", text)]
        };
        browser.post(action, &filled(&fields)).await
    });
    let pages = futures(sent).await;
    assert_eq!(pages.iter().filter(|page| page.parameter("code").is_some()).count(), 1);
    server.finish().await;
}

#[tokio::test]
async fn where_nobody_may_register_neither_page_nor_form_is_there() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    assert!(!page.html.contains("login-actions/registration"));
    let address = page.action().replace("/authenticate", "/registration");
    let endpoint = server.authorization("demo-backup", &[("scope", "openid")]).replace("/auth?", "/registrations?");
    for page in [browser.get(&address).await, browser.post(&address, &filled(&[])).await, browser.get(&endpoint).await] {
        assert!(page.status == 400 && page.says("Registration not allowed"), "{}", page.html);
    }
    assert!(user(&server, "carol").await.is_none());
    server.finish().await;
}

#[tokio::test]
async fn a_form_of_another_browser_makes_nobody() {
    let server = open_to_all(json!({})).await;
    let action = form(&server, &server.browser()).await.action();
    for (address, fields) in [
        (action.clone(), filled(&[])),
        (action.split('?').next().unwrap().to_owned(), filled(&[])),
        (action.replace("session_code=", "session_code=x"), filled(&[])),
        (format!("{action}&tab_id=x"), filled(&[("username", "a\u{0}b")])),
    ] {
        let page = server.browser().post(&address, &fields).await;
        assert!(page.status == 400 && page.parameter("code").is_none(), "{address}: {}", page.html);
    }
    assert!(user(&server, "carol").await.is_none());
    server.finish().await;
}

#[tokio::test]
async fn a_new_user_proves_the_address_where_the_realm_wants_it() {
    let postbox = Postbox::open().await;
    let settings = json!({"verifyEmail": true, "smtpServer": postbox.settings(), "registrationEmailAsUsername": true});
    let server = open_to_all(settings).await;
    let browser = server.browser();
    let page = form(&server, &browser).await;
    assert!(!page.html.contains("name=\"username\""), "{}", page.html);
    let page = browser.post(&page.action(), &filled(&[("email", "Carol@Example.org")])).await;
    assert!(page.says("Email verification") && browser.cookie("KEYCLOAK_IDENTITY").is_none(), "{}", page.html);
    let letter = postbox.take().await;
    assert_eq!(letter.header("to"), "carol@example.org");
    assert!(browser.get(&letter.link()).await.parameter("code").is_some());
    assert_eq!(user(&server, "carol@example.org").await.unwrap()["emailVerified"], true);
    server.finish().await;
}
