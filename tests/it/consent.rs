//! The consent page: asked, remembered, denied, once.

use nightlatch::base::sha256;
use nightlatch::model::TabId;
use nightlatch::store::authentication_session::{self, Advance};

use crate::rotation::futures;
use crate::support::{Browser, Shown, TestServer};

async fn at_consent<'a>(server: &'a TestServer) -> (Browser<'a>, Shown) {
    let browser = server.browser();
    let page = browser.sign_in("demo-partner", &[("scope", "openid offline_access")]).await;
    assert!(page.says("Partner application"), "{}", page.html);
    (browser, page)
}

#[tokio::test]
async fn the_user_is_told_for_how_long_and_agrees_once() {
    let server = TestServer::start().await;
    let (browser, page) = at_consent(&server).await;
    assert!(page.says("30 days"), "the terms of offline access are shown: {}", page.html);
    let code = page.hidden()["code"].clone();
    let back = browser.post(&page.action(), &[("code", code.as_str()), ("accept", "Yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.address);
    // A second request is not asked again.
    let back = browser.get(&server.authorization("demo-partner", &[("scope", "openid offline_access")])).await;
    assert!(back.parameter("code").is_some(), "{}", back.address);
    server.finish().await;
}

#[tokio::test]
async fn a_no_goes_back_to_the_client_and_grants_nothing() {
    let server = TestServer::start().await;
    let (browser, page) = at_consent(&server).await;
    let code = page.hidden()["code"].clone();
    let back = browser.post(&page.action(), &[("code", code.as_str()), ("cancel", "No")]).await;
    assert_eq!(back.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(back.parameter("state").as_deref(), Some("s"));
    server.finish().await;
}

#[tokio::test]
async fn eight_yeses_at_once_one_code() {
    let server = TestServer::start().await;
    let (browser, page) = at_consent(&server).await;
    let (action, code) = (page.action(), page.hidden()["code"].clone());
    let form = [("code", code.as_str()), ("accept", "Yes")];
    let answers = futures((0..8).map(|_| browser.post(&action, &form))).await;
    assert_eq!(answers.iter().filter(|a| a.parameter("code").is_some()).count(), 1, "{answers:?}");
    server.finish().await;
}

#[tokio::test]
async fn another_browser_cannot_answer_for_the_user() {
    let server = TestServer::start().await;
    let (_, page) = at_consent(&server).await;
    let code = page.hidden()["code"].clone();
    let stranger = server.browser();
    let answer = stranger.post(&page.action(), &[("code", code.as_str()), ("accept", "Yes")]).await;
    assert_eq!(answer.status, 400);
    assert!(answer.parameter("code").is_none());
    server.finish().await;
}

#[tokio::test]
async fn what_the_page_did_not_show_is_not_agreed_to() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let page = browser.sign_in("demo-partner", &[("scope", "openid")]).await;
    assert!(!page.says("phone number"), "{}", page.html);
    let admin = server.admin().await;
    let (client, scopes) = (admin.client("demo-partner").await, admin.get("/demo/client-scopes").await);
    let phone = scopes.as_array().unwrap().iter().find(|s| s["name"] == "phone").unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/demo/clients/{client}/default-client-scopes/{phone}");
    admin.delete(&path.replace("default-client", "optional-client")).await;
    assert_eq!(admin.call(reqwest::Method::PUT, &path, None).await.status, 204);
    let yes = |page: &Shown| [("code", page.hidden()["code"].clone()), ("accept", "Yes".to_owned())];
    let form = yes(&page);
    let again = browser.post(&page.action(), &form.each_ref().map(|(n, v)| (*n, v.as_str()))).await;
    assert!(again.says("Phone number"), "{}", again.html);
    let consents = admin.get(&format!("/demo/users/{}/consents", admin.alice().await)).await;
    assert_eq!(consents, serde_json::json!([]));
    let form = yes(&again);
    let back = browser.post(&again.action(), &form.each_ref().map(|(n, v)| (*n, v.as_str()))).await;
    assert!(back.parameter("code").is_some(), "{}", back.address);
    server.finish().await;
}

#[tokio::test]
async fn a_reload_that_comes_late_does_not_bring_a_finished_tab_back() {
    let server = TestServer::start().await;
    let (browser, page) = at_consent(&server).await;
    let handle = sha256(browser.cookie("AUTH_SESSION_ID").unwrap().as_bytes());
    let realm = server.server.realms.get(&server.server.store, "demo").await.unwrap().unwrap().snapshot.realm.id.clone();
    let tab = TabId::new(page.parameter("tab_id").unwrap());
    let mut db = server.server.store.db().await.unwrap();
    let read = authentication_session::find_tab(&mut db, &realm, &tab, &handle).await.unwrap().unwrap();
    let code = page.hidden()["code"].clone();
    let back = browser.post(&page.action(), &[("code", code.as_str()), ("accept", "Yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.address);
    let again = Advance { progress: &read.progress, form_hash: &[7; 32], expires_at: read.expires_at };
    assert!(!authentication_session::advance(&mut db, &realm, &read, again).await.unwrap());
    drop(db);
    server.finish().await;
}

#[tokio::test]
async fn a_realm_may_pass_over_offline_access_that_nobody_is_prompted_for() {
    let server = TestServer::start().await;
    let attributes = serde_json::json!({"nightlatch.offline.access.needs.prompt.consent": "true"});
    server.admin().await.set(serde_json::json!({ "attributes": attributes })).await;
    let browser = server.browser();
    let page = browser.sign_in("demo-partner", &[("scope", "openid offline_access")]).await;
    assert!(page.says("Partner application") && !page.says("30 days"), "offline access is not spoken of: {}", page.html);
    let back = browser.post(&page.action(), &[("code", page.hidden()["code"].as_str()), ("accept", "Yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.address);
    // It is asked for with the prompt, and stays to be asked for each time.
    for _ in 0..2 {
        let prompted = [("scope", "openid offline_access"), ("prompt", "consent")];
        let page = browser.get(&server.authorization("demo-partner", &prompted)).await;
        assert!(page.says("30 days"), "{}", page.html);
        let back = browser.post(&page.action(), &[("code", page.hidden()["code"].as_str()), ("accept", "Yes")]).await;
        assert!(back.parameter("code").is_some(), "{}", back.address);
    }
    // Without it again: the consent that is there does not stand in for it.
    let back = browser.get(&server.authorization("demo-partner", &[("scope", "openid offline_access")])).await;
    let code = back.parameter("code").expect("nothing is asked");
    let redirect = "http://localhost:3000/cb";
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", redirect),
        ("client_id", "demo-partner"),
        ("client_secret", "demo-partner-secret"),
    ];
    let tokens = server.post(&server.endpoint("/token"), &form).await.granted();
    assert!(!tokens["scope"].as_str().unwrap().contains("offline_access"), "{tokens}");
    assert_ne!(tokens["refresh_expires_in"], 0, "an online session");
    server.finish().await;
}
