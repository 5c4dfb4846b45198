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

/// Does it, and says what has been noted of it: `OPERATION TYPE path`.
async fn done(server: &TestServer, admin: &Admin<'_>, method: Method, path: &str, body: Value) -> (Answer, Vec<String>) {
    // Events of one moment have no order.
    server.advance(Duration::from_millis(1));
    let before = events(admin, "max=1000").await.len();
    let answer = admin.call(method, &format!("/demo{path}"), Some(&body).filter(|b| !b.is_null())).await;
    assert!((200..300).contains(&answer.status), "{path}: {:?}", answer.body);
    let after = events(admin, "max=1000").await;
    let new = after[..after.len() - before].iter();
    let told = new.map(|e| {
        let text = |name: &str| e[name].as_str().unwrap_or_default().to_owned();
        [text("operationType"), text("resourceType"), text("resourcePath")].join(" ").trim_end().to_owned()
    });
    (answer, told.collect())
}

#[tokio::test]
async fn every_change_is_noted_once_by_the_names_that_keycloak_has_for_it() {
    let server = with_events().await;
    let admin = server.admin().await;
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    macro_rules! noted {
        ($method:expr, $path:expr, $body:expr, $expected:expr) => {{
            let (answer, told) = done(&server, &admin, $method.clone(), &$path, $body).await;
            assert_eq!(told, [$expected.replace("{}", &made_or_none(&answer))], "{} {}", $method, $path);
            made_or_none(&answer)
        }};
    }
    fn made_or_none(answer: &Answer) -> String {
        if answer.status == 201 { made(answer) } else { String::new() }
    }
    let mapper = json!({"name": "m", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper", "config": {"claim.name": "x", "claim.value": "1"}});

    let user = noted!(
        post,
        "/users",
        json!({"username": "bob", "credentials": [{"type": "password", "value": "p"}]}),
        "CREATE USER users/{}"
    );
    noted!(put, format!("/users/{user}"), json!({"firstName": "B"}), format!("UPDATE USER users/{user}"));
    let reset = format!("/users/{user}/reset-password");
    noted!(put, reset, json!({"type": "password", "value": "q"}), format!("ACTION USER users/{user}/reset-password"));

    noted!(post, "/roles", json!({"name": "auditor"}), "CREATE REALM_ROLE roles/auditor");
    noted!(put, "/roles/auditor", json!({"name": "auditor", "description": "d"}), "UPDATE REALM_ROLE roles/auditor");
    noted!(post, "/roles", json!({"name": "part"}), "CREATE REALM_ROLE roles/part");
    let (whole, part) = (json!([admin.get("/demo/roles/auditor").await]), json!([admin.get("/demo/roles/part").await]));
    noted!(post, "/roles/auditor/composites", part.clone(), "CREATE REALM_ROLE roles/auditor/composites");
    noted!(delete, "/roles/auditor/composites", part.clone(), "DELETE REALM_ROLE roles/auditor/composites");
    let mappings = format!("users/{user}/role-mappings/realm");
    noted!(post, format!("/{mappings}"), whole.clone(), format!("CREATE REALM_ROLE_MAPPING {mappings}"));
    noted!(delete, format!("/{mappings}"), Value::Null, format!("DELETE REALM_ROLE_MAPPING {mappings}"));

    let client = noted!(post, "/clients", json!({"clientId": "app", "secret": "hidden"}), "CREATE CLIENT clients/{}");
    noted!(put, format!("/clients/{client}"), json!({"description": "d"}), format!("UPDATE CLIENT clients/{client}"));
    for action in ["client-secret", "push-revocation"] {
        let path = format!("clients/{client}/{action}");
        noted!(post, format!("/{path}"), Value::Null, format!("ACTION CLIENT {path}"));
    }
    let roles = format!("clients/{client}/roles");
    noted!(post, format!("/{roles}"), json!({"name": "cr"}), format!("CREATE CLIENT_ROLE {roles}/cr"));
    noted!(put, format!("/{roles}/cr"), json!({"name": "cr", "description": "d"}), format!("UPDATE CLIENT_ROLE {roles}/cr"));
    noted!(post, format!("/{roles}/cr/composites"), part.clone(), format!("CREATE CLIENT_ROLE {roles}/cr/composites"));
    noted!(delete, format!("/{roles}/cr/composites"), part.clone(), format!("DELETE CLIENT_ROLE {roles}/cr/composites"));
    let of_client = json!([admin.get(&format!("/demo/{roles}/cr")).await]);
    let mappings = format!("users/{user}/role-mappings/clients/{client}");
    noted!(post, format!("/{mappings}"), of_client.clone(), format!("CREATE CLIENT_ROLE_MAPPING {mappings}"));
    noted!(delete, format!("/{mappings}"), of_client, format!("DELETE CLIENT_ROLE_MAPPING {mappings}"));
    noted!(delete, format!("/{roles}/cr"), Value::Null, format!("DELETE CLIENT_ROLE {roles}/cr"));

    let scope = noted!(
        post,
        "/client-scopes",
        json!({"name": "sc", "protocol": "openid-connect"}),
        "CREATE CLIENT_SCOPE client-scopes/{}"
    );
    let changed = json!({"name": "sc", "description": "d", "protocol": "openid-connect"});
    noted!(put, format!("/client-scopes/{scope}"), changed, format!("UPDATE CLIENT_SCOPE client-scopes/{scope}"));
    for owner in [format!("clients/{client}"), format!("client-scopes/{scope}")] {
        let mappings = format!("{owner}/scope-mappings/realm");
        noted!(post, format!("/{mappings}"), whole.clone(), format!("CREATE REALM_SCOPE_MAPPING {mappings}"));
        noted!(delete, format!("/{mappings}"), whole.clone(), format!("DELETE REALM_SCOPE_MAPPING {mappings}"));
        let models = format!("{owner}/protocol-mappers/models");
        noted!(post, format!("/{models}"), mapper.clone(), format!("CREATE PROTOCOL_MAPPER {models}/{{}}"));
    }
    for kind in ["default", "optional"] {
        let path = format!("clients/{client}/{kind}-client-scopes/{scope}");
        noted!(put, format!("/{path}"), Value::Null, format!("CREATE CLIENT_SCOPE_CLIENT_MAPPING {path}"));
        noted!(delete, format!("/{path}"), Value::Null, format!("DELETE CLIENT_SCOPE_CLIENT_MAPPING {path}"));
    }
    noted!(delete, format!("/client-scopes/{scope}"), Value::Null, format!("DELETE CLIENT_SCOPE client-scopes/{scope}"));

    server.offline_token().await;
    let alice = admin.alice().await;
    let consent = format!("users/{alice}/consents/demo-backup");
    noted!(delete, format!("/{consent}"), Value::Null, format!("ACTION USER {consent}"));
    let session = server.sign_in("openid").await["session_state"].as_str().unwrap().to_owned();
    noted!(delete, format!("/sessions/{session}"), Value::Null, format!("DELETE USER_SESSION sessions/{session}"));
    server.offline_token().await;
    let session = admin.get("/demo/nightlatch/offline-grants").await["grants"][0]["sessionId"].as_str().unwrap().to_owned();
    let grant = format!("nightlatch/offline-grants/{session}/{}", admin.client("demo-backup").await);
    noted!(delete, format!("/{grant}"), Value::Null, format!("DELETE USER_SESSION {grant}"));
    server.offline_token().await;
    let preview =
        admin.call(post.clone(), "/demo/nightlatch/offline-grants/revocation-preview", Some(&json!({}))).await.granted();
    let revocation = "nightlatch/offline-grants/revocation";
    noted!(post, format!("/{revocation}"), json!({"token": preview["token"]}), format!("ACTION USER_SESSION {revocation}"));
    noted!(post, format!("/users/{alice}/logout"), Value::Null, format!("ACTION USER users/{alice}/logout"));
    let held = admin.get(&format!("/demo/users/{user}/credentials")).await;
    let credential = format!("users/{user}/credentials/{}", held[0]["id"].as_str().unwrap());
    noted!(delete, format!("/{credential}"), Value::Null, format!("ACTION USER {credential}"));

    let profile = admin.get("/demo/users/profile").await;
    noted!(put, "/users/profile", profile, "UPDATE USER_PROFILE users/profile");
    let config = json!({"eventsEnabled": true, ON: true, DETAILS: true});
    noted!(put, "/events/config", config, "UPDATE REALM events/config");
    noted!(put, "", json!({"displayName": "x"}), "UPDATE REALM");
    noted!(post, "/push-revocation", Value::Null, "ACTION REALM push-revocation");
    noted!(post, "/logout-all", Value::Null, "ACTION REALM logout-all");
    noted!(delete, "/roles/auditor", Value::Null, "DELETE REALM_ROLE roles/auditor");
    noted!(delete, format!("/clients/{client}"), Value::Null, format!("DELETE CLIENT clients/{client}"));
    noted!(delete, format!("/users/{user}"), Value::Null, format!("DELETE USER users/{user}"));
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
