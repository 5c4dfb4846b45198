//! Every endpoint with missing, doubled, oversized, malformed, expired, foreign and replayed input: a clear answer, and nothing
//! is lost.

use std::time::Duration;

use base64::Engine;
use nightlatch::base::Entropy;
use serde_json::json;
use sqlx::Connection;

use crate::support::{Answer, TestServer, database_address};

const ENDPOINTS: [&str; 4] = ["/token", "/token/introspect", "/revoke", "/userinfo"];

#[tokio::test]
async fn a_doubled_parameter_makes_the_request_invalid() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    for path in ["/token", "/token/introspect", "/revoke"] {
        let form = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("token", &*token), ("token", &*token)];
        assert_eq!(server.as_backup(path, &form).await.refusal(), (400, "invalid_request", "duplicated parameter"), "{path}");
    }
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn missing_parameters_are_named() {
    let server = TestServer::start().await;
    for (form, status, error, text) in [
        (vec![], 400, "invalid_request", "Missing form parameter: grant_type"),
        (vec![("grant_type", "refresh_token")], 400, "invalid_request", "No refresh token"),
        (vec![("grant_type", "authorization_code")], 400, "invalid_request", "Missing parameter: code"),
        (vec![("grant_type", "password")], 401, "invalid_request", "Missing parameter: username"),
        (vec![("grant_type", "nonsense")], 400, "unsupported_grant_type", "Unsupported grant_type"),
    ] {
        assert_eq!(server.as_backup("/token", &form).await.refusal(), (status, error, text));
    }
    assert_eq!(server.as_backup("/token/introspect", &[]).await.refusal().2, "Token not provided.");
    assert_eq!(server.as_backup("/revoke", &[]).await.refusal().2, "Token not provided");
    server.finish().await;
}

#[tokio::test]
async fn oversized_input_is_refused_before_it_costs_anything() {
    let server = TestServer::start().await;
    let big = "x".repeat(70 * 1024);
    for path in ENDPOINTS {
        let answer = server.as_backup(path, &[("grant_type", "refresh_token"), ("refresh_token", &*big)]).await;
        assert_eq!(answer.status, 413, "{path}");
    }
    let long = "y".repeat(20 * 1024);
    let answer = server.http.get(server.endpoint("/userinfo")).bearer_auth(&long).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 431);
    let answer = server.http.get(format!("{}?state={long}", server.endpoint("/auth"))).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 431);
    server.finish().await;
}

#[tokio::test]
async fn malformed_tokens_are_no_tokens_anywhere() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid offline_access").await;
    let good = tokens["access_token"].as_str().unwrap();
    let cut = &good[..good.len() - 8];
    let none = format!("eyJhbGciOiJub25lIn0.{}.", good.split('.').nth(1).unwrap());
    for bad in ["", ".", "..", "a.b.c", "ünïcode", cut, &none, &"a".repeat(9000)] {
        assert_eq!(server.refresh(bad).await.refusal().1, "invalid_grant", "{bad:.20}");
        let introspected = server.as_backup("/token/introspect", &[("token", bad)]).await;
        assert_eq!(introspected.body, json!({"active": false}), "{bad:.20}");
        let revoked = server.as_backup("/revoke", &[("token", bad)]).await;
        assert_eq!(revoked.body["error"], json!("invalid_token"), "{bad:.20}");
        let userinfo = server.post(&server.endpoint("/userinfo"), &[("access_token", bad)]).await;
        assert_eq!(userinfo.status, 401, "{bad:.20}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_token_of_another_realm_is_refused() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let user_info = server.http.get(server.endpoint("/userinfo")).bearer_auth(admin.token()).send().await.unwrap();
    assert_eq!(user_info.status().as_u16(), 401);
    let introspected = server.as_backup("/token/introspect", &[("token", admin.token())]).await;
    assert_eq!(introspected.body, json!({"active": false}));
    let tokens = server.sign_in("openid offline_access").await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("client_id", "admin-cli"), ("refresh_token", token)];
    let foreign = server.post(&server.realm("master", "/protocol/openid-connect/token"), &form).await;
    assert_eq!(foreign.refusal().1, "invalid_grant");
    server.refresh(token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn malformed_credentials_of_a_client_are_none() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let wrong = [
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        format!("Basic {}", encode(b"demo-backup")),
        format!("Basic {}", encode(b"\xff\xfe:\xff")),
        format!("Basic {}", encode(b"demo%zzbackup:demo-backup-secret")),
        format!("Basic {}", encode(b"nobody:demo-backup-secret")),
        format!("Basic {}", encode(b"demo-backup:demo-backup-secret\0")),
        format!("Bearer {token}"),
    ];
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
    for authorization in wrong {
        let request = server.http.post(server.endpoint("/token")).header("authorization", &authorization).form(&form);
        let answer = Answer::of(request.send().await.unwrap()).await;
        let (status, error, _) = answer.refusal();
        assert_eq!((status, error), (401, "invalid_client"), "{authorization:.60}");
    }
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn no_bytes_make_an_endpoint_fail() {
    let server = TestServer::start().await;
    // A changed byte may leave a good request: the logout of this token, and of no other.
    let (token, other) = (server.offline_token().await, server.offline_token().await);
    let entropy = Entropy::seeded(7);
    let mut bodies: Vec<Vec<u8>> =
        ["%", "%zz=1", "grant_type=%ff", "=&=&;&", "grant_type=refresh_token&refresh_token=%00", "\0", "{}"]
            .map(|text| text.as_bytes().to_vec())
            .into();
    // Half of them noise, half of them a good request with noise in it.
    for _ in 0..100 {
        bodies.push(entropy.bytes::<48>().to_vec());
        let mut near = format!("grant_type=refresh_token&refresh_token={token}").into_bytes();
        let at = usize::from(entropy.bytes::<1>()[0]) % near.len();
        near[at] ^= entropy.bytes::<1>()[0] | 1;
        bodies.push(near);
    }
    let paths = ["/token", "/token/introspect", "/revoke", "/userinfo", "/logout", "/auth"];
    for (body, path) in bodies.into_iter().zip(paths.into_iter().cycle()) {
        let request = server.http.post(server.endpoint(path)).basic_auth("demo-backup", Some("demo-backup-secret"));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.clone());
        let status = request.send().await.unwrap().status().as_u16();
        assert!(status < 500, "{path} answers {status} to {:?}", String::from_utf8_lossy(&body));
    }
    server.refresh(&other).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn expired_tokens_are_refused() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid").await;
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    server.advance(Duration::from_secs(301));
    let user_info = server.http.get(server.endpoint("/userinfo")).bearer_auth(&access).send().await.unwrap();
    assert_eq!(user_info.status().as_u16(), 401);
    assert_eq!(server.as_backup("/token/introspect", &[("token", &*access)]).await.body, json!({"active": false}));
    server.finish().await;
}

#[tokio::test]
async fn unknown_realms_paths_and_verbs_have_their_own_answers() {
    let server = TestServer::start().await;
    let get = async |address: String| Answer::of(server.http.get(address).send().await.unwrap()).await;
    let missing = get(server.realm("nowhere", "/protocol/openid-connect/certs")).await;
    assert_eq!((missing.status, missing.body), (404, json!({"error": "Realm does not exist"})));
    let path = get(server.endpoint("/nonsense")).await;
    assert_eq!((path.status, path.body), (404, json!({"error": "HTTP 404 Not Found"})));
    let verb = get(server.endpoint("/token")).await;
    assert_eq!((verb.status, verb.body), (405, json!({"error": "HTTP 405 Method Not Allowed"})));
    let climbing = get(format!("{}/realms/demo//protocol", server.base)).await;
    assert_eq!(climbing.status, 400);
    let page = server.browser().get(&server.realm("nowhere", "/protocol/openid-connect/auth")).await;
    assert_eq!((page.status, page.says("Page not found")), (404, true));
    server.finish().await;
}

#[tokio::test]
async fn sign_in_pages_bear_any_parameters() {
    let server = TestServer::start().await;
    let browser = server.browser();
    let more = [
        "client_id=demo-backup&client_id=demo-spa",
        "client_id=%ff&redirect_uri=x",
        "client_id=demo-backup&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb&response_type=code&max_age=abc",
        "client_id=demo-backup&redirect_uri=http%3A%2F%2Flocalhost%3A3000%2Fcb&request=eyJ",
        "",
    ];
    for query in more {
        let page = browser.get(&format!("{}?{query}", server.endpoint("/auth"))).await;
        assert_eq!(page.status, 400, "{query}: {}", page.html);
    }
    for path in ["authenticate", "required-action", "consent", "restart"] {
        let address = server.realm("demo", &format!("/login-actions/{path}?tab_id=x&session_code=y&client_id=z"));
        assert_eq!(browser.get(&address).await.status, 400, "{path}");
        if path != "restart" {
            assert_eq!(browser.post(&address, &[("username", "alice"), ("accept", "Yes")]).await.status, 400, "{path}");
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn the_admin_api_says_what_is_wrong_with_a_body() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let post = async |path: &str, body: &'static str, kind: &str| {
        let address = format!("{}/admin/realms{path}", server.base);
        let request = server.http.post(address).bearer_auth(admin.token()).header("content-type", kind).body(body);
        Answer::of(request.send().await.unwrap()).await
    };
    let broken = post("/demo/users", "{\"username\":", "application/json").await;
    assert_eq!(broken.refusal(), (400, "invalid_request", "Cannot parse the JSON"));
    let unknown = post("/demo/users", "{\"x\":1}", "application/json").await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.body["error"].as_str().unwrap().contains("Unrecognized field \"x\""), "{:?}", unknown.body);
    assert_eq!(post("/demo/users", "username=x", "application/x-www-form-urlencoded").await.status, 415);
    let deep: &'static str = Box::leak("[".repeat(100_000).into_boxed_str());
    assert_eq!(post("/demo/users", deep, "application/json").await.status, 400);
    let without = server.http.get(format!("{}/admin/realms/demo/users", server.base)).send().await.unwrap();
    let without = Answer::of(without).await;
    assert_eq!((without.status, without.body), (401, json!({"error": "HTTP 401 Unauthorized"})));
    server.finish().await;
}

#[tokio::test]
async fn a_nul_is_bad_input_and_not_an_outage() {
    let server = TestServer::start().await;
    let nul = "a\0b";
    let form = [("grant_type", "password"), ("username", nul), ("password", "x")];
    assert_eq!(server.as_backup("/token", &form).await.refusal().0, 400);
    for name in ["state", "nonce", "login_hint", "scope"] {
        let page = server.browser().get(&server.authorization("demo-backup", &[(name, nul)])).await;
        assert_eq!(page.status, 400, "{name}");
    }
    let admin = server.admin().await;
    let body = json!({"username": nul, "enabled": true});
    assert_eq!(admin.call(reqwest::Method::POST, "/demo/users", Some(&body)).await.status, 400);
    let body = json!({"attributes": {"a": [nul]}});
    admin.call(reqwest::Method::PUT, "/demo", Some(&json!({"attributes": {"a": nul}}))).await;
    let path = format!("/demo/users/{}", admin.alice().await);
    assert_ne!(admin.call(reqwest::Method::PUT, &path, Some(&body)).await.status, 503);
    assert_eq!(admin.call(reqwest::Method::GET, "/demo/users?search=%00", None).await.status, 400);
    server.finish().await;
}

#[tokio::test]
async fn a_row_that_is_held_is_waited_for_in_bounds() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let mut holder = sqlx::PgConnection::connect(&database_address(&server.database)).await.unwrap();
    sqlx::raw_sql("begin; select 1 from chain for update").execute(&mut holder).await.unwrap();
    let waited = server.refresh(&token).await;
    assert_eq!((waited.status, waited.refusal().1), (503, "temporarily_unavailable"));
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn an_event_names_the_client_that_was_claimed_if_it_could_be_one() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(serde_json::json!({"eventsEnabled": true, "enabledEventTypes": ["CLIENT_LOGIN_ERROR"]})).await;
    let long = "x".repeat(256);
    for id in ["nobody", long.as_str()] {
        let form = [("client_id", id), ("client_secret", "s"), ("grant_type", "client_credentials")];
        assert_eq!(server.post(&server.endpoint("/token"), &form).await.status, 401, "{id:?}");
    }
    for id in ["somebody", "nul%00l"] {
        let request = server.http.post(server.endpoint("/token")).basic_auth(id, Some("s"));
        assert_eq!(request.form(&[("grant_type", "client_credentials")]).send().await.unwrap().status(), 401, "{id:?}");
    }
    let events = server.admin().await.get("/demo/events?type=CLIENT_LOGIN_ERROR").await;
    let mut named: Vec<_> = events.as_array().unwrap().iter().map(|event| event["clientId"].as_str()).collect();
    named.sort_unstable();
    assert_eq!(named, [None, None, Some("nobody"), Some("somebody")], "{events}");
    server.finish().await;
}
