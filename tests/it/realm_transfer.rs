//! Realms to files and from files by the command line: what Keycloak wrote comes in whole, goes out whole, and comes in again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Answer, TestServer, claims, create_database, database_address, header};

/// A full export of Keycloak 26.7.0: users, groups, keys of six kinds, scopes, mappers, composite roles, an identity provider.
const EXPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/files/keycloak-whole-export.json");

/// A folder of this test's own, with the key that the test server has, too.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nightlatch-it-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("kek"), "11".repeat(32)).unwrap();
        Self(folder)
    }

    fn run(&self, database: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightlatch"));
        command.args(arguments).arg("--db-url").arg(database_address(database)).arg("--kek-file").arg(self.0.join("kek"));
        command.output().unwrap()
    }

    /// What the program says, where it ends well.
    #[track_caller]
    fn says(&self, database: &str, arguments: &[&str]) -> String {
        let output = self.run(database, arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it says where it ends with code 1.
    #[track_caller]
    fn complains(&self, database: &str, arguments: &[&str]) -> String {
        let output = self.run(database, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn sign_in(server: &TestServer) -> Value {
    let form = [("grant_type", "password"), ("username", "ada"), ("password", "ada-pw"), ("scope", "openid offline_access")];
    let request = server.http.post(server.realm("rich", "/protocol/openid-connect/token"));
    Answer::of(request.basic_auth("till", Some("s3cret")).form(&form).send().await.unwrap()).await.granted()
}

#[tokio::test]
async fn a_realm_of_keycloak_comes_in_goes_out_and_comes_in_again_and_is_the_same() {
    let place = Place::new("transfer");
    let (first, second) = (create_database().await, create_database().await);
    let said = place.says(&first, &["import", "--file", EXPORT, "--dry-run"]);
    assert!(said.starts_with("rich would be made: 7 clients, "), "{said}");
    // What was only tried is not there.
    assert!(place.says(&first, &["import", "--file", EXPORT]).starts_with("rich is made"));
    let said = place.says(&first, &["import", "--file", EXPORT, "--dry-run"]);
    assert_eq!(said, "rich is there already and would be left as it is; 0 differences to the file\n");
    let out = place.0.join("rich.json");
    let out = out.to_str().unwrap();
    place.says(&first, &["export", "--realm", "rich", "--file", out]);
    assert!(place.says(&second, &["import", "--file", out]).starts_with("rich is made"));
    let said = place.says(&second, &["import", "--file", EXPORT, "--dry-run"]);
    assert_eq!(said, "rich is there already and would be left as it is; 0 differences to the file\n");
    let mut tokens = Vec::new();
    for database in [&first, &second] {
        let server = TestServer::on(database, 1).await;
        tokens.push(sign_in(&server).await);
        server.finish().await;
    }
    for token in &tokens {
        let access = claims(&token["access_token"]);
        assert_eq!((&access["shelf"], &access["resource_access"]["till"]["roles"]), (&json!(7), &json!(["opens"])));
        // By the keys that Keycloak signed with: what it issued stays good.
        assert_eq!(header(&token["access_token"])["kid"], "T9geISybshtnr4tsrJ7YCUF3xcLS8Ddcilwr_MGczMA");
        assert_eq!(header(&token["refresh_token"])["kid"], header(&tokens[0]["refresh_token"])["kid"]);
    }
}

#[tokio::test]
async fn a_file_has_everything_and_is_for_its_owner_alone() {
    let place = Place::new("export");
    let database = create_database().await;
    let path = place.0.join("demo.json");
    let out = path.to_str().unwrap();
    let said = place.says(&database, &["export", "--realm", "demo", "--file", out]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let client = file["clients"].as_array().unwrap().iter().find(|client| client["clientId"] == "demo-backup").unwrap();
    assert_eq!(client["secret"], json!("demo-backup-secret"));
    assert!(!said.contains("demo-backup-secret"));
    let alice = file["users"].as_array().unwrap().iter().find(|user| user["username"] == "alice").unwrap();
    assert!(alice["credentials"][0]["secretData"].as_str().unwrap().contains("salt"));
    let keys = file["components"]["org.keycloak.keys.KeyProvider"].as_array().unwrap();
    assert!(keys.iter().all(|key| !key.to_string().contains("**********")), "{keys:?}");
    // A file that is there is nobody's to lose, and half a realm is no copy.
    assert!(place.complains(&database, &["export", "--realm", "demo", "--file", out]).contains("File exists"));
    let nowhere = place.0.join("nowhere.json");
    let complaint = place.complains(&database, &["export", "--realm", "nowhere", "--file", nowhere.to_str().unwrap()]);
    assert!(complaint.contains("there is no realm nowhere") && !nowhere.exists(), "{complaint}");
    let bare = place.0.join("bare.json");
    place.says(&database, &["export", "--realm", "demo", "--users", "skip", "--file", bare.to_str().unwrap()]);
    let bare: Value = serde_json::from_slice(&fs::read(&bare).unwrap()).unwrap();
    // Whoever stands for a client is part of it.
    let left: Vec<&Value> = bare["users"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(left, [&json!("service-account-demo-backup")]);
}

#[tokio::test]
async fn files_that_cannot_be_taken_in_are_refused_and_differences_are_named() {
    let place = Place::new("import");
    let database = create_database().await;
    let write = |name: &str, text: &str| {
        let path: &Path = &place.0.join(name);
        fs::write(path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (name, text, why) in [
        ("torn", "{", "Cannot parse the JSON"),
        ("list", "[]", "Cannot parse the JSON"),
        ("nameless", "{}", "Realm name cannot be empty"),
        ("slashed", r#"{"realm":"a/b"}"#, "Character '/' not allowed"),
        ("somebody", r#"{"realm":"x","users":[{"enabled":true}]}"#, "A user of the representation has no name"),
        (
            "below",
            r#"{"realm":"x","groups":[{"name":"a","subGroups":[{"name":" "}]}]}"#,
            "A group of the representation has no name",
        ),
        ("unknown", r#"{"realm":"x","nothing":1}"#, "nothing"),
        ("there", r#"{"realm":"demo"}"#, "is there already"),
        ("twice", r#"{"realm":"x","clients":[{"clientId":"a"},{"clientId":"a"}]}"#, "Duplicate"),
    ] {
        let complaint = place.complains(&database, &["import", "--file", &write(name, text)]);
        assert!(complaint.contains(why), "{name}: {complaint}");
    }
    let missing = place.complains(&database, &["import", "--file", "/nowhere/at/all.json"]);
    assert!(missing.contains("cannot be read"), "{missing}");
    let file = r#"{"realm":"demo","accessTokenLifespan":77,"clients":[{"clientId":"demo-backup","secret":"another"},{"clientId":"new"}]}"#;
    let said = place.says(&database, &["import", "--file", &write("differs", file), "--dry-run"]);
    for line in ["~ accessTokenLifespan", "~ clients.demo-backup: secret", "+ clients.new", "- clients.demo-spa"] {
        assert!(said.lines().any(|one| one == line), "{line} is not in {said}");
    }
    assert!(!said.contains("another"), "{said}");
}

#[tokio::test]
async fn groups_that_share_a_path_keep_their_own_members() {
    let place = Place::new("paths");
    let (first, second) = (create_database().await, create_database().await);
    let group = |name: &str, below: Value| json!({"name": name, "subGroups": below, "attributes": {"known": [name]}});
    let file = json!({"realm": "twins", "groups": [group("a/b", json!([])), group("a", json!([{"name": "b"}])), group("c", json!([]))],
        "defaultGroups": ["~/a~/b"],
        "users": [{"username": "slash", "groups": ["~/a~/b"]}, {"username": "nested", "groups": ["~/a/b", "/c"]}]});
    let path = place.0.join("twins.json");
    fs::write(&path, file.to_string()).unwrap();
    place.says(&first, &["import", "--file", path.to_str().unwrap()]);
    let out = place.0.join("out.json");
    place.says(&first, &["export", "--realm", "twins", "--file", out.to_str().unwrap()]);
    place.says(&second, &["import", "--file", out.to_str().unwrap()]);
    for database in [&first, &second] {
        let mut database = PgConnection::connect(&database_address(database)).await.unwrap();
        let query = "select u.username, g.name, g.parent_group_id is null from user_group_membership m
                     join user_account u using (realm_id, user_id) join user_group g using (realm_id, group_id) order by 1, 2";
        let found: Vec<(String, String, bool)> = sqlx::query_as(query).fetch_all(&mut database).await.unwrap();
        let told: Vec<(&str, &str, bool)> =
            found.iter().map(|(user, group, top)| (user.as_str(), group.as_str(), *top)).collect();
        assert_eq!(told, [("nested", "b", false), ("nested", "c", true), ("slash", "a/b", true)]);
    }
    // Which of the two is meant by the path that both have nobody knows.
    let vague = json!({"realm": "vague", "groups": file["groups"], "users": [{"username": "who", "groups": ["/a/b"]}]});
    fs::write(&path, vague.to_string()).unwrap();
    let complaint = place.complains(&first, &["import", "--file", path.to_str().unwrap()]);
    assert!(complaint.contains("Several groups have the path /a/b"), "{complaint}");
}

#[tokio::test]
async fn nothing_is_imported_that_nobody_could_administer() {
    let place = Place::new("first");
    let database = create_database().await;
    let mut connection = PgConnection::connect(&database_address(&database)).await.unwrap();
    sqlx::query("delete from realm").execute(&mut connection).await.unwrap();
    for arguments in [&["import", "--file", EXPORT][..], &["import", "--file", EXPORT, "--dry-run"]] {
        assert!(place.complains(&database, arguments).contains("there is no realm master yet"));
    }
}
