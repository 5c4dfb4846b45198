//! What administrators do is noted, in the transaction of what they do.

use std::time::Duration;

use nightlatch::flow::sweep::{self, SweepRules};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, Answer, TestServer};

const ON: &str = "adminEventsEnabled";
const DETAILS: &str = "adminEventsDetailsEnabled";

async fn with_events() -> TestServer {
    let server = TestServer::start().await;
    server.admin().await.set(json!({ON: true, DETAILS: true})).await;
    assert_eq!(server.admin().await.delete("/demo/admin-events").await.status, 204);
    server
}

async fn events(admin: &Admin<'_>, query: &str) -> Vec<Value> {
    admin.get(&format!("/demo/admin-events?{query}")).await.as_array().unwrap().clone()
}

/// The last part of `Location`.
fn made(answer: &Answer) -> String {
    answer.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

/// An administrator whose every step is looked up among the events.
struct Watched<'a> {
    server: &'a TestServer,
    admin: Admin<'a>,
}

impl Watched<'_> {
    /// Does it at an address below the realm, and checks that one event tells of it, with that address or what was made below it.
    /// Answers what was made.
    async fn noted(&self, what: &str, method: &Method, path: &str, body: Value) -> String {
        // Events of one moment have no order.
        self.server.advance(Duration::from_millis(1));
        let before = events(&self.admin, "max=1000").await.len();
        let address = format!("/demo/{path}");
        let answer = self.admin.call(method.clone(), address.trim_end_matches('/'), Some(&body).filter(|b| !b.is_null())).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {:?}", answer.body);
        let after = events(&self.admin, "max=1000").await;
        assert_eq!(after.len(), before + 1, "{method} {path}");
        let text = |name: &str| after[0][name].as_str().unwrap_or_default().to_owned();
        assert_eq!([text("operationType"), text("resourceType")].join(" "), what, "{method} {path}");
        let made = if answer.status == 201 { made(&answer) } else { String::new() };
        assert_eq!(text("resourcePath"), [path, &made].join("/").trim_matches('/'), "{method} {path}");
        made
    }

    async fn add(&self, what: &str, path: &str, body: Value) -> String {
        self.noted(&format!("CREATE {what}"), &Method::POST, path, body).await
    }

    async fn put(&self, what: &str, path: &str, body: Value) {
        self.noted(&format!("UPDATE {what}"), &Method::PUT, path, body).await;
    }

    async fn act(&self, what: &str, method: Method, path: &str, body: Value) {
        self.noted(&format!("ACTION {what}"), &method, path, body).await;
    }

    async fn remove(&self, what: &str, path: &str, body: Value) {
        self.noted(&format!("DELETE {what}"), &Method::DELETE, path, body).await;
    }

    /// Members come to a list and leave it again.
    async fn both(&self, what: &str, path: &str, members: &Value) {
        self.add(what, path, members.clone()).await;
        self.remove(what, path, members.clone()).await;
    }
}

#[tokio::test]
async fn every_change_of_users_and_roles_is_noted_once_by_keycloaks_names() {
    let server = with_events().await;
    let watched = Watched { server: &server, admin: server.admin().await };
    let bob = json!({"username": "bob", "credentials": [{"type": "password", "value": "p"}]});
    let user = watched.add("USER", "users", bob).await;
    watched.put("USER", &format!("users/{user}"), json!({"firstName": "B"})).await;
    let password = json!({"type": "password", "value": "q"});
    watched.act("USER", Method::PUT, &format!("users/{user}/reset-password"), password).await;

    watched.add("REALM_ROLE", "roles", json!({"name": "auditor"})).await;
    watched.put("REALM_ROLE", "roles/auditor", json!({"name": "auditor", "description": "d"})).await;
    watched.add("REALM_ROLE", "roles", json!({"name": "part"})).await;
    let role = async |path: &str| json!([watched.admin.get(&format!("/demo/{path}")).await]);
    let (whole, part) = (role("roles/auditor").await, role("roles/part").await);
    watched.both("REALM_ROLE", "roles/auditor/composites", &part).await;
    watched.both("REALM_ROLE_MAPPING", &format!("users/{user}/role-mappings/realm"), &whole).await;
    watched.add("REALM_ROLE_MAPPING", &format!("users/{user}/role-mappings/realm"), whole).await;
    watched.remove("REALM_ROLE_MAPPING", &format!("users/{user}/role-mappings/realm"), Value::Null).await;
    watched.remove("REALM_ROLE", "roles/auditor", Value::Null).await;

    let client = watched.admin.client("demo-backup").await;
    let roles = format!("clients/{client}/roles");
    watched.add("CLIENT_ROLE", &roles, json!({"name": "cr"})).await;
    watched.put("CLIENT_ROLE", &format!("{roles}/cr"), json!({"name": "cr", "description": "d"})).await;
    watched.both("CLIENT_ROLE", &format!("{roles}/cr/composites"), &part).await;
    let of_client = role(&format!("{roles}/cr")).await;
    watched.both("CLIENT_ROLE_MAPPING", &format!("users/{user}/role-mappings/clients/{client}"), &of_client).await;
    watched.remove("CLIENT_ROLE", &format!("{roles}/cr"), Value::Null).await;

    let held = watched.admin.get(&format!("/demo/users/{user}/credentials")).await;
    let credential = format!("users/{user}/credentials/{}", held[0]["id"].as_str().unwrap());
    watched.act("USER", Method::DELETE, &credential, Value::Null).await;
    watched.remove("USER", &format!("users/{user}"), Value::Null).await;
    server.finish().await;
}

#[tokio::test]
async fn every_change_of_clients_and_scopes_is_noted_once_by_keycloaks_names() {
    let server = with_events().await;
    let watched = Watched { server: &server, admin: server.admin().await };
    let client = watched.add("CLIENT", "clients", json!({"clientId": "app", "secret": "hidden"})).await;
    watched.put("CLIENT", &format!("clients/{client}"), json!({"description": "d"})).await;
    for action in ["client-secret", "push-revocation"] {
        watched.act("CLIENT", Method::POST, &format!("clients/{client}/{action}"), Value::Null).await;
    }
    let protocol = json!("openid-connect");
    let scope = watched.add("CLIENT_SCOPE", "client-scopes", json!({"name": "sc", "protocol": protocol})).await;
    let changed = json!({"name": "sc", "description": "d", "protocol": protocol});
    watched.put("CLIENT_SCOPE", &format!("client-scopes/{scope}"), changed).await;
    let role = json!([watched.admin.get("/demo/roles/offline_access").await]);
    let mapper = json!({"name": "m", "protocol": protocol, "protocolMapper": "oidc-hardcoded-claim-mapper", "config": {}});
    for owner in [format!("clients/{client}"), format!("client-scopes/{scope}")] {
        watched.both("REALM_SCOPE_MAPPING", &format!("{owner}/scope-mappings/realm"), &role).await;
        watched.add("PROTOCOL_MAPPER", &format!("{owner}/protocol-mappers/models"), mapper.clone()).await;
    }
    for kind in ["default", "optional"] {
        let path = format!("clients/{client}/{kind}-client-scopes/{scope}");
        watched.noted("CREATE CLIENT_SCOPE_CLIENT_MAPPING", &Method::PUT, &path, Value::Null).await;
        watched.remove("CLIENT_SCOPE_CLIENT_MAPPING", &path, Value::Null).await;
    }
    watched.remove("CLIENT_SCOPE", &format!("client-scopes/{scope}"), Value::Null).await;
    let certificate = format!("clients/{client}/certificates/jwt.credential/generate");
    watched.act("CLIENT", Method::POST, &certificate, Value::Null).await;
    watched.remove("CLIENT", &format!("clients/{client}"), Value::Null).await;
    server.finish().await;
}

#[tokio::test]
async fn every_end_of_a_session_and_every_change_of_the_realm_is_noted_once() {
    let server = with_events().await;
    let watched = Watched { server: &server, admin: server.admin().await };
    let alice = watched.admin.alice().await;
    server.offline_token().await;
    watched.act("USER", Method::DELETE, &format!("users/{alice}/consents/demo-backup"), Value::Null).await;
    let session = server.sign_in("openid").await["session_state"].as_str().unwrap().to_owned();
    watched.remove("USER_SESSION", &format!("sessions/{session}"), Value::Null).await;
    server.offline_token().await;
    let grants = watched.admin.get("/demo/nightlatch/offline-grants").await;
    let session = grants["grants"][0]["sessionId"].as_str().unwrap();
    let grant = format!("nightlatch/offline-grants/{session}/{}", watched.admin.client("demo-backup").await);
    watched.remove("USER_SESSION", &grant, Value::Null).await;
    server.offline_token().await;
    let preview = "/demo/nightlatch/offline-grants/revocation-preview";
    let preview = watched.admin.call(Method::POST, preview, Some(&json!({}))).await.granted();
    let token = json!({"token": preview["token"]});
    watched.act("USER_SESSION", Method::POST, "nightlatch/offline-grants/revocation", token).await;
    watched.act("USER", Method::POST, &format!("users/{alice}/logout"), Value::Null).await;

    let key = json!({"providerId": "aes-generated", "providerType": "org.keycloak.keys.KeyProvider"});
    let component = watched.add("COMPONENT", "components", key).await;
    watched.put("COMPONENT", &format!("components/{component}"), json!({"name": "other"})).await;
    watched.remove("COMPONENT", &format!("components/{component}"), Value::Null).await;
    let profile = watched.admin.get("/demo/users/profile").await;
    watched.put("USER_PROFILE", "users/profile", profile).await;
    watched.put("REALM", "events/config", json!({"eventsEnabled": true, ON: true, DETAILS: true})).await;
    watched.put("REALM", "", json!({"displayName": "x"})).await;
    watched.act("REALM", Method::POST, "push-revocation", Value::Null).await;
    watched.act("REALM", Method::POST, "logout-all", Value::Null).await;
    server.finish().await;
}

#[tokio::test]
async fn what_was_sent_is_told_without_its_secrets_and_only_where_details_are_on() {
    let server = with_events().await;
    let admin = server.admin().await;
    admin.call(Method::POST, "/demo/clients", Some(&json!({"clientId": "app", "secret": "hidden-one"}))).await;
    let mail = json!({"smtpServer": {"host": "h", "password": "hidden-two"}});
    admin.set(mail).await;
    let user = json!({"username": "bob", "credentials": [{"type": "password", "value": "hidden-three"}]});
    admin.call(Method::POST, "/demo/users", Some(&user)).await;
    let renewed = admin.call(Method::POST, &format!("/demo/clients/{}/client-secret", admin.client("app").await), None).await;
    let told = Value::from(events(&admin, "").await).to_string();
    for secret in ["hidden", renewed.granted()["value"].as_str().unwrap()] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
    for word in ["app", "smtpServer", "bob", "**********"] {
        assert!(told.contains(word), "no {word} in {told}");
    }
    server.advance(Duration::from_millis(1));
    admin.set(json!({DETAILS: false})).await;
    server.advance(Duration::from_millis(1));
    admin.call(Method::POST, "/demo/roles", Some(&json!({"name": "quiet"}))).await;
    let last = &events(&admin, "max=1").await[0];
    assert_eq!((&last["resourcePath"], last.get("representation")), (&json!("roles/quiet"), None));
    admin.set(json!({ON: false})).await;
    admin.call(Method::POST, "/demo/roles", Some(&json!({"name": "unheard"}))).await;
    assert!(events(&admin, "resourcePath=*unheard").await.is_empty());
    server.finish().await;
}

#[tokio::test]
async fn what_is_refused_is_not_noted() {
    let server = with_events().await;
    let admin = server.admin().await;
    let (name, nobody) = (json!({"name": "auditor"}), "00000000-0000-0000-0000-000000000000");
    admin.call(Method::POST, "/demo/roles", Some(&name)).await;
    assert_eq!(admin.call(Method::POST, "/demo/roles", Some(&name)).await.status, 409);
    assert_eq!(admin.call(Method::POST, "/demo/users", Some(&json!({"username": "alice"}))).await.status, 409);
    for path in ["users", "clients", "client-scopes", "sessions"] {
        assert_eq!(admin.delete(&format!("/demo/{path}/{nobody}")).await.status, 404, "{path}");
    }
    assert_eq!(events(&admin, "").await.len(), 1);
    server.finish().await;
}

#[tokio::test]
async fn a_realm_that_is_made_or_deleted_is_noted_where_the_administrator_is_at_home() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.call(Method::PUT, "/master", Some(&json!({ON: true, DETAILS: true}))).await;
    admin.delete("/master/admin-events").await;
    admin.call(Method::POST, "", Some(&json!({"realm": "new"}))).await;
    assert_eq!(admin.call(Method::POST, "", Some(&json!({"realm": "new"}))).await.status, 409);
    assert_eq!(admin.delete("/new").await.status, 204);
    let told = admin.get("/master/admin-events").await;
    let told: Vec<_> =
        told.as_array().unwrap().iter().map(|e| [&e["operationType"], &e["resourceType"], &e["resourcePath"]]).collect();
    let realm = [json!("REALM"), json!("new")];
    assert_eq!(told, [[&json!("DELETE"), &realm[0], &realm[1]], [&json!("CREATE"), &realm[0], &realm[1]]]);
    server.finish().await;
}

#[tokio::test]
async fn a_list_is_asked_for_by_what_it_knows_and_nonsense_is_refused() {
    let server = with_events().await;
    let admin = server.admin().await;
    for name in ["a_1", "a%1", "ab1"] {
        admin.call(Method::POST, "/demo/roles", Some(&json!({"name": name}))).await;
        server.advance(Duration::from_secs(10));
    }
    let count = async |query: &str| events(&admin, query).await.len();
    assert_eq!((count("resourcePath=roles/a_1").await, count("resourcePath=roles/a*1").await), (1, 3));
    assert_eq!((count("authIpAddress=127.0.0.1").await, count("authIpAddress=192.0.2.1").await), (3, 0));
    assert_eq!((count("operationTypes=CREATE&operationTypes=DELETE").await, count("operationTypes=UPDATE").await), (3, 0));
    let since = (server.now() - 25) * 1_000;
    assert_eq!((count(&format!("dateFrom={since}")).await, count(&format!("dateTo={since}")).await), (2, 1));
    assert_eq!(events(&admin, "direction=asc&max=1").await[0]["resourcePath"], "roles/a_1");
    assert_eq!(events(&admin, "first=2&max=5").await[0]["resourcePath"], "roles/a_1");
    for (wrong, status) in [("operationTypes=NONSENSE", 400), ("direction=up", 400), ("dateFrom=yesterday", 400), ("max=x", 404)]
    {
        let answer = admin.call(Method::GET, &format!("/demo/admin-events?{wrong}"), None).await;
        assert_eq!(answer.status, status, "{wrong}: {:?}", answer.body);
    }
    server.finish().await;
}

#[tokio::test]
async fn they_go_when_the_realm_keeps_them_no_longer() {
    let server = with_events().await;
    server.admin().await.set(json!({"attributes": {"adminEventsExpiration": "3600"}})).await;
    server.advance(Duration::from_secs(3_000));
    server.admin().await.set(json!({"displayName": "later"})).await;
    server.advance(Duration::from_secs(1_000));
    let rules = |dry_run| SweepRules { margin: Duration::ZERO, batch: 8, dry_run };
    assert_eq!(sweep::run(&server.server, rules(true)).await.unwrap().events, 1);
    assert_eq!(sweep::run(&server.server, rules(false)).await.unwrap().events, 1);
    assert_eq!(events(&server.admin().await, "").await.len(), 1);
    server.finish().await;
}
