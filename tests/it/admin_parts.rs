//! Parts of a realm in the Admin REST API that have addresses of their own: mappers, scopes, required actions, flows, texts,
//! identity providers; and files that take a realm apart and put it together.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Admin, Answer, TestServer, claims, database_address};

fn made(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn put(admin: &Admin<'_>, path: &str, body: &Value) {
    let answer = admin.call(Method::PUT, path, Some(body)).await;
    assert_eq!(answer.status, 204, "{path}: {:?}", answer.body);
}

#[tokio::test]
async fn a_mapper_speaks_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}/protocol-mappers/models", admin.client("demo-backup").await);
    let mapper = json!({"name": "color", "protocol": "openid-connect", "protocolMapper": "oidc-hardcoded-claim-mapper",
        "config": {"claim.name": "color", "claim.value": "red", "access.token.claim": "true", "jsonType.label": "String"}});
    let id = made(&admin.call(Method::POST, &path, Some(&mapper)).await);
    let color = async || claims(&server.sign_in("openid").await["access_token"])["color"].clone();
    assert_eq!(color().await, json!("red"));
    // What is not said follows what is, where it is shown and where it is done.
    assert_eq!(admin.get(&format!("{path}/{id}")).await["config"]["introspection.token.claim"], json!("true"));
    let again = admin.call(Method::POST, &path, Some(&mapper)).await;
    assert_eq!((again.status, again.body), (409, json!({"errorMessage": "Protocol mapper exists with same name"})));
    let mut changed = mapper.clone();
    changed["config"]["claim.value"] = json!("blue");
    put(&admin, &format!("{path}/{id}"), &changed).await;
    assert_eq!(color().await, json!("blue"));
    assert_eq!(admin.delete(&format!("{path}/{id}")).await.status, 204);
    assert_eq!(color().await, Value::Null);
    let unknown = json!({"name": "x", "protocol": "openid-connect", "protocolMapper": "nothing"});
    let refused = admin.call(Method::POST, &path, Some(&unknown)).await;
    assert_eq!((refused.status, refused.body), (404, json!({"error": "ProtocolMapper provider not found"})));
    server.finish().await;
}

#[tokio::test]
async fn a_scope_of_the_realm_reaches_clients_that_are_made_afterwards() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let scope =
        made(&admin.call(Method::POST, "/demo/client-scopes", Some(&json!({"name": "own", "protocol": "openid-connect"}))).await);
    let path = format!("/demo/default-default-client-scopes/{scope}");
    assert_eq!(admin.call(Method::PUT, &path, None).await.status, 204);
    let again = admin.call(Method::PUT, &format!("/demo/default-optional-client-scopes/{scope}"), None).await;
    assert_eq!((again.status, again.body["error"].clone()), (409, json!("conflict")));
    let client = made(&admin.call(Method::POST, "/demo/clients", Some(&json!({"clientId": "later"}))).await);
    let names = admin.get(&format!("/demo/clients/{client}")).await["defaultClientScopes"].clone();
    assert!(names.as_array().unwrap().contains(&json!("own")));
    assert_eq!(admin.delete(&path).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn a_required_action_that_is_a_default_reaches_new_users() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = "/demo/authentication/required-actions/UPDATE_PASSWORD";
    let mut action = admin.get(path).await;
    action["defaultAction"] = json!(true);
    put(&admin, path, &action).await;
    let user = made(&admin.call(Method::POST, "/demo/users", Some(&json!({"username": "carol"}))).await);
    assert_eq!(admin.get(&format!("/demo/users/{user}")).await["requiredActions"], json!(["UPDATE_PASSWORD"]));
    assert_eq!(admin.delete(path).await.status, 204);
    let missing = admin.get("/demo/authentication/unregistered-required-actions").await;
    assert_eq!(missing[0]["providerId"], json!("UPDATE_PASSWORD"));
    server.finish().await;
}

#[tokio::test]
async fn a_flow_is_copied_bound_kept_while_bound_and_deleted() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let copy = json!({"newName": "mine"});
    let id = made(&admin.call(Method::POST, "/demo/authentication/flows/browser/copy", Some(&copy)).await);
    let original = admin.get("/demo/authentication/flows/browser/executions").await;
    let copied = admin.get("/demo/authentication/flows/mine/executions").await;
    assert_eq!(original.as_array().unwrap().len(), copied.as_array().unwrap().len());
    admin.set(json!({"browserFlow": "mine"})).await;
    assert_eq!(admin.delete(&format!("/demo/authentication/flows/{id}")).await.status, 400);
    put(&admin, &format!("/demo/authentication/flows/{id}"), &json!({"alias": "renamed"})).await;
    assert_eq!(admin.get("/demo").await["browserFlow"], json!("renamed"));
    admin.set(json!({"browserFlow": "browser"})).await;
    assert_eq!(admin.delete(&format!("/demo/authentication/flows/{id}")).await.status, 204);
    let refused = admin.call(Method::PUT, "/demo", Some(&json!({"browserFlow": "nothing"}))).await;
    assert_eq!((refused.status, refused.body), (400, json!({"errorMessage": "Unable to resolve auth flow 'nothing'"})));
    server.finish().await;
}

#[tokio::test]
async fn a_flow_that_stands_in_itself_has_an_end() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let step = |flow: &str| json!({"flowAlias": flow, "authenticatorFlow": true, "requirement": "ALTERNATIVE", "priority": 1});
    let flow = |alias: &str, below: &str, top: bool| {
        json!({"alias": alias, "providerId": "basic-flow", "topLevel": top, "builtIn": false,
            "authenticationExecutions": [step(below), step(below)]})
    };
    let realm = json!({"realm": "round", "enabled": true,
        "authenticationFlows": [flow("one", "two", true), flow("two", "one", false)]});
    assert_eq!(admin.call(Method::POST, "", Some(&realm)).await.status, 201);
    let admin = server.admin().await;
    let path = "/round/authentication/flows/one";
    let steps = admin.get(&format!("{path}/executions")).await;
    assert!((1..=1000).contains(&steps.as_array().unwrap().len()));
    let copy = admin.call(Method::POST, &format!("{path}/copy"), Some(&json!({"newName": "three"}))).await;
    assert!(copy.status < 500, "{:?}", copy.body);
    assert_eq!(admin.call(Method::GET, "/round/authentication/flows", None).await.status, 200);
    server.finish().await;
}

#[tokio::test]
async fn a_change_of_the_realm_leaves_what_has_addresses_of_its_own() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let provider = json!({"alias": "corp", "providerId": "oidc", "config": {"clientId": "x", "clientSecret": "hush-hush"}});
    made(&admin.call(Method::POST, "/demo/identity-provider/instances", Some(&provider)).await);
    let addresses = [
        "/demo/identity-provider/instances",
        "/demo/authentication/flows",
        "/demo/authentication/required-actions",
        "/demo/localization/en",
    ];
    let mut before = Vec::new();
    for address in addresses {
        before.push(admin.get(address).await);
    }
    admin
        .set(json!({
            "identityProviders": [{"alias": "mole", "providerId": "oidc", "config": {"clientSecret": "**********"}}],
            "authenticationFlows": [{"alias": "mole"}], "authenticatorConfig": [{"alias": "mole"}],
            "requiredActions": [], "localizationTexts": {"en": {"a": "b"}},
        }))
        .await;
    for (address, before) in addresses.iter().zip(before) {
        assert_eq!(admin.get(address).await, before, "{address}");
    }
    // A file that could not be read again is refused whole.
    for part in [
        json!({"identityProviders": [{"alias": "x", "providerId": "oidc", "config": {"a": {"b": 1}}}]}),
        json!({"authenticationFlows": [{"alias": 7, "authenticationExecutions": "none"}]}),
        json!({"requiredActions": "all"}),
        json!({"localizationTexts": {"en": "b"}}),
    ] {
        let mut realm = part;
        realm["realm"] = json!("torn");
        let answer = admin.call(Method::POST, "", Some(&realm)).await;
        assert_eq!(answer.status, 400, "{realm}: {:?}", answer.body);
    }
    assert_eq!(admin.call(Method::GET, "/torn", None).await.status, 404);
    server.finish().await;
}

#[tokio::test]
async fn settings_of_a_provider_are_texts_and_its_alias_stays() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = "/demo/identity-provider/instances";
    let provider = |config: Value| json!({"alias": "corp", "providerId": "oidc", "config": config});
    for config in [json!({"clientSecret": {"a": "b"}}), json!({"clientSecret": ["s"]}), json!(["s"]), json!("s")] {
        let answer = admin.call(Method::POST, path, Some(&provider(config))).await;
        let said = json!({"error": "unknown_error", "error_description": "Cannot parse the JSON"});
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["error"], said["error"], "{:?}", answer.body);
    }
    made(&admin.call(Method::POST, path, Some(&provider(json!({"clientSecret": 7, "useJwksUrl": true})))).await);
    let mut shown = admin.get(&format!("{path}/corp")).await;
    assert_eq!(shown["config"], json!({"clientSecret": "**********", "useJwksUrl": "true"}));
    shown["alias"] = json!("other");
    let refused = admin.call(Method::PUT, &format!("{path}/corp"), Some(&shown)).await;
    assert_eq!((refused.status, refused.body), (400, json!({"errorMessage": "Identity Provider alias cannot be changed"})));
    server.finish().await;
}

#[tokio::test]
async fn a_providers_secret_is_sealed_masked_and_kept_when_the_mask_comes_back() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = "/demo/identity-provider/instances";
    let provider = json!({"alias": "corp", "providerId": "oidc", "config": {"clientId": "x", "clientSecret": "hush-hush"}});
    made(&admin.call(Method::POST, path, Some(&provider)).await);
    let mut shown = admin.get(&format!("{path}/corp")).await;
    assert_eq!(shown["config"]["clientSecret"], json!("**********"));
    shown["displayName"] = json!("Corporate");
    put(&admin, &format!("{path}/corp"), &shown).await;
    let stored: String = sqlx::query_scalar("select settings::text from realm where name = 'demo'")
        .fetch_one(&mut PgConnection::connect(&database_address(&server.database)).await.unwrap())
        .await
        .unwrap();
    assert!(stored.contains("sealed") && !stored.contains("hush-hush") && !stored.contains("*****"), "{stored}");
    let exported = admin.call(Method::POST, "/demo/partial-export", None).await.granted();
    assert_eq!(exported["identityProviders"][0]["config"]["clientSecret"], json!("**********"));
    for whole in [admin.get("/demo").await, exported] {
        assert!(!whole.to_string().contains("hush-hush"));
    }
    server.finish().await;
}

#[tokio::test]
async fn texts_of_a_realm_are_kept_by_language() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let say = async |key: &str, text: &str, kind: &str| {
        let address = format!("{}/admin/realms/demo/localization/en/{key}", server.base);
        let request = server.http.put(address).bearer_auth(admin.token()).header("content-type", kind);
        request.body(text.to_owned()).send().await.unwrap().status().as_u16()
    };
    assert_eq!(say("hello", "Good day", "text/plain").await, 204);
    assert_eq!(say("hello", "\"x\"", "application/json").await, 415);
    assert_eq!(say("hello", &"x".repeat(2 * 1024 * 1024), "text/plain").await, 413);
    assert_eq!(say(&"k".repeat(256), "x", "text/plain").await, 400);
    assert_eq!(admin.get("/demo/localization/en").await, json!({"hello": "Good day"}));
    assert_eq!(admin.delete("/demo/localization/en/hello").await.status, 204);
    assert_eq!(admin.delete("/demo/localization/en/hello").await.status, 404);
    server.finish().await;
}

#[tokio::test]
async fn what_a_realm_exports_makes_the_same_realm_again_and_shows_no_secret() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let export = "/demo/partial-export?exportClients=true&exportGroupsAndRoles=true";
    let file = admin.call(Method::POST, export, None).await.granted();
    let secret = admin.get(&format!("/demo/clients/{}/client-secret", admin.client("demo-backup").await)).await;
    assert!(!file.to_string().contains(secret["value"].as_str().unwrap()));
    let mut copy = without_ids(&file);
    copy["realm"] = json!("copy");
    let answer = admin.call(Method::POST, "", Some(&copy)).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let admin = server.admin().await;
    let again = admin.call(Method::POST, &export.replace("demo", "copy"), None).await.granted();
    for part in ["clientScopes", "groups", "authenticationFlows", "requiredActions", "scopeMappings", "clientScopeMappings"] {
        let named = |file: &Value| without_ids(&file[part]).to_string().replace("copy", "demo");
        assert_eq!(named(&file), named(&again), "{part}");
    }
    server.finish().await;
}

fn without_ids(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(name, _)| !["id", "containerId"].contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), without_ids(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_ids).collect(),
        other => other.clone(),
    }
}
