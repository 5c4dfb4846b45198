//! The Admin REST API: who may call it, and that what is written is what is read.

use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

#[tokio::test]
async fn a_realm_that_is_put_back_as_it_was_given_is_unchanged() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let before = admin.get("/demo").await;
    assert_eq!(admin.call(reqwest::Method::PUT, "/demo", Some(&before)).await.status, 204);
    assert_eq!(admin.get("/demo").await, before);
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_107623_a_client_that_is_put_back_as_it_was_given_is_unchanged() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let clients = admin.get("/demo/clients").await;
    for before in clients.as_array().unwrap() {
        let path = format!("/demo/clients/{}", before["id"].as_str().unwrap());
        assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(before)).await.status, 204, "{}", before["clientId"]);
        assert_eq!(&admin.get(&path).await, before);
    }
    server.finish().await;
}

#[tokio::test]
async fn a_user_without_a_role_administers_nothing_and_a_user_of_one_realm_not_another() {
    let server = TestServer::start().await;
    let tokens = server.sign_in("openid").await;
    let token = tokens["access_token"].as_str().unwrap();
    for (path, status) in [("/demo/users", 403), ("/demo", 403), ("/master/users", 403), ("/nowhere", 404)] {
        let request = server.http.get(format!("{}/admin/realms{path}", server.base)).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status().as_u16(), status, "{path}");
    }
    // Neither a refresh token nor an ID token opens the API.
    for name in ["refresh_token", "id_token"] {
        let request = server.http.get(format!("{}/admin/realms/demo", server.base)).bearer_auth(tokens[name].as_str().unwrap());
        assert_eq!(request.send().await.unwrap().status().as_u16(), 401, "{name}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_user_is_made_found_changed_and_removed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({"username": "Carol", "email": "carol@example.org", "firstName": "Carol", "lastName": "Example", "enabled": true,
        "credentials": [{"type": "password", "value": "carol", "temporary": false}]});
    let made = admin.call(reqwest::Method::POST, "/demo/users", Some(&body)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let id = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let again = admin.call(reqwest::Method::POST, "/demo/users", Some(&body)).await;
    assert_eq!((again.status, again.body), (409, json!({"errorMessage": "User exists with same email"})));
    let user = admin.get(&format!("/demo/users/{id}")).await;
    assert_eq!(user["username"], json!("carol"));
    assert!(!user.to_string().contains("argon2"), "no credential is shown");
    let form = [("grant_type", "password"), ("username", "carol"), ("password", "carol")];
    server.as_backup("/token", &form).await.granted();
    // Decided deliberately otherwise than Keycloak: what a body does not name stays.
    let change = json!({"attributes": {"locale": ["de"]}});
    assert_eq!(admin.call(reqwest::Method::PUT, &format!("/demo/users/{id}"), Some(&change)).await.status, 204);
    assert_eq!(admin.get(&format!("/demo/users/{id}")).await["email"], json!("carol@example.org"));
    assert_eq!(admin.delete(&format!("/demo/users/{id}")).await.status, 204);
    let gone = admin.call(reqwest::Method::GET, &format!("/demo/users/{id}"), None).await;
    assert_eq!((gone.status, gone.body), (404, json!({"error": "User not found"})));
    server.finish().await;
}

#[tokio::test]
async fn a_realm_is_made_renamed_and_removed_with_its_client_in_master() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = json!({"realm": "one", "enabled": true});
    assert_eq!(admin.call(reqwest::Method::POST, "", Some(&body)).await.status, 201);
    let again = admin.call(reqwest::Method::POST, "", Some(&body)).await;
    assert_eq!(again.status, 409, "{:?}", again.body);
    assert_eq!(admin.call(reqwest::Method::PUT, "/one", Some(&json!({"realm": "two"}))).await.status, 204);
    let admin = server.admin().await;
    assert_eq!(admin.get("/two").await["realm"], json!("two"));
    assert_eq!(admin.call(reqwest::Method::GET, "/one", None).await.status, 404);
    let found = admin.get("/master/clients?clientId=two-realm").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(admin.delete("/two").await.status, 204);
    let found = admin.get("/master/clients?clientId=two-realm").await;
    assert_eq!(found, json!([]));
    server.finish().await;
}

#[tokio::test]
async fn a_clients_secret_is_changed_and_the_old_one_is_worth_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}/client-secret", admin.client("demo-backup").await);
    let made = admin.call(reqwest::Method::POST, &path, None).await.granted();
    let secret = made["value"].as_str().unwrap();
    assert!(secret.len() >= 32, "{secret}");
    assert_eq!(admin.get(&path).await["value"], Value::from(secret));
    let form = [("grant_type", "client_credentials")];
    assert_eq!(server.as_backup("/token", &form).await.status, 401);
    let request = server.http.post(server.endpoint("/token")).basic_auth("demo-backup", Some(secret));
    Answer::of(request.form(&form).send().await.unwrap()).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn every_offline_grant_is_listed_by_page_filtered_and_ended_alone() {
    let server = TestServer::start().await;
    let mut tokens = Vec::new();
    for _ in 0..5 {
        tokens.push(server.offline_token().await);
        server.advance(std::time::Duration::from_secs(60));
    }
    server.refresh(&tokens[0]).await.granted();
    let admin = server.admin().await;
    let path = "/demo/nightlatch/offline-grants";
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = admin.get(&format!("{path}?clientId=demo-backup&max=2{after}")).await;
        seen.extend(page["grants"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!((&seen[0]["user"]["username"], &seen[0]["endsBy"]), (&json!("alice"), &json!("idle")));
    let span = seen[0]["endsAt"].as_i64().unwrap() - seen[0]["lastUsedAt"].as_i64().unwrap();
    assert_eq!(span, 2_592_000_000, "30 days after its last use");
    let stale = admin.get(&format!("{path}?unusedFor=100")).await;
    assert_eq!(stale["grants"].as_array().unwrap().len(), 3, "the first was used just now, the last is new: {stale}");
    for (query, status) in [("clientId=nobody", 404), ("after=x", 400), ("max=many", 404), ("userId=nobody", 200)] {
        let answer = admin.call(reqwest::Method::GET, &format!("{path}?{query}"), None).await;
        assert_eq!(answer.status, status, "{query}: {:?}", answer.body);
    }
    let (session, client) = (seen[0]["sessionId"].as_str().unwrap(), seen[0]["client"]["id"].as_str().unwrap());
    assert_eq!(admin.delete(&format!("{path}/{session}/{client}")).await.status, 204);
    assert_eq!(admin.delete(&format!("{path}/{session}/{client}")).await.status, 404);
    assert_eq!(admin.offline_sessions("demo-backup").await, 4);
    // A user without a role of the administration sees nothing of it.
    let alice = server.sign_in("openid").await;
    let request = server.http.get(format!("{}/admin/realms{path}", server.base));
    let answer = request.bearer_auth(alice["access_token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 403);
    server.finish().await;
}
