//! The proof of an address, and the profile that a realm wants complete, on the way into a client.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::rotation::futures;
use crate::support::{Browser, Letter, Postbox, Shown, TestServer};

/// The demo realm with a mail server and more settings; alice's address is not proved.
pub async fn with_mail(more: Value) -> (TestServer, Postbox) {
    let (server, postbox) = (TestServer::start().await, Postbox::open().await);
    let admin = server.admin().await;
    let mut settings = json!({"smtpServer": postbox.settings(), "eventsEnabled": true});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    admin.set(settings).await;
    admin.put_user(json!({"emailVerified": false})).await;
    (server, postbox)
}

async fn is_verified(server: &TestServer) -> bool {
    let admin = server.admin().await;
    admin.get(&format!("/demo/users/{}", admin.alice().await)).await["emailVerified"] == true
}

/// The link on a page that asks whether to go on.
pub fn proceed(page: &Shown) -> String {
    let at = page.html.find("login-actions/action-token").unwrap_or_else(|| panic!("no link in {}", page.html));
    let start = page.html[..at].rfind('"').unwrap() + 1;
    let end = at + page.html[at..].find('"').unwrap();
    page.address.join(&page.html[start..end].replace("&amp;", "&")).unwrap().to_string()
}

async fn events(server: &TestServer, kind: &str) -> usize {
    server.admin().await.get(&format!("/demo/events?type={kind}")).await.as_array().unwrap().len()
}

#[tokio::test]
async fn the_link_of_the_letter_proves_the_address_and_the_sign_in_goes_on_where_it_was() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("Email verification") && page.says("alice@"), "{}", page.html);
    let letter = postbox.take().await;
    assert_eq!(letter.header("subject"), "Verify email");
    assert!(letter.header("from").ends_with("<login@example.org>"));
    assert!(letter.part("text/html").contains("action-token") && letter.part("text/plain").contains("5 minutes"));
    assert!(browser.get(page.address.as_str()).await.says("Email verification"));
    assert_eq!(postbox.count(), 0, "reloading the page sends nothing");
    let back = browser.get(&letter.link()).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    assert!(is_verified(&server).await);
    let again = browser.get(&letter.link()).await;
    assert!(again.status == 200 && again.says("verified already"), "{}", again.html);
    assert_eq!((events(&server, "SEND_VERIFY_EMAIL").await, events(&server, "VERIFY_EMAIL").await), (1, 1));
    server.finish().await;
}

#[tokio::test]
async fn another_browser_is_asked_first_and_signs_nobody_in() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    let link = postbox.take().await.link();
    // A program that looks at letters: the head alone, then the page, then the page's link without the page's cookie.
    assert_eq!(server.http.head(&link).send().await.unwrap().status(), 200);
    let other = server.browser();
    let asked = other.get(&link).await;
    assert!(asked.says("Confirm validity of e-mail address"), "{}", asked.html);
    let stranger = server.browser();
    assert!(stranger.get(&proceed(&asked)).await.says("Confirm validity"), "the yes belongs to the browser that was asked");
    assert!(!is_verified(&server).await, "nobody has said yes yet");
    let done = other.get(&proceed(&asked)).await;
    assert!(done.says("Your email address has been verified."), "{}", done.html);
    assert!(is_verified(&server).await && other.cookie("KEYCLOAK_IDENTITY").is_none());
    // The first browser goes on by itself.
    assert!(browser.get(page.address.as_str()).await.parameter("code").is_some());
    server.finish().await;
}

#[tokio::test]
async fn another_letter_comes_on_request_and_not_without_end() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    let browser = server.browser();
    let mut page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    let first = postbox.take().await.link();
    for _ in 0..4 {
        page = browser.post(&page.action(), &[]).await;
        assert_ne!(postbox.take().await.link(), first);
    }
    page = browser.post(&page.action(), &[]).await;
    assert!(page.says("Too many requests"), "{}", page.html);
    assert_eq!(postbox.count(), 0);
    assert!(browser.get(&first).await.parameter("code").is_some(), "the first letter works as well as the last");
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_one_link_that_is_opened_many_times_at_once_one_works() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    server.browser().sign_in("demo-backup", &[("scope", "openid")]).await;
    let link = postbox.take().await.link();
    let browsers: Vec<Browser<'_>> = (0..8).map(|_| server.browser()).collect();
    let mut links = Vec::new();
    for browser in &browsers {
        links.push(proceed(&browser.get(&link).await));
    }
    let opened = futures(browsers.iter().zip(&links).map(|(browser, link)| async move { browser.get(link).await })).await;
    let done = opened.iter().filter(|page| page.says("has been verified.")).count();
    assert_eq!(done, 1);
    assert_eq!(events(&server, "VERIFY_EMAIL").await, 1);
    server.finish().await;
}

#[tokio::test]
async fn a_link_is_bound_to_its_time_its_realm_its_address_and_its_user() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    let letter = async || -> Letter {
        server.browser().sign_in("demo-backup", &[("scope", "openid")]).await;
        postbox.take().await
    };
    let refused = async |address: &str, text: &str| {
        let page = server.browser().get(address).await;
        assert!(page.status == 400 && page.says(text), "{address}: {} {}", page.status, page.html);
    };
    let link = letter().await.link();
    refused(&link.replace("/realms/demo/", "/realms/master/"), "Action expired").await;
    let key = link.split("key=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let changed = format!("{}{}", if key.starts_with('A') { "B" } else { "A" }, &key[1..]);
    refused(&link.replace(&key, &changed), "Action expired").await;
    refused(&link.replace(&key, ""), "Action expired").await;
    refused(&link.replace(&key, &"A".repeat(5_000)), "Action expired").await;
    refused(&link.replace(&key, "%00"), "Invalid Request").await;
    refused(&format!("{link}&key=x"), "Invalid Request").await;
    refused(&server.realm("demo", "/login-actions/action-token"), "Invalid Request").await;
    server.advance(Duration::from_secs(301));
    refused(&link, "Action expired").await;
    // The user has another address by now.
    let link = letter().await.link();
    server.admin().await.put_user(json!({"email": "new@example.org"})).await;
    refused(&link, "Action expired").await;
    let link = letter().await.link();
    server.admin().await.put_user(json!({"enabled": false})).await;
    refused(&link, "Account is disabled").await;
    server.admin().await.put_user(json!({"enabled": true})).await;
    let admin = server.admin().await;
    assert_eq!(admin.delete(&format!("/demo/users/{}", admin.alice().await)).await.status, 204);
    refused(&link, "Action expired").await;
    server.finish().await;
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_is_told_and_lets_nobody_past() {
    let (server, _) =
        with_mail(json!({"verifyEmail": true, "smtpServer": {"host": "127.0.0.1", "port": "1", "from": "a@b.c"}})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("Failed to send email"), "{}", page.html);
    assert!(browser.get(page.address.as_str()).await.parameter("code").is_none());
    assert_eq!(events(&server, "SEND_VERIFY_EMAIL_ERROR").await, 1);
    let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
    assert_eq!(server.as_backup("/token", &form).await.refusal(), (400, "invalid_grant", "Account is not fully set up"));
    server.finish().await;
}

#[tokio::test]
async fn a_host_that_a_request_names_stands_in_no_letter() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true, "resetPasswordAllowed": true})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(postbox.take().await.link().starts_with(&server.base));
    let cookie = format!("AUTH_SESSION_ID={}", browser.cookie("AUTH_SESSION_ID").unwrap());
    // The page sends another one, wherever the request says that it came to.
    let again = server.http.post(page.action()).header("cookie", &cookie).send().await.unwrap();
    let target = again.headers()["location"].to_str().unwrap().to_owned();
    let request = server.http.get(&target).header("cookie", &cookie).header("host", "evil.test");
    let text = request.header("x-forwarded-host", "evil.test").send().await.unwrap().text().await.unwrap();
    assert!(text.contains("Failed to send email"), "{text}");
    // A forgotten password: the answer is the same, and there is no letter.
    let stranger = server.browser();
    let page = stranger.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    let form = stranger.get(&page.action().replace("/authenticate?", "/reset-credentials?")).await;
    let cookie = format!("AUTH_SESSION_ID={}", stranger.cookie("AUTH_SESSION_ID").unwrap());
    let request = server.http.post(form.action()).header("cookie", &cookie).header("host", "evil.test");
    assert_eq!(request.form(&[("username", "alice")]).send().await.unwrap().status(), 302);
    let admin = server.admin().await;
    let path = format!("/admin/realms/demo/users/{}/execute-actions-email", admin.alice().await);
    let request = server.http.put(format!("{}{path}", server.base)).header("host", "evil.test").bearer_auth(admin.token());
    assert_ne!(request.json(&json!(["UPDATE_PASSWORD"])).send().await.unwrap().status(), 204);
    assert_eq!(postbox.count(), 0);
    server.finish().await;
}

/// A realm's user profile with attributes of its own.
pub fn profile() -> Value {
    let all = json!({"view": ["admin", "user"], "edit": ["admin", "user"]});
    json!({"attributes": [
        {"name": "username", "displayName": "${username}", "permissions": all, "validations": {"length": {"min": 3, "max": 255}}},
        {"name": "email", "displayName": "${email}", "permissions": all, "required": {"roles": ["user"]}, "validations": {"email": {}}},
        {"name": "site", "displayName": "Site", "permissions": all, "required": {"roles": ["user"]},
         "validations": {"options": {"options": ["north", "south"]}}, "annotations": {"inputType": "select"}},
        {"name": "colours", "displayName": "Colours", "permissions": all, "multivalued": true},
        {"name": "grade", "displayName": "Grade", "permissions": {"view": ["admin", "user"], "edit": ["admin"]}},
        {"name": "secret", "displayName": "Secret", "permissions": {"view": ["admin"], "edit": ["admin"]}},
    ]})
}

#[tokio::test]
async fn a_profile_that_lacks_what_the_realm_wants_is_asked_for_and_the_rest_stays() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut own = profile();
    own["unmanagedAttributePolicy"] = json!("ENABLED");
    assert_eq!(admin.call(Method::PUT, "/demo/users/profile", Some(&own)).await.status, 200);
    admin.put_user(json!({"attributes": {"grade": ["7"], "secret": ["s3cret"], "old": ["kept"]}})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("Update Account Information") && page.says("Site"), "{}", page.html);
    assert!(!page.html.contains("s3cret"), "what users may not see is not shown");
    let email = [("email", "alice@example.org")];
    let wrong = browser.post(&page.action(), &[email[0], ("site", "west"), ("grade", "1")]).await;
    assert!(wrong.says("none of the possible values"), "{}", wrong.html);
    let sent =
        [email[0], ("site", "north"), ("colours", "red"), ("colours", ""), ("colours", "blue"), ("grade", "1"), ("secret", "x")];
    let back = browser.post(&wrong.action(), &sent).await;
    assert!(back.parameter("code").is_some(), "{}", back.html);
    let user = admin.get(&format!("/demo/users/{}", admin.alice().await)).await;
    let expected = json!({"site": ["north"], "colours": ["red", "blue"], "grade": ["7"], "secret": ["s3cret"], "old": ["kept"]});
    let held = user["attributes"].as_object().unwrap();
    for (name, values) in expected.as_object().unwrap() {
        assert_eq!(&held[name], values, "{name}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_new_address_has_to_be_proved_before_the_sign_in_goes_on() {
    let (server, postbox) = with_mail(json!({"verifyEmail": true})).await;
    server.admin().await.put_user(json!({"emailVerified": true, "requiredActions": ["UPDATE_PROFILE"]})).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    assert!(page.says("You need to update your user profile"), "{}", page.html);
    let names = [("firstName", "Alice"), ("lastName", "Example")];
    let page = browser.post(&page.action(), &[("email", "other@example.org"), names[0], names[1]]).await;
    assert!(page.says("Email verification") && page.says("other@example.org"), "{}", page.html);
    let letter = postbox.take().await;
    assert_eq!(letter.header("to"), "other@example.org");
    assert!(browser.get(&letter.link()).await.parameter("code").is_some());
    server.finish().await;
}
