//! The Account REST API: what a token may do, and what is said of bad input. What Keycloak answers is the oracle's part.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer};

struct Caller<'a> {
    server: &'a TestServer,
    token: String,
}

impl Caller<'_> {
    async fn send(&self, method: Method, path: &str, kind: &str, body: String) -> Answer {
        let request = self.server.http.request(method, self.server.realm("demo", &format!("/account{path}")));
        Answer::of(request.bearer_auth(&self.token).header("content-type", kind).body(body).send().await.unwrap()).await
    }

    async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send(method, path, "application/json", body.to_string()).await
    }
}

async fn alice(server: &TestServer) -> Caller<'_> {
    let tokens = server.sign_in("openid").await;
    Caller { server, token: tokens["access_token"].as_str().unwrap().to_owned() }
}

#[tokio::test]
async fn a_program_that_sends_json_reaches_the_api_whatever_it_accepts() {
    let server = TestServer::start().await;
    let profile = json!({"username": "alice", "email": "alice@example.org", "firstName": "Al", "lastName": "Example"});
    let answer = alice(&server).await.call(Method::POST, "/", &profile).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
    let user = server.admin().await.get("/demo/users?username=alice&exact=true").await;
    assert_eq!(user[0]["firstName"], "Al");
    server.finish().await;
}

#[tokio::test]
async fn a_token_that_does_not_carry_the_role_does_nothing_with_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let client = admin.client("demo-backup").await;
    let scopes = admin.get("/demo/client-scopes").await;
    let roles = scopes.as_array().unwrap().iter().find(|s| s["name"] == "roles").unwrap()["id"].clone();
    let path = format!("/demo/clients/{client}/default-client-scopes/{}", roles.as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    // The token is for the account, and says nothing of what its user may do there.
    let mapper = json!({"name": "aud", "protocol": "openid-connect", "protocolMapper": "oidc-audience-mapper",
        "config": {"included.client.audience": "account", "access.token.claim": "true"}});
    let made = admin.call(Method::POST, &format!("/demo/clients/{client}/protocol-mappers/models"), Some(&mapper)).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    let answer = alice(&server).await.call(Method::DELETE, "/sessions", &json!(null)).await;
    assert_eq!(answer.status, 403, "{:?}", answer.body);
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_19607_nobody_takes_another_users_address_for_a_name_or_name_for_an_address() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(json!({"editUsernameAllowed": true})).await;
    for bob in [
        json!({"username": "bob", "enabled": true, "email": "bob@example.org"}),
        json!({"username": "carol@example.org", "enabled": true}),
    ] {
        assert_eq!(admin.call(Method::POST, "/demo/users", Some(&bob)).await.status, 201);
    }
    let caller = alice(&server).await;
    let profile = |username: &str, email: &str| json!({"username": username, "email": email, "firstName": "A", "lastName": "E"});
    for (username, email) in [("bob@example.org", "alice@example.org"), ("alice", "carol@example.org")] {
        let refused = caller.call(Method::POST, "/", &profile(username, email)).await;
        assert_eq!(refused.status, 409, "{username} {email}: {:?}", refused.body);
    }
    assert_eq!(caller.call(Method::POST, "/", &profile("alicia", "alicia@example.org")).await.status, 204);
    // Where nobody signs in by an address, nobody is kept out by one.
    admin.set(json!({"loginWithEmailAllowed": false})).await;
    assert_eq!(caller.call(Method::POST, "/", &profile("bob@example.org", "alicia@example.org")).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn bad_input_is_told_so() {
    let server = TestServer::start().await;
    let caller = alice(&server).await;
    let consent = "/applications/demo-partner/consent";
    let too_long = json!({"firstName": "x".repeat(70_000)}).to_string();
    for (method, path, kind, body, status) in [
        (Method::POST, "/", "application/json", "{".to_owned(), 400),
        (Method::POST, "/", "application/json", too_long, 413),
        (Method::POST, consent, "application/json", "{\"grantedScopes\": 7}".to_owned(), 400),
        (Method::POST, consent, "text/plain", "{}".to_owned(), 400),
        (Method::PUT, "/credentials/x/label", "application/json", "{}".to_owned(), 400),
        (Method::PUT, "/credentials/x/label", "application/json", "\"x\"".to_owned(), 404),
        (Method::DELETE, "/sessions/%00", "application/json", String::new(), 400),
        (Method::PATCH, "/applications", "application/json", String::new(), 405),
        (Method::GET, "/nonsense", "application/json", String::new(), 404),
    ] {
        let answer = caller.send(method.clone(), path, kind, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {:?}", answer.body);
    }
    // A token of another realm, and the administrator's own.
    let foreign = Caller { server: &server, token: server.admin().await.token().to_owned() };
    assert_eq!(foreign.call(Method::GET, "/applications", &json!(null)).await.status, 401);
    // A password cannot be removed.
    let held = caller.call(Method::GET, "/credentials?type=password", &json!(null)).await.granted();
    let id = held[0]["userCredentialMetadatas"][0]["credential"]["id"].as_str().unwrap().to_owned();
    assert_eq!(caller.call(Method::DELETE, &format!("/credentials/{id}"), &json!(null)).await.status, 400);
    server.finish().await;
}
