//! Groups in the Admin REST API: the tree, what it gives to whom, and who may change it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, Answer, TestServer};

/// The id at the end of where something was made.
fn made(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

async fn group(admin: &Admin<'_>, place: &str, name: &str) -> String {
    made(&admin.call(Method::POST, place, Some(&json!({"name": name}))).await)
}

#[tokio::test]
async fn members_hold_what_the_groups_above_theirs_hold_until_the_group_is_moved() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let staff = group(&admin, "/demo/groups", "staff").await;
    let night = group(&admin, &format!("/demo/groups/{staff}/children"), "night").await;
    admin.call(Method::POST, "/demo/roles", Some(&json!({"name": "auditor"}))).await;
    let role = admin.get("/demo/roles/auditor").await;
    let mappings = format!("/demo/groups/{staff}/role-mappings/realm");
    assert_eq!(admin.call(Method::POST, &mappings, Some(&json!([role]))).await.status, 204);
    let alice = admin.alice().await;
    assert_eq!(admin.call(Method::PUT, &format!("/demo/users/{alice}/groups/{night}"), None).await.status, 204);
    let effective = format!("/demo/users/{alice}/role-mappings/realm/composite");
    let holds = async || admin.get(&effective).await.as_array().unwrap().iter().any(|role| role["name"] == "auditor");
    assert!(holds().await);
    let moved = json!({"id": night, "name": "night"});
    assert_eq!(admin.call(Method::POST, "/demo/groups", Some(&moved)).await.status, 204);
    assert!(!holds().await, "the group stands at the top now");
    assert_eq!(admin.get("/demo/group-by-path/night").await["id"], json!(night));
    server.finish().await;
}

#[tokio::test]
async fn a_group_is_never_put_below_itself_however_many_try() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (one, two) = (group(&admin, "/demo/groups", "one").await, group(&admin, "/demo/groups", "two").await);
    // Each way alone is fine; both together would be a circle.
    let ways = [(&one, json!({"id": two, "name": "two"})), (&two, json!({"id": one, "name": "one"}))];
    let attempt = |n: usize| {
        let (parent, body) = &ways[n];
        let (admin, path) = (&admin, format!("/demo/groups/{parent}/children"));
        async move { admin.call(Method::POST, &path, Some(body)).await.status }
    };
    let (a, b, c, d) = tokio::join!(attempt(0), attempt(1), attempt(0), attempt(1));
    let (e, f, g, h) = tokio::join!(attempt(1), attempt(0), attempt(1), attempt(0));
    let statuses = [a, b, c, d, e, f, g, h];
    assert!(statuses.iter().all(|status| [204, 400].contains(status)), "{statuses:?}");
    let top = admin.get("/demo/groups").await;
    assert_eq!(top.as_array().unwrap().iter().filter(|g| ["one", "two"].contains(&g["name"].as_str().unwrap())).count(), 1);
    server.finish().await;
}

#[tokio::test]
async fn nobody_hands_out_by_a_group_what_he_does_not_hold() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let management = admin.client("realm-management").await;
    let roles = format!("/demo/clients/{management}/roles");
    let role = async |name: &str| admin.get(&format!("{roles}/{name}")).await;
    let (boss, staff) = (group(&admin, "/demo/groups", "boss").await, group(&admin, "/demo/groups", "staff").await);
    let mappings = format!("/demo/groups/{boss}/role-mappings/clients/{management}");
    assert_eq!(admin.call(Method::POST, &mappings, Some(&json!([role("manage-realm").await]))).await.status, 204);
    let alice = admin.alice().await;
    let own = format!("/demo/users/{alice}/role-mappings/clients/{management}");
    assert_eq!(admin.call(Method::POST, &own, Some(&json!([role("manage-users").await]))).await.status, 204);
    let helper = server.admin_of_demo("alice", "alice").await;
    for (method, path, body) in [
        (Method::PUT, format!("/demo/users/{alice}/groups/{boss}"), None),
        (Method::POST, format!("/demo/groups/{boss}/children"), Some(json!({"id": staff, "name": "staff"}))),
        (
            Method::POST,
            format!("/demo/groups/{staff}/role-mappings/clients/{management}"),
            Some(json!([role("manage-realm").await])),
        ),
        (Method::POST, "/demo/users".to_owned(), Some(json!({"username": "mole", "groups": ["/boss"]}))),
    ] {
        let answer = helper.call(method.clone(), &path, body.as_ref()).await;
        assert_eq!(answer.status, 403, "{method} {path}: {:?}", answer.body);
    }
    server.finish().await;
}

#[tokio::test]
async fn a_search_shows_the_way_and_pages_are_stable() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let top = group(&admin, "/demo/groups", "top").await;
    for n in 0..12 {
        group(&admin, &format!("/demo/groups/{top}/children"), &format!("leaf {n:02}")).await;
    }
    let found = admin.get("/demo/groups?search=LEAF%2007").await;
    assert_eq!(found[0]["name"], json!("top"));
    assert_eq!(found[0]["subGroups"][0]["path"], json!("/top/leaf 07"));
    assert_eq!(found[0]["subGroups"].as_array().unwrap().len(), 1, "only the way");
    let mut seen = Vec::new();
    for first in (0..12).step_by(5) {
        let page = admin.get(&format!("/demo/groups/{top}/children?first={first}&max=5")).await;
        seen.extend(page.as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, (0..12).map(|n| format!("leaf {n:02}")).collect::<Vec<_>>());
    assert_eq!(admin.get("/demo/groups/count?search=leaf").await, json!({"count": 12}));
    server.finish().await;
}

#[tokio::test]
async fn bad_input_about_groups_is_refused_by_name() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let staff = group(&admin, "/demo/groups", "staff").await;
    let long = "x".repeat(256);
    let missing = json!({"errorMessage": "Group name is missing"});
    for (method, path, body, status, said) in [
        (Method::POST, "/demo/groups".to_owned(), json!({}), 400, missing.clone()),
        (Method::POST, "/demo/groups".to_owned(), json!({"name": " "}), 400, missing.clone()),
        (Method::PUT, format!("/demo/groups/{staff}"), json!({"description": "D"}), 400, missing),
        (
            Method::POST,
            "/demo/groups".to_owned(),
            json!({"name": long}),
            400,
            json!({"errorMessage": "Database operation failed"}),
        ),
        (
            Method::POST,
            "/demo/groups".to_owned(),
            json!({"name": "staff"}),
            409,
            json!({"errorMessage": "Top level group named 'staff' already exists."}),
        ),
        (
            Method::POST,
            format!("/demo/groups/{staff}/children"),
            json!({"id": "nobody", "name": "x"}),
            404,
            json!({"error": "Could not find child by id"}),
        ),
        (
            Method::PUT,
            "/demo/groups/nobody".to_owned(),
            json!({"name": "x"}),
            404,
            json!({"error": "Could not find group by id"}),
        ),
        (Method::PUT, "/demo/default-groups/nobody".to_owned(), Value::Null, 404, json!({"error": "Group not found"})),
    ] {
        let answer = admin.call(method.clone(), &path, Some(&body)).await;
        assert_eq!((answer.status, &answer.body), (status, &said), "{method} {path} {body}");
    }
    // A group of another realm is not there.
    admin.call(Method::POST, "", Some(&json!({"realm": "other", "enabled": true}))).await;
    let admin = server.admin().await;
    assert_eq!(admin.call(Method::GET, &format!("/other/groups/{staff}"), None).await.status, 404);
    assert_eq!(admin.call(Method::DELETE, &format!("/other/groups/{staff}"), None).await.status, 404);
    server.finish().await;
}

#[tokio::test]
async fn new_users_join_the_default_groups_and_a_deleted_group_is_left() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let staff = group(&admin, "/demo/groups", "staff").await;
    assert_eq!(admin.call(Method::PUT, &format!("/demo/default-groups/{staff}"), None).await.status, 204);
    let user = made(&admin.call(Method::POST, "/demo/users", Some(&json!({"username": "carol"}))).await);
    let groups = format!("/demo/users/{user}/groups");
    assert_eq!(admin.get(&groups).await[0]["id"], json!(staff));
    assert_eq!(admin.delete(&format!("/demo/groups/{staff}")).await.status, 204);
    assert_eq!(admin.get(&groups).await, json!([]));
    assert_eq!(admin.get("/demo/default-groups").await, json!([]));
    server.finish().await;
}

#[tokio::test]
async fn groups_stand_no_deeper_than_there_is_an_end() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mut below = group(&admin, "/demo/groups", "g1").await;
    let top = below.clone();
    for depth in 2..=60 {
        below = group(&admin, &format!("/demo/groups/{below}/children"), &format!("g{depth}")).await;
    }
    let deeper = json!({"errorMessage": "Groups cannot be nested any deeper"});
    let refused = admin.call(Method::POST, &format!("/demo/groups/{below}/children"), Some(&json!({"name": "g61"}))).await;
    assert_eq!((refused.status, &refused.body), (400, &deeper));
    // Nor does a chain of groups come to stand too deep by being moved.
    let above = group(&admin, "/demo/groups", "above").await;
    let moved =
        admin.call(Method::POST, &format!("/demo/groups/{above}/children"), Some(&json!({"id": top, "name": "g1"}))).await;
    assert_eq!((moved.status, &moved.body), (400, &deeper));
    server.finish().await;
}

#[tokio::test]
async fn members_and_holders_come_a_hundred_at_a_time() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let users: Vec<Value> =
        (0..101).map(|n| json!({"username": format!("u{n:03}"), "groups": ["/staff"], "realmRoles": ["auditor"]})).collect();
    let file =
        json!({"groups": [{"name": "staff", "path": "/staff"}], "roles": {"realm": [{"name": "auditor"}]}, "users": users});
    admin.call(Method::POST, "/demo/partialImport", Some(&file)).await.granted();
    let staff = admin.get("/demo/group-by-path/staff").await["id"].clone();
    for list in [format!("/demo/groups/{}/members", staff.as_str().unwrap()), "/demo/roles/auditor/users".to_owned()] {
        for (query, count) in [("", 100), ("?max=200", 101), ("?first=100", 1)] {
            assert_eq!(admin.get(&format!("{list}{query}")).await.as_array().unwrap().len(), count, "{list}{query}");
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn of_eight_groups_of_one_name_one_is_made() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let body = &json!({"name": "only"});
    let attempt = || async { admin.call(Method::POST, "/demo/groups", Some(body)).await.status };
    let (a, b, c, d, e, f, g, h) =
        tokio::join!(attempt(), attempt(), attempt(), attempt(), attempt(), attempt(), attempt(), attempt());
    let mut statuses = [a, b, c, d, e, f, g, h];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    server.finish().await;
}

#[tokio::test]
async fn a_path_that_two_groups_share_names_neither() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let a = group(&admin, "/demo/groups", "a").await;
    group(&admin, &format!("/demo/groups/{a}/children"), "b").await;
    assert_eq!(admin.get("/demo/group-by-path/a/b").await["name"], json!("b"));
    group(&admin, "/demo/groups", "a/b").await;
    assert_eq!(admin.call(Method::GET, "/demo/group-by-path/a/b", None).await.status, 404);
    let user = json!({"username": "carol", "groups": ["/a/b"]});
    let refused = admin.call(Method::POST, "/demo/users", Some(&user)).await;
    let text = json!({"errorMessage": "Unable to find group specified by path: /a/b"});
    assert_eq!((refused.status, refused.body), (400, text));
    server.finish().await;
}
