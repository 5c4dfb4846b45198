//! The Account Console: users see what may act for them and end it, in a browser without JavaScript.

use std::time::Duration;

use serde_json::json;

use crate::support::{Browser, DAY, Shown, TestServer};

/// Alice's console, after the sign-in that it asks for.
async fn open<'a>(server: &'a TestServer, path: &str) -> (Browser<'a>, Shown) {
    let browser = server.browser();
    let page = browser.get(&server.realm("demo", &format!("/account{path}"))).await;
    assert!(page.says("Sign in to your account"), "{}", page.html);
    let shown = browser.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert_eq!(shown.status, 200, "{} {}", shown.address, shown.html);
    (browser, shown)
}

/// The address of a link of the page, by its text.
fn link(page: &Shown, text: &str) -> String {
    let document = scraper::Html::parse_document(&page.html);
    let links = scraper::Selector::parse("a[href]").unwrap();
    let found = document.select(&links).find(|a| a.text().collect::<String>().trim().starts_with(text));
    let found = found.unwrap_or_else(|| panic!("no link {text} in {}", page.html));
    page.address.join(found.attr("href").unwrap()).unwrap().to_string()
}

/// Sends the form with this action as it stands, with other values where they are given.
async fn submit(browser: &Browser<'_>, page: &Shown, more: &[(&str, &str)]) -> Shown {
    let hidden = page.hidden();
    let mut form: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    form.extend(more);
    browser.post(&page.action(), &form).await
}

#[tokio::test]
async fn a_user_sees_offline_access_and_removes_it() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    server.advance(DAY);
    server.refresh(&token).await.granted();
    server.advance(Duration::from_secs(7200));
    let (browser, page) = open(&server, "/applications").await;
    assert_eq!(page.address.path(), "/realms/demo/account/applications", "back where the user wanted to go");
    for text in
        ["One application may act for you", "Night backup", "2 hours ago", "2026-05-28 20:26 UTC", "unless it is used before"]
    {
        assert!(page.says(text), "{text}: {}", page.html);
    }
    let asked = browser.get(&link(&page, "Remove access")).await;
    for text in ["Remove the access of Night backup?", "while you are away stops", "up to 5 minutes more"] {
        assert!(asked.says(text), "{text}: {}", asked.html);
    }
    server.refresh(&token).await.granted();
    let done = submit(&browser, &asked, &[]).await;
    assert!(done.says("The access was removed.") && done.says("No application acts for you"), "{}", done.html);
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "Offline user session not found"));
    server.finish().await;
}

#[tokio::test]
async fn a_user_signs_out_the_devices_that_are_not_this_one() {
    let server = TestServer::start().await;
    let other = server.browser();
    other.sign_in("demo-backup", &[("scope", "openid")]).await;
    let offline = server.offline_token().await;
    let (browser, page) = open(&server, "/account-security/device-activity").await;
    assert!(page.says("This device") && page.says("Account Console"), "{}", page.html);
    let done = submit(&browser, &page, &[]).await;
    assert!(done.says("All other devices were signed out."), "{}", done.html);
    let again = other.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert_eq!(again.parameter("error").as_deref(), Some("login_required"));
    let still = browser.get(&server.realm("demo", "/account/applications")).await;
    assert!(still.says("Night backup"), "this browser is signed in, and offline access goes on");
    server.refresh(&offline).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_user_changes_the_profile_and_is_told_what_does_not_fit() {
    let server = TestServer::start().await;
    let (browser, page) = open(&server, "/").await;
    assert!(page.says("Personal info"), "{}", page.html);
    let form = |first: &'static str, email: &'static str| {
        [("username", "alice"), ("firstName", first), ("lastName", "Example"), ("email", email)]
    };
    let wrong = submit(&browser, &page, &form("", "nonsense")).await;
    assert!(wrong.says("Please fill in this field.") && wrong.says("This is no email address."), "{}", wrong.html);
    let done = submit(&browser, &wrong, &form("Alicia", "alice@example.org")).await;
    assert!(done.says("Your account has been updated.") && done.says("Alicia Example"), "{}", done.html);
    let user = server.admin().await.get("/demo/users?username=alice&exact=true").await;
    assert_eq!((&user[0]["firstName"], &user[0]["emailVerified"]), (&json!("Alicia"), &json!(true)));
    let renamed = [("username", "root"), ("firstName", "A"), ("lastName", "E"), ("email", "alice@example.org")];
    assert!(submit(&browser, &done, &renamed).await.says("cannot be changed"));
    server.finish().await;
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let (browser, _) = open(&server, "/applications").await;
    let address = server.realm("demo", "/account/applications/demo-backup/remove");
    for csrf in ["", "guess"] {
        let refused = browser.post(&address, &[("csrf", csrf)]).await;
        assert_eq!(refused.status, 403, "{}", refused.html);
    }
    // Another browser's token is none of this one's.
    let (_, elsewhere) = open(&server, "/").await;
    let foreign = elsewhere.hidden()["csrf"].clone();
    assert_eq!(browser.post(&address, &[("csrf", foreign.as_str())]).await.status, 403);
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn the_way_back_belongs_to_the_browser_that_set_out() {
    let server = TestServer::start().await;
    let (victim, attacker) = (server.browser(), server.browser());
    let page = attacker.get(&server.realm("demo", "/account/")).await;
    assert!(page.says("Sign in to your account"));
    // A code of somebody else's sign-in is worth nothing here.
    for query in ["", "?state=x&code=y", "?error=access_denied&state=x"] {
        let back = victim.get(&server.realm("demo", &format!("/account/signed-in{query}"))).await;
        assert_eq!(back.status, 400, "{query}: {}", back.html);
    }
    let back = attacker.get(&server.realm("demo", "/account/signed-in?state=wrong&code=y")).await;
    assert_eq!(back.status, 400, "{}", back.html);
    server.finish().await;
}

#[tokio::test]
async fn whoever_has_no_role_or_no_console_gets_no_page() {
    let server = TestServer::start().await;
    let (browser, _) = open(&server, "/").await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let path = format!("/demo/users/{alice}/role-mappings/realm");
    let roles = admin.get(&path).await;
    let held: Vec<_> = roles.as_array().unwrap().iter().filter(|r| r["name"] == "default-roles-demo").cloned().collect();
    let taken = admin.call(reqwest::Method::DELETE, &path, Some(&json!(held))).await;
    assert_eq!(taken.status, 204, "{:?}", taken.body);
    let refused = browser.get(&server.realm("demo", "/account/")).await;
    assert_eq!((refused.status, refused.says("No access")), (403, true), "{}", refused.html);
    let console = admin.client("account-console").await;
    let off = json!({"enabled": false});
    assert_eq!(admin.call(reqwest::Method::PUT, &format!("/demo/clients/{console}"), Some(&off)).await.status, 204);
    assert!(browser.get(&server.realm("demo", "/account/")).await.says("Client disabled."));
    server.finish().await;
}

#[tokio::test]
async fn a_temporary_password_is_changed_before_the_console_opens() {
    let server = TestServer::start().await;
    let (browser, _) = open(&server, "/").await;
    server.admin().await.put_user(json!({"requiredActions": ["UPDATE_PASSWORD"]})).await;
    let asked = browser.get(&server.realm("demo", "/account/")).await;
    assert!(asked.says("Update password"), "{}", asked.html);
    server.finish().await;
}

#[tokio::test]
async fn unknown_pages_and_applications_are_told_so() {
    let server = TestServer::start().await;
    let (browser, _) = open(&server, "/").await;
    for path in ["/nonsense", "/applications/nobody/remove", "/applications/demo-spa/remove"] {
        let page = browser.get(&server.realm("demo", &format!("/account{path}"))).await;
        assert_eq!((page.status, page.says("Page not found")), (404, true), "{path}: {}", page.html);
    }
    assert_eq!(browser.get(&server.realm("nowhere", "/account/")).await.status, 404);
    server.finish().await;
}

#[tokio::test]
async fn a_closed_realm_has_no_console_and_nobody_frames_one() {
    let server = TestServer::start().await;
    let (browser, page) = open(&server, "/").await;
    let policies: Vec<_> = page.headers.get_all("content-security-policy").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(policies.iter().any(|p| p.contains("frame-ancestors 'none'")), "{policies:?}");
    server.admin().await.set(json!({"enabled": false})).await;
    let closed = browser.get(&server.realm("demo", "/account/applications")).await;
    assert!(closed.says("Realm not enabled"), "{}", closed.html);
    server.finish().await;
}

#[tokio::test]
async fn the_way_back_of_another_tab_leads_on() {
    let server = TestServer::start().await;
    let (browser, _) = open(&server, "/applications").await;
    let again = browser.get(&server.realm("demo", "/account/signed-in?state=of-another-tab&code=spent")).await;
    assert!(again.says("Personal info"), "{}", again.html);
    server.finish().await;
}

#[tokio::test]
async fn a_field_that_users_may_not_write_does_not_stand_in_the_way() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut profile = admin.get("/demo/users/profile").await;
    for attribute in profile["attributes"].as_array_mut().unwrap() {
        if attribute["name"] == "email" {
            attribute["permissions"] = json!({"view": ["admin"], "edit": ["admin"]});
        }
    }
    let put = admin.call(reqwest::Method::PUT, "/demo/users/profile", Some(&profile)).await;
    assert_eq!(put.status, 200, "{:?}", put.body);
    let (browser, page) = open(&server, "/").await;
    assert!(!page.says("Email"), "{}", page.html);
    let done = submit(&browser, &page, &[("username", "alice"), ("firstName", "Alicia"), ("lastName", "Example")]).await;
    assert!(done.says("Your account has been updated."), "{}", done.html);
    let user = admin.get("/demo/users?username=alice&exact=true").await;
    assert_eq!((&user[0]["email"], &user[0]["firstName"]), (&json!("alice@example.org"), &json!("Alicia")));
    server.finish().await;
}

#[tokio::test]
async fn one_grant_of_several_is_ended_and_the_others_go_on() {
    let server = TestServer::start().await;
    let first = server.offline_token().await;
    server.advance(Duration::from_secs(60));
    let second = server.offline_token().await;
    let (browser, page) = open(&server, "/applications").await;
    // The form that stands first is that of the grant used last.
    let done = submit(&browser, &page, &[]).await;
    assert!(done.says("This offline access was ended."), "{}", done.html);
    assert_eq!(server.refresh(&second).await.refusal().2, "Offline user session not found");
    server.refresh(&first).await.granted();
    // A grant of somebody else, or of no one, is none of this user's.
    let csrf = page.hidden()["csrf"].clone();
    let address = server.realm("demo", "/account/applications/demo-backup/grants/nonsense/end");
    assert_eq!(browser.post(&address, &[("csrf", csrf.as_str())]).await.status, 404);
    server.finish().await;
}
