//! The consent page: asked, remembered, denied, once.

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
