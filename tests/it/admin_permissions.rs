//! Administrative roles beside the matrix of all operations (`admin_matrix`).

use reqwest::Method;
use serde_json::json;

use crate::support::{Admin, TestServer};

/// Gives alice this role of `realm-management`, and no other; with `view-users` for what that holds.
async fn only(admin: &Admin<'_>, alice: &str, role: &str) {
    let management = admin.client("realm-management").await;
    let path = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    assert_eq!(admin.delete(&path).await.status, 204);
    let role = admin.get(&format!("/demo/clients/{management}/roles/{role}")).await;
    assert_eq!(admin.call(Method::POST, &path, Some(&json!([role]))).await.status, 204);
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
