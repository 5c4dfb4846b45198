//! Who may do what in the Admin REST API: every operation for every administrative role, in the realm of the role, in another one,
//! and from the master realm. What each asks for stands in `files/permissions.txt`; an operation that does not stand there fails.
//!
//! Nothing is changed by it: bodies cannot be read, and what is addressed is not there, which is told to those who may ask.

use std::collections::{BTreeSet, HashMap};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, TestServer, description};

const PERMISSIONS: &str = include_str!("files/permissions.txt");
const ROLES: [&str; 15] = [
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
    "view-users",
];
/// They leave nothing to ask about.
const LAST: [(&str, &str); 2] = [("POST", "/logout-all"), ("DELETE", "/")];
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

struct Row {
    method: Method,
    /// Below the realm; `/` for the realm itself.
    path: &'static str,
    roles: &'static str,
}

impl Row {
    /// `a b`: either of them; `a+b`: both; `any`: whatever lets one see the realm at all.
    fn opens_to(&self, role: &str) -> bool {
        match self.roles {
            "any" => role != "impersonation",
            roles => roles.split(' ').any(|one| one == role),
        }
    }

    fn is_last(&self) -> bool {
        LAST.contains(&(self.method.as_str(), self.path))
    }
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let (operation, roles) = line.split_once(": ").unwrap();
        let (method, path) = operation.split_once(' ').unwrap();
        Row { method: method.parse().unwrap(), path, roles }
    };
    PERMISSIONS.lines().map(row).collect()
}

/// What is there to be read, by the place that names it.
struct Things(HashMap<&'static str, String>);

impl Things {
    async fn of(admin: &Admin<'_>) -> Self {
        let first = async |path: &str| admin.get(path).await[0]["id"].as_str().unwrap().to_owned();
        let group = admin.call(Method::POST, "/demo/groups", Some(&json!({"name": "staff"}))).await;
        let (client, scope) = (admin.client("demo-backup").await, first("/demo/client-scopes").await);
        Self(HashMap::from([
            ("/users/{id}", admin.alice().await),
            ("/clients/{uuid}", client.clone()),
            ("/clients/{id}", client),
            ("/groups/{id}", group.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()),
            ("/client-scopes/{id}", scope.clone()),
            ("/client-templates/{id}", scope),
            ("/components/{id}", first("/demo/components").await),
            ("/roles-by-id/{id}", first("/demo/roles").await),
            ("/roles/{name}", "offline_access".to_owned()),
            ("/group-by-path/{*path}", "staff".to_owned()),
        ]))
    }

    /// Readers are shown what is there; whoever would change something finds nothing to change.
    fn fill(&self, row: &Row) -> String {
        let mut path = row.path.trim_end_matches('/').to_owned();
        for (place, id) in self.0.iter().filter(|_| row.method == Method::GET) {
            let (before, _) = place.rsplit_once('/').unwrap();
            path = path.replace(place, &format!("{before}/{id}"));
        }
        let fill = |segment: &str| if segment.starts_with('{') { NOBODY.to_owned() } else { segment.to_owned() };
        path.split('/').map(fill).collect::<Vec<String>>().join("/")
    }
}

async fn status(server: &TestServer, caller: &Admin<'_>, realm: &str, row: &Row, path: &str) -> u16 {
    let address = format!("{}/admin/realms/{realm}{path}", server.base);
    let mut request = server.http.request(row.method.clone(), address).bearer_auth(caller.token());
    if [Method::POST, Method::PUT].contains(&row.method) {
        request = request.header("content-type", "application/json").body("{");
    }
    request.send().await.unwrap().status().as_u16()
}

/// Gives a user these roles of a client, and no others.
async fn only(admin: &Admin<'_>, realm: &str, user: &str, client: &str, roles: &[&str]) {
    let held = format!("/{realm}/users/{user}/role-mappings/clients/{client}");
    assert_eq!(admin.delete(&held).await.status, 204);
    let mut given = Vec::new();
    for role in roles {
        given.push(admin.get(&format!("/{realm}/clients/{client}/roles/{role}")).await);
    }
    assert_eq!(admin.call(Method::POST, &held, Some(&json!(given))).await.status, 204);
}

#[test]
fn every_operation_has_a_row_and_every_row_is_an_operation() {
    const REALM: &str = "/admin/realms/{realm}";
    // Who lists and makes realms, and reads of the server and of himself, has tests of his own.
    const BESIDE: [&str; 3] = ["/admin/realms", "/admin/serverinfo", "/admin/{realm}/console/whoami"];
    let of_realms = description::operations().iter().filter(|operation| !BESIDE.contains(&operation.path.as_str()));
    let served = of_realms.map(|operation| {
        let below = operation.path.strip_prefix(REALM).unwrap().replace("{path}", "{*path}");
        format!("{} {}", operation.method, if below.is_empty() { "/" } else { &below })
    });
    let served: BTreeSet<String> = served.collect();
    let told: BTreeSet<String> = rows().iter().map(|row| format!("{} {}", row.method, row.path)).collect();
    assert_eq!(served.symmetric_difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn every_role_opens_what_it_is_for_in_its_realm_and_nothing_elsewhere() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (rows, things) = (rows(), Things::of(&admin).await);
    let (alice, management) = (admin.alice().await, admin.client("realm-management").await);
    let nobody = server.admin_of_demo("alice", "alice").await;
    for row in &rows {
        let path = things.fill(row);
        assert_eq!(status(&server, &nobody, "demo", row, &path).await, 403, "{} {}", row.method, row.path);
        let stranger = server.http.request(row.method.clone(), format!("{}/admin/realms/demo{path}", server.base));
        assert_eq!(stranger.send().await.unwrap().status(), 401, "{} {}", row.method, row.path);
    }
    for role in ROLES {
        only(&admin, "demo", &alice, &management, &[role]).await;
        let caller = server.admin_of_demo("alice", "alice").await;
        for row in rows.iter().filter(|row| !row.is_last() || !row.opens_to(role)) {
            let status = status(&server, &caller, "demo", row, &things.fill(row)).await;
            let told = format!("{role}: {} {}: {status}", row.method, row.path);
            assert_eq!(status != 403, row.opens_to(role), "{told}");
            assert!(status < 500 && status != 401, "{told}");
        }
    }
    for row in rows.iter().filter(|row| row.roles.contains('+')) {
        let roles: Vec<&str> = row.roles.split('+').collect();
        only(&admin, "demo", &alice, &management, &roles).await;
        let caller = server.admin_of_demo("alice", "alice").await;
        assert_ne!(status(&server, &caller, "demo", row, &things.fill(row)).await, 403, "{} {}", row.method, row.path);
    }
    // Whoever may do all of it may do nothing anywhere else.
    let made = admin.call(Method::POST, "", Some(&json!({"realm": "other", "enabled": true}))).await;
    assert_eq!(made.status, 201);
    only(&admin, "demo", &alice, &management, &ROLES).await;
    let caller = server.admin_of_demo("alice", "alice").await;
    for row in &rows {
        for realm in ["other", "master"] {
            let status = status(&server, &caller, realm, row, &things.fill(row)).await;
            assert_eq!(status, 403, "{} /{realm}{}", row.method, row.path);
        }
    }
    let ends = async |(method, path): (&str, &str)| {
        let caller = server.admin_of_demo("alice", "alice").await;
        caller.call(method.parse().unwrap(), &format!("/demo{}", path.trim_end_matches('/')), None).await.status
    };
    assert_eq!((ends(LAST[0]).await, ends(LAST[1]).await), (200, 204));
    server.finish().await;
}

#[tokio::test]
async fn roles_over_one_realm_in_the_master_realm_open_the_same_there_and_nothing_elsewhere() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (rows, things) = (rows(), Things::of(&admin).await);
    let made = admin.call(Method::POST, "", Some(&json!({"realm": "other", "enabled": true}))).await;
    assert_eq!(made.status, 201);
    let admin = server.admin().await;
    let user = json!({"username": "helper", "enabled": true, "email": "h@example.org", "firstName": "H", "lastName": "H",
        "credentials": [{"type": "password", "value": "helper"}]});
    let made = admin.call(Method::POST, "/master/users", Some(&user)).await;
    let helper = made.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let found: Value = admin.get("/master/clients?clientId=demo-realm").await;
    let client = found[0]["id"].as_str().unwrap();
    for role in ROLES {
        only(&admin, "master", &helper, client, &[role]).await;
        let caller = server.admin_of("master", "helper", "helper").await;
        for row in rows.iter().filter(|row| !row.is_last() || !row.opens_to(role)) {
            let status = status(&server, &caller, "demo", row, &things.fill(row)).await;
            assert_eq!(status != 403, row.opens_to(role), "{role}: {} {}: {status}", row.method, row.path);
        }
    }
    only(&admin, "master", &helper, client, &ROLES).await;
    let caller = server.admin_of("master", "helper", "helper").await;
    for row in &rows {
        for realm in ["other", "master"] {
            let status = status(&server, &caller, realm, row, &things.fill(row)).await;
            assert_eq!(status, 403, "{} /{realm}{}", row.method, row.path);
        }
    }
    server.finish().await;
}

#[tokio::test]
async fn a_role_at_its_id_is_for_those_who_manage_what_it_belongs_to() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (alice, management) = (admin.alice().await, admin.client("realm-management").await);
    let backup = admin.client("demo-backup").await;
    let made = async |path: &str| {
        assert_eq!(admin.call(Method::POST, path, Some(&json!({"name": "watch"}))).await.status, 201);
        admin.get(&format!("{path}/watch")).await
    };
    let kinds = [
        (made("/demo/roles").await, ["view-realm", "manage-realm"]),
        (made(&format!("/demo/clients/{backup}/roles")).await, ["view-clients", "manage-clients"]),
    ];
    for role in ROLES {
        only(&admin, "demo", &alice, &management, &[role]).await;
        let caller = server.admin_of_demo("alice", "alice").await;
        for (found, [view, manage]) in &kinds {
            let one = format!("/demo/roles-by-id/{}", found["id"].as_str().unwrap());
            let (views, manages) = ([view, manage].contains(&&role), *manage == role);
            for (method, path, body, opens) in [
                (Method::GET, one.clone(), None, views),
                (Method::GET, format!("{one}/composites"), None, views),
                (Method::PUT, one.clone(), Some(found.clone()), manages),
                (Method::POST, format!("{one}/composites"), Some(json!([])), manages),
                (Method::DELETE, format!("{one}/composites"), Some(json!([])), manages),
            ] {
                let status = caller.call(method.clone(), &path, body.as_ref()).await.status;
                assert_eq!(status != 403, opens, "{role}: {method} {path}: {status}");
            }
            if !manages {
                assert_eq!(caller.delete(&one).await.status, 403, "{role}");
            }
        }
    }
    server.finish().await;
}
