//! Who may do what in the Admin REST API: every family of operations for every administrative role, in the realm of the role, in
//! another realm, and in the master realm.

use reqwest::Method;
use serde_json::json;

use crate::support::{Admin, TestServer};

/// An operation without effect on others, and the roles of which one lets it through. An empty list: any role but `impersonation`.
const OPERATIONS: &[(&str, &str, &[&str])] = &[
    ("GET", "", &[]),
    ("GET", "/localization", &[]),
    ("GET", "/keys", &["view-realm", "manage-realm"]),
    ("GET", "/components", &["view-realm", "manage-realm"]),
    ("GET", "/roles", &["view-realm", "manage-realm"]),
    ("GET", "/roles/offline_access/composites/realm", &["view-realm", "manage-realm"]),
    ("GET", "/roles/offline_access/groups", &["view-realm", "manage-realm"]),
    ("GET", "/default-groups", &["view-realm", "manage-realm"]),
    ("GET", "/client-policies/profiles", &["view-realm", "manage-realm"]),
    ("GET", "/authentication/unregistered-required-actions", &["view-realm", "manage-realm"]),
    ("GET", "/authentication/authenticator-providers", &["view-realm", "manage-realm"]),
    ("GET", "/authentication/required-actions", &["view-realm", "manage-realm", "query-users", "view-users"]),
    ("GET", "/authentication/flows", &["view-realm", "manage-realm", "query-clients", "view-clients"]),
    ("POST", "/partial-export", &["manage-realm"]),
    ("POST", "/clear-realm-cache", &["manage-realm"]),
    ("GET", "/users", &["query-users", "view-users", "manage-users"]),
    ("GET", "/groups", &["query-groups", "view-users", "manage-users"]),
    ("GET", "/groups/count", &["query-groups", "view-users", "manage-users"]),
    ("GET", "/groups/{group}", &["view-users", "manage-users"]),
    ("GET", "/groups/{group}/children", &["view-users", "manage-users"]),
    ("GET", "/groups/{group}/members", &["view-users", "manage-users"]),
    ("GET", "/groups/{group}/role-mappings", &["view-users", "manage-users"]),
    ("GET", "/group-by-path/staff", &["view-users", "manage-users"]),
    ("GET", "/users/{alice}", &["view-users", "manage-users"]),
    ("GET", "/users/{alice}/role-mappings/realm/available", &["view-users", "manage-users"]),
    ("GET", "/users/{alice}/credentials", &["view-users", "manage-users"]),
    ("GET", "/users/{alice}/federated-identity", &["view-users", "manage-users"]),
    ("PUT", "/users/{alice}/disable-credential-types", &["manage-users"]),
    ("GET", "/clients", &["query-clients", "view-clients", "manage-clients"]),
    ("GET", "/clients/{client}", &["view-clients", "manage-clients"]),
    ("GET", "/clients/{client}/scope-mappings", &["view-clients", "manage-clients"]),
    ("GET", "/clients/{client}/protocol-mappers/models", &["view-clients", "manage-clients"]),
    ("GET", "/clients/{client}/installation/providers/keycloak-oidc-keycloak-json", &["view-clients", "manage-clients"]),
    ("GET", "/clients/{client}/evaluate-scopes/protocol-mappers", &["view-clients", "manage-clients"]),
    ("GET", "/clients/{client}/test-nodes-available", &["manage-clients"]),
    ("GET", "/clients-initial-access", &["view-clients", "manage-clients"]),
    ("POST", "/clients/{client}/registration-access-token", &["manage-clients"]),
    ("GET", "/default-default-client-scopes", &["view-clients", "manage-clients"]),
    ("GET", "/client-scopes", &["query-clients", "view-clients", "manage-clients"]),
    ("GET", "/events", &["view-events", "manage-events"]),
    ("GET", "/admin-events", &["view-events", "manage-events"]),
    ("GET", "/identity-provider/instances", &["view-identity-providers", "manage-identity-providers"]),
];

const ROLES: [&str; 14] = [
    "create-client",
    "impersonation",
    "manage-clients",
    "manage-events",
    "manage-identity-providers",
    "manage-realm",
    "manage-users",
    "query-clients",
    "query-groups",
    "query-users",
    "view-clients",
    "view-events",
    "view-identity-providers",
    "view-realm",
];

/// Gives alice this role of `realm-management`, and no other; with `view-users` for what that holds.
async fn only(admin: &Admin<'_>, alice: &str, role: &str) {
    let management = admin.client("realm-management").await;
    let path = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    assert_eq!(admin.delete(&path).await.status, 204);
    let role = admin.get(&format!("/demo/clients/{management}/roles/{role}")).await;
    assert_eq!(admin.call(Method::POST, &path, Some(&json!([role]))).await.status, 204);
}

#[tokio::test]
async fn every_role_opens_what_it_is_for_in_its_realm_and_nothing_elsewhere() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let client = admin.client("demo-backup").await;
    let made = admin.call(Method::POST, "/demo/groups", Some(&json!({"name": "staff"}))).await;
    let group = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    admin.call(Method::POST, "", Some(&json!({"realm": "other", "enabled": true}))).await;
    let admin = server.admin().await;
    for role in ROLES.into_iter().chain(["view-users"]) {
        only(&admin, &alice, role).await;
        let caller = server.admin_of_demo("alice", "alice").await;
        for (method, path, allowed) in OPERATIONS {
            let path = path.replace("{alice}", &alice).replace("{client}", &client).replace("{group}", &group);
            let method: Method = method.parse().unwrap();
            let body = (method == Method::PUT).then(|| json!([]));
            let opens = if allowed.is_empty() { role != "impersonation" } else { allowed.contains(&role) };
            let answer = caller.call(method.clone(), &format!("/demo{path}"), body.as_ref()).await;
            assert_eq!(answer.status != 403, opens, "{role}: {method} {path}: {} {:?}", answer.status, answer.body);
            assert!(answer.status < 500, "{role}: {method} {path}: {:?}", answer.body);
        }
        for (method, path, _) in OPERATIONS.iter().filter(|(_, path, _)| !path.contains('{')) {
            for realm in ["other", "master"] {
                let method: Method = method.parse().unwrap();
                let answer = caller.call(method.clone(), &format!("/{realm}{path}"), None).await;
                assert_eq!(answer.status, 403, "{role}: {method} /{realm}{path}");
            }
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn nobody_becomes_somebody_who_administers_more() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    only(&admin, &alice, "impersonation").await;
    let body = json!({"username": "boss", "enabled": true});
    let made = admin.call(Method::POST, "/demo/users", Some(&body)).await;
    let boss = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let helper = server.admin_of_demo("alice", "alice").await;
    let path = format!("/demo/users/{boss}/impersonation");
    let taken = helper.call(Method::POST, &path, Some(&json!({}))).await;
    assert_eq!((taken.status, taken.body["sameRealm"].clone()), (200, json!(true)));
    let sessions = admin.get(&format!("/demo/users/{boss}/sessions")).await;
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    only(&admin, &boss, "manage-realm").await;
    assert_eq!(helper.call(Method::POST, &path, Some(&json!({}))).await.status, 403);
    server.finish().await;
}

#[tokio::test]
async fn a_user_with_a_role_reads_server_info_and_one_without_does_not() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let info = async |caller: &Admin<'_>| {
        let request = server.http.get(format!("{}/admin/serverinfo", server.base)).bearer_auth(caller.token());
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<serde_json::Value>().await.unwrap())
    };
    let caller = server.admin_of_demo("alice", "alice").await;
    assert_eq!(info(&caller).await.0, 403);
    only(&admin, &alice, "view-realm").await;
    let (status, told) = info(&caller).await;
    assert_eq!(status, 200);
    let version = told["systemInfo"]["version"].as_str().unwrap();
    assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{version}");
    server.finish().await;
}
