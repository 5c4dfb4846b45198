//! Files that add to a realm that is there (`partialImport`): what is overwritten keeps what others have given to it.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Admin, Answer, TestServer, claims, database_address};

const PATH: &str = "/demo/partialImport";

async fn bring(admin: &Admin<'_>, if_exists: &str, file: Value) -> Answer {
    let mut file = file;
    file["ifResourceExists"] = json!(if_exists);
    admin.call(Method::POST, PATH, Some(&file)).await
}

async fn made(admin: &Admin<'_>, path: &str, body: Value) -> String {
    let answer = admin.call(Method::POST, path, Some(&body)).await;
    assert_eq!(answer.status, 201, "{path}: {:?}", answer.body);
    answer.headers["location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_partial_import_adds_everything_or_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let file = |policy: &str| {
        json!({"ifResourceExists": policy, "users": [{"username": "carl"}, {"username": "alice"}],
            "roles": {"realm": [{"name": "auditor"}]}, "groups": [{"name": "guests", "path": "/guests"}]})
    };
    let refused = admin.call(Method::POST, PATH, Some(&file("FAIL"))).await;
    assert_eq!((refused.status, refused.body), (409, json!({"errorMessage": "User with user name alice already exists."})));
    assert_eq!(admin.get("/demo/users?username=carl&exact=true").await, json!([]));
    assert_eq!(admin.call(Method::GET, "/demo/roles/auditor", None).await.status, 404);
    let added = admin.call(Method::POST, PATH, Some(&file("SKIP"))).await.granted();
    assert_eq!((added["added"].clone(), added["skipped"].clone()), (json!(3), json!(1)));
    // Overwriting keeps the ids of roles: who holds one still does.
    let before = admin.get("/demo/roles/auditor").await["id"].clone();
    let overwrite = json!({"ifResourceExists": "OVERWRITE", "roles": {"realm": [{"name": "auditor", "description": "new"}]}});
    admin.call(Method::POST, PATH, Some(&overwrite)).await.granted();
    let after = admin.get("/demo/roles/auditor").await;
    assert_eq!((after["id"].clone(), after["description"].clone()), (before, json!("new")));
    server.finish().await;
}

#[tokio::test]
async fn a_client_that_is_overwritten_keeps_its_roles_who_holds_them_and_its_secret() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (uuid, alice) = (admin.client("demo-backup").await, admin.alice().await);
    let role = json!({"name": "operator"});
    assert_eq!(admin.call(Method::POST, &format!("/demo/clients/{uuid}/roles"), Some(&role)).await.status, 201);
    let role = admin.get(&format!("/demo/clients/{uuid}/roles/operator")).await;
    let held = format!("/demo/users/{alice}/role-mappings/clients/{uuid}");
    assert_eq!(admin.call(Method::POST, &held, Some(&json!([role]))).await.status, 204);
    let mut file = admin.get(&format!("/demo/clients/{uuid}")).await;
    for field in ["id", "access"] {
        file.as_object_mut().unwrap().remove(field);
    }
    (file["description"], file["secret"]) = (json!("brought"), json!("**********"));
    let answer = bring(&admin, "OVERWRITE", json!({"clients": [file]})).await.granted();
    let told = json!([{"action": "OVERWRITTEN", "resourceType": "CLIENT", "resourceName": "demo-backup", "id": uuid}]);
    assert_eq!(answer["results"], told);
    assert_eq!(admin.get(&format!("/demo/clients/{uuid}")).await["description"], json!("brought"));
    assert_eq!(admin.get(&held).await[0]["id"], role["id"]);
    // The mask is no secret: the client signs in with the one it has.
    let tokens = server.sign_in("openid").await;
    assert_eq!(claims(&tokens["access_token"])["resource_access"]["demo-backup"]["roles"], json!(["operator"]));
    // A client that the server itself lives by is not to be overwritten.
    let refused = bring(&admin, "OVERWRITE", json!({"clients": [{"clientId": "realm-management"}]})).await;
    assert_eq!(refused.status, 403, "{:?}", refused.body);
    server.finish().await;
}

#[tokio::test]
async fn a_user_who_is_overwritten_has_nothing_of_before_in_any_memory_of_the_server() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let offline = server.offline_token().await;
    let file = |enabled: bool| {
        json!({"users": [{"username": "alice", "email": "alice@example.org", "firstName": "Alice", "lastName": "Example",
            "enabled": enabled, "credentials": [{"type": "password", "value": "brought"}]}]})
    };
    let answer = bring(&admin, "OVERWRITE", file(true)).await.granted();
    assert_eq!(answer["results"][0]["id"], json!(alice), "an application knows her by her `sub`");
    assert_eq!(server.refresh(&offline).await.status, 400, "what was granted went with the user of before");
    assert_eq!(admin.get(&format!("/demo/users/{alice}/role-mappings")).await["clientMappings"], Value::Null);
    let form = |password| [("grant_type", "password"), ("username", "alice"), ("password", password), ("scope", "openid")];
    let old = server.as_backup("/token", &form("alice")).await;
    assert_eq!(old.refusal(), (400, "invalid_grant", "Invalid user credentials"));
    server.as_backup("/token", &form("brought")).await.granted();
    bring(&admin, "OVERWRITE", file(false)).await.granted();
    assert_eq!(server.as_backup("/token", &form("brought")).await.refusal(), (400, "invalid_grant", "Account disabled"));
    server.finish().await;
}

#[tokio::test]
async fn a_user_known_by_the_address_alone_is_another_user() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let email = admin.get(&format!("/demo/users/{alice}")).await["email"].clone();
    // Not even a file gives the `sub` of one to another.
    let file = json!({"users": [{"id": alice, "username": "alison", "email": email, "enabled": true}]});
    let answer = bring(&admin, "OVERWRITE", file).await.granted();
    assert_eq!(answer["overwritten"], json!(1));
    assert_ne!(answer["results"][0]["id"], json!(alice));
    assert_eq!(admin.call(Method::GET, &format!("/demo/users/{alice}"), None).await.status, 404);
    for nobody in [json!({"username": ""}), json!({"username": "  "}), json!({"email": "a@example.org"})] {
        let refused = bring(&admin, "SKIP", json!({"users": [nobody]})).await;
        assert_eq!((refused.status, refused.body), (400, json!({"errorMessage": "User name is missing"})));
    }
    server.finish().await;
}

#[tokio::test]
async fn nobody_becomes_the_second_account_of_a_client() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let robot = json!({"clientId": "robot", "secret": "s3cret", "serviceAccountsEnabled": true});
    made(&admin, "/demo/clients", robot).await;
    let second = json!({"users": [{"username": "mole", "enabled": true, "serviceAccountClientId": "robot"}]});
    let refused = bring(&admin, "SKIP", second).await;
    assert_eq!((refused.status, refused.body), (409, json!({"errorMessage": "The client has a service account already"})));
    server.finish().await;
}

#[tokio::test]
async fn groups_are_known_by_their_paths_and_those_below_come_along() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let file = |description: &str| {
        json!({"groups": [{"name": "staff", "path": "/staff", "attributes": {"d": [description]},
            "subGroups": [{"name": "it", "path": "/staff/it", "attributes": {"d": [description]}}]}]})
    };
    bring(&admin, "FAIL", file("old")).await.granted();
    let group = |path: &str| format!("/demo/group-by-path/{path}");
    let (staff, it) = (admin.get(&group("staff")).await["id"].clone(), admin.get(&group("staff/it")).await["id"].clone());
    let alice = admin.alice().await;
    let joined = format!("/demo/users/{alice}/groups/{}", it.as_str().unwrap());
    assert_eq!(admin.call(Method::PUT, &joined, None).await.status, 204);
    bring(&admin, "OVERWRITE", file("new")).await.granted();
    for (path, id) in [("staff", &staff), ("staff/it", &it)] {
        let now = admin.get(&group(path)).await;
        assert_eq!((&now["id"], &now["attributes"]["d"][0]), (id, &json!("new")), "{path}");
    }
    assert_eq!(admin.get(&format!("/demo/users/{alice}/groups")).await[0]["id"], it, "members stay");
    let refused = bring(&admin, "FAIL", file("newer")).await;
    assert_eq!((refused.status, refused.body), (409, json!({"errorMessage": "Group '/staff' already exists"})));
    server.finish().await;
}

/// What stands in the database as the secret of the demo realm's first identity provider.
async fn sealed_secret(server: &TestServer) -> Option<String> {
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let secret = "select settings#>>'{identityProviders,0,config,clientSecret,sealed}' from realm where name = 'demo'";
    sqlx::query_scalar(secret).fetch_one(&mut database).await.unwrap()
}

#[tokio::test]
async fn identity_providers_come_with_their_mappers_and_a_mask_is_no_secret() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let file = |secret: &str| {
        json!({
            "identityProviders": [{"alias": "corp", "providerId": "oidc", "enabled": true,
                "config": {"clientId": "us", "clientSecret": secret, "tokenUrl": "https://corp.example.org/t",
                    "authorizationUrl": "https://corp.example.org/a"}}],
            "identityProviderMappers": [{"name": "city", "identityProviderAlias": "corp",
                "identityProviderMapper": "oidc-user-attribute-idp-mapper", "config": {"claim": "city"}}],
        })
    };
    let added = bring(&admin, "FAIL", file("hidden")).await.granted();
    let kinds = |answer: &Value| -> Vec<Value> {
        answer["results"].as_array().unwrap().iter().map(|one| one["resourceType"].clone()).collect()
    };
    assert_eq!((added["added"].clone(), kinds(&added)), (json!(2), vec![json!("IDP"), json!("IDP_MAPPER")]));
    let path = "/demo/identity-provider/instances/corp";
    assert_eq!(admin.get(&format!("{path}/mappers")).await[0]["name"], json!("city"));
    assert_eq!(admin.get(path).await["config"]["clientSecret"], json!("**********"));
    let before = sealed_secret(&server).await;
    assert!(before.is_some(), "it is kept, and sealed");
    let again = bring(&admin, "OVERWRITE", file("**********")).await.granted();
    assert_eq!(again["overwritten"], json!(2));
    assert_eq!(sealed_secret(&server).await, before);
    server.finish().await;
}

#[tokio::test]
async fn every_thing_of_a_file_has_an_event_of_its_own() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(json!({"adminEventsEnabled": true})).await;
    let file = json!({"users": [{"username": "carl"}, {"username": "alice"}], "roles": {"realm": [{"name": "auditor"}]}});
    let answer = bring(&admin, "SKIP", file).await.granted();
    let mut places: Vec<String> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["action"] == json!("ADDED"))
        .map(|one| {
            let place = if one["resourceType"] == json!("USER") { "users" } else { "realms" };
            format!("{place}/{}", one["id"].as_str().unwrap())
        })
        .collect();
    let events = admin.get("/demo/admin-events?operationTypes=CREATE").await;
    let mut told: Vec<&str> = events.as_array().unwrap().iter().map(|event| event["resourcePath"].as_str().unwrap()).collect();
    told.sort_unstable();
    places.sort_unstable();
    assert_eq!(told, places);
    server.finish().await;
}

#[tokio::test]
async fn what_has_been_revoked_stays_revoked() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let uuid = admin.client("demo-backup").await;
    let path = format!("/demo/clients/{uuid}");
    let mut client = admin.get(&path).await;
    client["notBefore"] = json!(1_700_000_000);
    admin.call(Method::PUT, &path, Some(&client)).await;
    let file = json!({"clients": [{"clientId": "demo-backup", "redirectUris": ["http://localhost/*"]}]});
    bring(&admin, "OVERWRITE", file).await.granted();
    assert_eq!(admin.get(&path).await["notBefore"], json!(1_700_000_000));
    server.finish().await;
}

#[tokio::test]
async fn what_a_file_says_twice_is_not_mixed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let group = |role: &str| json!({"name": "staff", "path": "/staff", "realmRoles": [role]});
    let role = |description: &str| json!({"name": "auditor", "description": description});
    for file in [
        json!({"groups": [group("offline_access"), group("uma_authorization")]}),
        json!({"roles": {"realm": [role("one"), role("two")]}}),
    ] {
        let refused = bring(&admin, "OVERWRITE", file).await;
        assert!(refused.body["errorMessage"].as_str().unwrap().ends_with("is twice in the file"), "{:?}", refused.body);
    }
    let both = json!({"groups": [{"name": "it", "path": "/it"}, {"name": "it", "path": "/it"}]});
    assert_eq!(bring(&admin, "FAIL", both).await.status, 409);
    assert_eq!(admin.call(Method::GET, "/demo/group-by-path/staff", None).await.status, 404);
    server.finish().await;
}

#[tokio::test]
async fn groups_of_a_file_stand_no_deeper_than_others() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let nested = |depth: usize| {
        (1..depth).fold(json!({"name": "bottom"}), |below, n| json!({"name": format!("g{n}"), "subGroups": [below]}))
    };
    let refused = bring(&admin, "FAIL", json!({"groups": [nested(61)]})).await;
    assert_eq!((refused.status, refused.body), (400, json!({"errorMessage": "Groups cannot be nested any deeper"})));
    bring(&admin, "FAIL", json!({"groups": [nested(60)]})).await.granted();
    server.finish().await;
}

async fn version_of(server: &TestServer, query: &'static str) -> i64 {
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    sqlx::query_scalar(query).fetch_one(&mut database).await.unwrap()
}

#[tokio::test]
async fn what_is_made_again_under_its_old_id_is_newer_than_it_ever_was() {
    const USER: &str = "select version from user_account where username = 'alice'";
    const REALM: &str = "select version from realm where name = 'demo'";
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let alice = admin.alice().await;
    let rename = json!({"firstName": "A"});
    assert_eq!(admin.call(Method::PUT, &format!("/demo/users/{alice}"), Some(&rename)).await.status, 204);
    let (user, realm) = (version_of(&server, USER).await, version_of(&server, REALM).await);
    assert_eq!(admin.delete(&format!("/demo/users/{alice}")).await.status, 204);
    bring(&admin, "FAIL", json!({"users": [{"id": alice, "username": "alice"}]})).await.granted();
    assert!(version_of(&server, USER).await > user);
    let file = admin.get("/demo").await;
    assert_eq!(admin.delete("/demo").await.status, 204);
    let made = admin.call(Method::POST, "", Some(&json!({"id": file["id"], "realm": "demo", "enabled": true}))).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert!(version_of(&server, REALM).await > realm);
    server.finish().await;
}
