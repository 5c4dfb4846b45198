//! The authorization code: once, for its client, its redirect URI, its verifier (RFC 6749 §4.1, RFC 7636).

use std::time::Duration;

use crate::rotation::futures;
use crate::support::{Answer, TestServer, refresh_token};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://localhost:3000/cb";

async fn code(server: &TestServer) -> String {
    let more = [("scope", "openid offline_access"), ("code_challenge", CHALLENGE), ("code_challenge_method", "S256")];
    server.browser().sign_in("demo-spa", &more).await.parameter("code").unwrap()
}

async fn exchange(server: &TestServer, code: &str, verifier: &str, redirect_uri: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "demo-spa"),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ];
    server.post(&server.endpoint("/token"), &form).await
}

#[tokio::test]
async fn eight_exchanges_at_once_one_wins() {
    let server = TestServer::start().await;
    let code = code(&server).await;
    let answers = futures((0..8).map(|_| exchange(&server, &code, VERIFIER, CALLBACK))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().filter(|a| a.status != 200).all(|a| a.refusal().1 == "invalid_grant"));
    server.finish().await;
}

#[tokio::test]
async fn a_code_that_comes_back_takes_its_tokens_along() {
    let server = TestServer::start().await;
    let code = code(&server).await;
    let tokens = exchange(&server, &code, VERIFIER, CALLBACK).await.granted();
    let replay = exchange(&server, &code, VERIFIER, CALLBACK).await;
    assert_eq!(replay.refusal(), (400, "invalid_grant", "Code not valid"));
    let token = refresh_token(&tokens);
    let form = [("grant_type", "refresh_token"), ("client_id", "demo-spa"), ("refresh_token", token.as_str())];
    assert_eq!(server.post(&server.endpoint("/token"), &form).await.refusal().1, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn a_wrong_verifier_or_redirect_uri_is_refused() {
    let server = TestServer::start().await;
    let first = code(&server).await;
    let wrong = exchange(&server, &first, &VERIFIER.replace('d', "e"), CALLBACK).await;
    assert_eq!(wrong.refusal().1, "invalid_grant");
    let second = code(&server).await;
    let wrong = exchange(&server, &second, VERIFIER, "http://localhost:3000/other").await;
    assert_eq!(wrong.refusal(), (400, "invalid_grant", "Incorrect redirect_uri"));
    server.finish().await;
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let server = TestServer::start().await;
    let code = code(&server).await;
    server.advance(Duration::from_secs(61));
    assert_eq!(exchange(&server, &code, VERIFIER, CALLBACK).await.refusal().1, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_has_to_prove_itself_does_not_get_around_it() {
    let server = TestServer::start().await;
    let page = server.browser().get(&server.authorization("demo-spa", &[("scope", "openid")])).await;
    assert_eq!(page.parameter("error").as_deref(), Some("invalid_request"));
    assert_eq!(page.parameter("error_description").as_deref(), Some("Missing parameter: code_challenge_method"));
    server.finish().await;
}
