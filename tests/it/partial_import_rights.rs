//! A file that adds to a realm is no way around what its parts ask at their own addresses (`partialImport`).

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, Answer, TestServer};

const PATH: &str = "/demo/partialImport";

async fn bring(admin: &Admin<'_>, if_exists: &str, file: Value) -> Answer {
    let mut file = file;
    file["ifResourceExists"] = json!(if_exists);
    admin.call(Method::POST, PATH, Some(&file)).await
}

/// Gives alice roles of `realm-management`, and answers her as an administrator.
pub async fn with_roles<'a>(server: &'a TestServer, names: &[&str]) -> Admin<'a> {
    let admin = server.admin().await;
    let (alice, management) = (admin.alice().await, admin.client("realm-management").await);
    let own = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    for name in names {
        let role = admin.get(&format!("/demo/clients/{management}/roles/{name}")).await;
        assert_eq!(admin.call(Method::POST, &own, Some(&json!([role]))).await.status, 204);
    }
    server.admin_of_demo("alice", "alice").await
}

#[tokio::test]
async fn nobody_brings_in_by_a_file_what_he_could_not_give() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (alice, management) = (admin.alice().await, admin.client("realm-management").await);
    let own = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    let give = async |name: &str| {
        let role = admin.get(&format!("/demo/clients/{management}/roles/{name}")).await;
        assert_eq!(admin.call(Method::POST, &own, Some(&json!([role]))).await.status, 204);
    };
    give("manage-realm").await;
    let helper = server.admin_of_demo("alice", "alice").await;
    let harmless = json!({"users": [{"username": "carl"}]});
    // What a part asks at its own address it asks here.
    assert_eq!(helper.call(Method::POST, PATH, Some(&harmless)).await.status, 403);
    give("manage-users").await;
    let helper = server.admin_of_demo("alice", "alice").await;
    assert_eq!(helper.call(Method::POST, PATH, Some(&harmless)).await.status, 200);
    let powers = json!({"realm-management": ["manage-clients"]});
    for file in [
        json!({"users": [{"username": "mole", "clientRoles": powers}]}),
        json!({"groups": [{"name": "moles", "path": "/moles", "clientRoles": powers}]}),
        json!({"roles": {"realm": [{"name": "mole", "composites": {"client": powers}}]}}),
    ] {
        let answer = helper.call(Method::POST, PATH, Some(&file)).await;
        assert_eq!(answer.status, 403, "{file}: {:?}", answer.body);
    }
    server.finish().await;
}

#[tokio::test]
async fn who_may_not_change_identity_providers_brings_in_none() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (alice, management) = (admin.alice().await, admin.client("realm-management").await);
    let role = admin.get(&format!("/demo/clients/{management}/roles/manage-realm")).await;
    let own = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    assert_eq!(admin.call(Method::POST, &own, Some(&json!([role]))).await.status, 204);
    let helper = server.admin_of_demo("alice", "alice").await;
    let file = json!({"identityProviders": [{"alias": "corp", "providerId": "oidc", "config": {}}]});
    assert_eq!(bring(&helper, "SKIP", file).await.status, 403);
    server.finish().await;
}

#[tokio::test]
async fn below_an_administrative_group_nobody_makes_or_joins_or_changes_one_unasked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let powers = json!({"realm-management": ["realm-admin"]});
    let there = json!({"groups": [{"name": "admins", "path": "/admins", "clientRoles": powers,
        "subGroups": [{"name": "night"}]}, {"name": "staff", "path": "/staff"}]});
    bring(&admin, "FAIL", there).await.granted();
    let helper = with_roles(&server, &["manage-realm", "manage-users"]).await;
    let admins =
        |below: Value, roles: Value| json!({"name": "admins", "path": "/admins", "subGroups": below, "clientRoles": roles});
    for (why, file) in [
        (
            "a new group below it",
            json!({"groups": [admins(json!([{"name": "mole"}]), powers.clone())], "users": [{"username": "m", "groups": ["/admins/mole"]}]}),
        ),
        ("its roles taken away", json!({"groups": [admins(json!([]), json!({}))]})),
        ("joining below it", json!({"users": [{"username": "m", "groups": ["/admins/night"]}]})),
        (
            "a new group with powers below another",
            json!({"groups": [{"name": "staff", "path": "/staff",
            "subGroups": [{"name": "mole", "subGroups": [{"name": "deep", "clientRoles": powers}]}]}]}),
        ),
    ] {
        let answer = bring(&helper, "OVERWRITE", file).await;
        assert_eq!(answer.status, 403, "{why}: {:?}", answer.body);
    }
    // What the file leaves as it is asks for nothing.
    let skipped =
        json!({"groups": [admins(json!([{"name": "mole"}]), json!({}))], "users": [{"username": "m", "groups": ["/staff"]}]});
    assert_eq!(bring(&helper, "SKIP", skipped).await.granted()["added"], json!(1));
    server.finish().await;
}

#[tokio::test]
async fn an_administrative_role_is_not_emptied_by_who_does_not_hold_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let chief = |composites: Value| json!({"roles": {"realm": [{"name": "chief", "composites": composites}]}});
    bring(&admin, "FAIL", chief(json!({"client": {"realm-management": ["realm-admin"]}}))).await.granted();
    let helper = with_roles(&server, &["manage-realm", "manage-users"]).await;
    assert_eq!(bring(&helper, "OVERWRITE", chief(json!({}))).await.status, 403);
    bring(&admin, "OVERWRITE", chief(json!({}))).await.granted();
    assert_eq!(admin.get("/demo/roles/chief").await["composite"], json!(false));
    server.finish().await;
}

#[tokio::test]
async fn the_account_of_a_client_is_overwritten_by_nothing_but_the_same() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let robot = json!({"clients": [{"clientId": "robot", "secret": "s3cret", "serviceAccountsEnabled": true}]});
    bring(&admin, "FAIL", robot).await.granted();
    let account =
        |of: Value| json!({"users": [{"username": "service-account-robot", "enabled": true, "serviceAccountClientId": of}]});
    let refused = bring(&admin, "OVERWRITE", account(Value::Null)).await;
    assert_eq!(refused.status, 400, "{:?}", refused.body);
    bring(&admin, "OVERWRITE", account(json!("robot"))).await.granted();
    // What a client is asks for more than what its users are.
    let helper = with_roles(&server, &["manage-realm", "manage-users"]).await;
    assert_eq!(bring(&helper, "OVERWRITE", account(json!("robot"))).await.status, 403);
    server.finish().await;
}
