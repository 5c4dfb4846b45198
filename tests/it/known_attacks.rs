//! Attacks that other servers fell to, by the ids under which they are known. Those by what was issued before stand in
//! `issued_before`, Keycloak's issues without such an id in `better_than_keycloak`.

use std::collections::BTreeSet;
use std::time::Duration;

use nightlatch::oidc::token_id::generation_of;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rotation::futures;
use crate::support::{Answer, Shown, TestServer, claims, refresh_token};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cve_2026_1035_of_sixty_four_parallel_refreshes_of_one_token_one_rotates() {
    // Strict; with some reuse; with enough of it for all.
    for (max_reuse, expected) in [(0, 1), (10, 11), (63, 64)] {
        let server = TestServer::start().await;
        server.admin().await.set(json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": max_reuse})).await;
        let token = server.offline_token().await;
        let answers = futures((0..64).map(|_| server.refresh(&token))).await;
        let (granted, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
        assert_eq!(granted.len(), expected, "{max_reuse}: {refused:?}");
        for answer in refused {
            assert_eq!((answer.status, answer.refusal().1), (400, "invalid_grant"), "{max_reuse}: {:?}", answer.body);
        }
        let mut successors: Vec<String> = granted.into_iter().map(|answer| refresh_token(&answer.granted())).collect();
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 1, "{max_reuse}: every answer names the one successor");
        let id = claims(&json!(successors[0]))["jti"].as_str().unwrap().to_owned();
        assert_eq!(generation_of(&id), 1, "{max_reuse}: one rotation");
        server.finish().await;
    }
}

#[tokio::test]
async fn cve_2026_9802_a_restart_does_not_forget_what_was_used() {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": 0})).await;
    let first = server.offline_token().await;
    server.refresh(&first).await.granted();
    server
        .server
        .realms
        .invalidate(&server.server.realms.get(&server.server.store, "demo").await.unwrap().unwrap().snapshot.realm.id);
    // A node that has just started knows nothing but the database.
    let fresh = TestServer::on(&server.database, 2).await;
    let answer = fresh.refresh_at(&server.host(), &first).await;
    assert_eq!(answer.refusal(), (400, "invalid_grant", "Maximum allowed refresh token reuse exceeded"));
    fresh.stop().await;
    server.finish().await;
}

async fn make_bob(server: &TestServer) {
    let bob = json!({"username": "bob", "enabled": true, "email": "bob@example.org", "firstName": "Bob", "lastName": "Example",
        "credentials": [{"type": "password", "value": "bob"}]});
    assert_eq!(server.admin().await.call(Method::POST, "/demo/users", Some(&bob)).await.status, 201);
}

/// The tokens for the code that a browser came back with.
async fn exchange(server: &TestServer, back: &Shown) -> Value {
    let code = back.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    server.as_backup("/token", &form).await.granted()
}

#[tokio::test]
async fn cve_2022_3916_the_next_user_of_a_browser_does_not_get_the_sessions_of_the_last() {
    let server = TestServer::start().await;
    make_bob(&server).await;
    let browser = server.browser();
    let scope = [("scope", "openid offline_access")];
    let alice = exchange(&server, &browser.sign_in("demo-backup", &scope).await).await;
    // A logout that the server never heard of: the browser forgets, or another tab is used.
    let again =
        browser.get(&server.authorization("demo-backup", &[("scope", "openid offline_access"), ("prompt", "login")])).await;
    let restarted = browser.get(&again.action().replace("/authenticate?", "/restart?")).await;
    let back = browser.post(&restarted.action(), &[("username", "bob"), ("password", "bob")]).await;
    let bob = exchange(&server, &back).await;
    let (alices, bobs) = (claims(&alice["access_token"]), claims(&bob["access_token"]));
    assert_ne!(alices["sub"], bobs["sub"]);
    assert_ne!(alices["sid"], bobs["sid"]);
    let refreshed = server.refresh(&refresh_token(&alice)).await.granted();
    assert_eq!(claims(&refreshed["access_token"])["sub"], alices["sub"]);
    server.finish().await;
}

/// Keycloak took the session's id from a cookie that outlived the logout (keycloak#44168, #46239).
#[tokio::test]
async fn cve_2025_12390_a_browser_that_kept_its_cookies_gets_a_session_of_its_own_at_every_sign_in() {
    let server = TestServer::start().await;
    make_bob(&server).await;
    let browser = server.browser();
    let (mut sids, mut held) = (BTreeSet::new(), Vec::new());
    for who in ["alice", "bob", "alice", "bob"] {
        let page = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
        let back = browser.post(&page.action(), &[("username", who), ("password", who)]).await;
        let online = exchange(&server, &back).await;
        let back = browser.get(&server.authorization("demo-backup", &[("scope", "openid offline_access")])).await;
        let offline = exchange(&server, &back).await;
        let told = claims(&offline["access_token"]);
        assert!(sids.insert(told["sid"].to_string()), "the session of an earlier sign-in is used again: {sids:?}");
        assert_eq!(told["preferred_username"], who);
        held.push((who, told["sub"].clone(), refresh_token(&offline)));
        // The client signs the user out behind the browser's back.
        let out = [("refresh_token", &*refresh_token(&online))];
        assert_eq!(server.as_backup("/logout", &out).await.status, 204);
    }
    for (who, sub, token) in &held {
        let refreshed = claims(&server.refresh(token).await.granted()["access_token"]);
        assert_eq!((&refreshed["sub"], &refreshed["preferred_username"]), (sub, &json!(who)));
    }
    let subs: Vec<_> = held.iter().map(|(_, sub, _)| sub).collect();
    assert_eq!((subs[0], subs[1]), (subs[2], subs[3]));
    assert_ne!(subs[0], subs[1]);
    server.finish().await;
}

/// A session of Remember me lives for days; once the realm does not remember any more, it has the time of every other.
#[tokio::test]
async fn ghsa_64w3_5q9m_68xf_a_remembered_session_does_not_outlive_the_realms_switch() {
    let server = TestServer::start().await;
    let long = json!({"rememberMe": true, "ssoSessionIdleTimeoutRememberMe": 86_400, "ssoSessionMaxLifespanRememberMe": 864_000});
    server.admin().await.set(long).await;
    let browser = server.browser();
    let form = browser.get(&server.authorization("demo-backup", &[("scope", "openid")])).await;
    let signed_in = [("username", "alice"), ("password", "alice"), ("rememberMe", "on")];
    let code = browser.post(&form.action(), &signed_in).await.parameter("code").unwrap();
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    let token = refresh_token(&server.as_backup("/token", &form).await.granted());
    server.advance(Duration::from_secs(7_200));
    let token = refresh_token(&server.refresh(&token).await.granted());
    server.admin().await.set(json!({"rememberMe": false})).await;
    server.advance(Duration::from_secs(1_801));
    assert_eq!(server.refresh(&token).await.refusal().1, "invalid_grant");
    let again = browser.get(&server.authorization("demo-backup", &[("scope", "openid"), ("prompt", "none")])).await;
    assert_eq!(again.parameter("error").as_deref(), Some("login_required"));
    server.finish().await;
}

#[tokio::test]
async fn ghsa_895x_rfqp_jh5c_an_offline_session_ends_with_the_scope_of_its_client() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let scopes = admin.get("/demo/client-scopes").await;
    let scope = scopes.as_array().unwrap().iter().find(|s| s["name"] == "offline_access").unwrap();
    let id = scope["id"].as_str().unwrap();
    assert_eq!(admin.delete(&format!("/demo/clients/{client}/optional-client-scopes/{id}")).await.status, 204);
    assert_eq!(server.refresh(&token).await.refusal().1, "invalid_grant");
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_53512_a_refresh_needs_the_clients_secret() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "demo-backup")];
    let answer = server.post(&server.endpoint("/token"), &form).await;
    // Keycloak's word for a client that it knows; `invalid_client` is for one that it does not, or for none.
    assert_eq!((answer.status, answer.refusal().1), (401, "unauthorized_client"));
    let answer = server.post(&server.endpoint("/token"), &form[..2]).await;
    assert_eq!((answer.status, answer.refusal().1), (401, "invalid_client"));
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_55672_a_token_is_bound_to_its_client() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*token),
        ("client_id", "demo-partner"),
        ("client_secret", "demo-partner-secret"),
    ];
    assert_eq!(server.post(&server.endpoint("/token"), &form).await.refusal().1, "invalid_grant");
    server.refresh(&token).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_101023_only_a_refresh_token_refreshes() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid offline_access").await;
    for name in ["access_token", "id_token"] {
        assert_eq!(server.refresh(tokens[name].as_str().unwrap()).await.refusal().1, "invalid_grant", "{name}");
    }
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_118669_a_header_of_one_client_does_not_speak_for_another() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let form = [("grant_type", "refresh_token"), ("refresh_token", &*token), ("client_id", "demo-partner")];
    assert_eq!(server.as_backup("/token", &form).await.refusal().1, "invalid_client");
    server.finish().await;
}

#[tokio::test]
async fn cve_2020_15223_a_revocation_that_could_not_be_stored_is_not_called_one() {
    let server = TestServer::without_database().await;
    assert_eq!(server.as_backup("/revoke", &[("token", "x")]).await.status, 503);
    server.stop().await;
}

#[tokio::test]
async fn cve_2023_0091_a_revoked_token_of_a_service_account_is_inactive() {
    let server = TestServer::start().await;
    let tokens = server.as_backup("/token", &[("grant_type", "client_credentials"), ("scope", "openid")]).await.granted();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(server.as_backup("/token/introspect", &[("token", token)]).await.body["active"], json!(true));
    assert_eq!(server.as_backup("/revoke", &[("token", token)]).await.status, 200);
    assert_eq!(server.as_backup("/token/introspect", &[("token", token)]).await.body, json!({"active": false}));
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_16089_a_code_with_a_changed_character_is_none() {
    let server = TestServer::start().await;
    let code = server.browser().sign_in("demo-backup", &[("scope", "openid")]).await.parameter("code").unwrap();
    for at in [0, code.len() / 2, code.len() - 1] {
        let mut changed: Vec<char> = code.chars().collect();
        changed[at] = if changed[at] == 'A' { 'B' } else { 'A' };
        let changed: String = changed.into_iter().collect();
        if changed == code {
            continue;
        }
        let form = [("grant_type", "authorization_code"), ("code", &*changed), ("redirect_uri", "http://localhost:3000/cb")];
        assert_eq!(server.as_backup("/token", &form).await.refusal(), (400, "invalid_grant", "Code not valid"));
    }
    // Nobody who cannot redeem a sign-in can end it.
    let form = [("grant_type", "authorization_code"), ("code", &*code), ("redirect_uri", "http://localhost:3000/cb")];
    server.as_backup("/token", &form).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_7507_a_sign_in_belongs_to_the_browser_that_began_it() {
    let server = TestServer::start().await;
    let (attacker, victim) = (server.browser(), server.browser());
    let page = attacker.get(&server.authorization("demo-backup", &[])).await;
    victim.sign_in("demo-backup", &[]).await;
    let taken = victim.get(&page.action().replace("/authenticate?", "/restart?")).await;
    assert_eq!(taken.status, 400);
    let taken = victim.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert_eq!(taken.status, 400);
    server.finish().await;
}

#[tokio::test]
async fn cve_2019_3868_a_token_is_no_cookie() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid").await;
    let browser = server.browser();
    for name in ["access_token", "id_token", "refresh_token", "session_state"] {
        browser.set_cookie("KEYCLOAK_IDENTITY", tokens[name].as_str().unwrap());
        let back = browser.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
        assert_eq!(back.parameter("error").as_deref(), Some("login_required"), "{name}");
    }
    server.finish().await;
}

#[tokio::test]
async fn cve_2018_14655_a_state_is_never_markup() {
    let server = TestServer::start().await;
    let evil = "\"><svg onload=alert(1)>";
    let address = server.authorization("demo-backup", &[("response_mode", "form_post")]).replace("state=s", &{
        let encoded: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        format!("state={encoded}")
    });
    let browser = server.browser();
    let page = browser.get(&address).await;
    let posted = browser.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await;
    assert!(!posted.html.contains("<svg onload") && posted.hidden()["state"] == evil, "{}", posted.html);
    assert!(posted.headers.get_all("content-security-policy").iter().any(|p| p.to_str().unwrap().contains("default-src 'none'")));
    server.finish().await;
}

#[tokio::test]
async fn cve_2020_10734_a_link_does_not_sign_anybody_out() {
    let server = TestServer::start().await;
    let browser = server.browser();
    browser.sign_in("demo-backup", &[]).await;
    let asked = browser.get(&server.endpoint("/logout")).await;
    assert!(asked.says("Do you want to log out?"));
    let guessed = browser.post(&asked.action(), &[("session_code", "guessed"), ("confirmLogout", "Logout")]).await;
    assert_eq!(guessed.status, 400);
    let still = browser.get(&server.authorization("demo-backup", &[("prompt", "none")])).await;
    assert!(still.parameter("code").is_some());
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_37977_an_unverified_token_names_no_origin() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid").await;
    let token = tokens["access_token"].as_str().unwrap();
    let request = server.http.get(server.endpoint("/userinfo")).bearer_auth(token).header("origin", "https://evil.example");
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!((answer.status, answer.body), (403, json!({"error": "Invalid origin"})));
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_4633_a_wrong_password_and_an_unknown_user_are_told_alike() {
    let server = TestServer::start().await;
    let mut answers = Vec::new();
    for name in ["alice", "nobody"] {
        let form = [("grant_type", "password"), ("username", name), ("password", "wrong")];
        let answer = server.as_backup("/token", &form).await;
        answers.push((answer.status, answer.body));
    }
    assert_eq!(answers[0], answers[1]);
    server.finish().await;
}

#[tokio::test]
async fn a_role_does_not_become_administrative_by_being_renamed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let management = admin.client("realm-management").await;
    let path = format!("/demo/clients/{management}");
    let renamed = json!({"clientId": "old-management"});
    assert_eq!(admin.call(Method::PUT, &path, Some(&renamed)).await.status, 403);
    assert_eq!(admin.delete(&path).await.status, 403);
    assert_eq!(admin.delete(&format!("{path}/roles/manage-realm")).await.status, 403);
    let harmless = json!({"name": "harmless"});
    assert_eq!(admin.call(Method::POST, &format!("{path}/roles"), Some(&harmless)).await.status, 201);
    let grown = json!({"name": "realm-admin"});
    assert_eq!(admin.call(Method::PUT, &format!("{path}/roles/harmless"), Some(&grown)).await.status, 403);
    let other = format!("/demo/clients/{}", admin.client("demo-partner").await);
    let taken = json!({"clientId": "realm-management"});
    assert_eq!(admin.call(Method::PUT, &other, Some(&taken)).await.status, 403);
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_93999_a_refresh_names_no_audience_that_was_only_asked_for() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    // An access token is for demo-spa only where the client is set up so.
    let mapper = json!({"name": "for-spa", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": "demo-spa", "access.token.claim": "true"}});
    let form = [
        ("grant_type", "password"),
        ("username", "alice"),
        ("password", "alice"),
        ("scope", "openid offline_access"),
        ("audience", "demo-spa"),
        ("resource", "demo-spa"),
    ];
    let names_it = |tokens: &Value| claims(&tokens["access_token"])["aud"].to_string().contains("demo-spa");
    let tokens = server.as_backup("/token", &form).await.granted();
    assert!(!names_it(&tokens));
    let refresh = refresh_token(&tokens);
    let again = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("audience", "demo-spa")];
    assert!(!names_it(&server.as_backup("/token", &again).await.granted()));
    let backup = admin.client("demo-backup").await;
    let path = format!("/demo/clients/{backup}/protocol-mappers/models");
    assert_eq!(admin.call(Method::POST, &path, Some(&mapper)).await.status, 201);
    assert!(names_it(&server.refresh(&refresh).await.granted()));
    server.finish().await;
}
