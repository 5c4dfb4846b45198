//! Other people's admin clients, unchanged: each takes a realm from its making to its end, with tokens that show what was made.

use std::collections::HashMap;

use keycloak::types::{
    ClientInitialAccessCreatePresentation, ClientRepresentation, ClientScopeRepresentation, CredentialRepresentation,
    GroupRepresentation, ProtocolMapperRepresentation, RealmRepresentation, RoleRepresentation, UserRepresentation,
};
use keycloak::{KeycloakAdmin, KeycloakAdminToken};
use serde_json::json;

use crate::support::{Answer, TestServer, claims};

const REALM: &str = "works";

fn map(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Everybody's badge is blue.
fn badge() -> ProtocolMapperRepresentation {
    ProtocolMapperRepresentation {
        name: Some("badge".into()),
        protocol: Some("openid-connect".into()),
        protocol_mapper: Some("oidc-hardcoded-claim-mapper".into()),
        config: Some(map(&[
            ("claim.name", "badge"),
            ("claim.value", "blue"),
            ("access.token.claim", "true"),
            ("jsonType.label", "String"),
        ])),
        ..Default::default()
    }
}

#[tokio::test]
async fn the_keycloak_crate_takes_a_realm_from_its_making_to_its_end() {
    let server = TestServer::start().await;
    let http = reqwest::Client::new();
    let token = KeycloakAdminToken::acquire(&server.base, "admin", "admin", &http).await.unwrap();
    let admin = KeycloakAdmin::new(&server.base, token, http.clone());
    let realm = RealmRepresentation { realm: Some(REALM.into()), enabled: Some(true), ..Default::default() };
    admin.post(realm).await.unwrap();
    let shown = RealmRepresentation { display_name: Some("Works".into()), ..Default::default() };
    admin.realm_put(REALM, shown).await.unwrap();
    assert_eq!(admin.realm_get(REALM).await.unwrap().display_name.as_deref(), Some("Works"));

    let client = ClientRepresentation {
        client_id: Some("gate".into()),
        secret: Some("s3cret".into()),
        direct_access_grants_enabled: Some(true),
        ..Default::default()
    };
    let made = admin.realm_clients_post(REALM, client).await.unwrap();
    let client = made.to_id().unwrap().to_owned();
    let scope =
        ClientScopeRepresentation { name: Some("badge".into()), protocol: Some("openid-connect".into()), ..Default::default() };
    let scope = admin.realm_client_scopes_post(REALM, scope).await.unwrap().to_id().unwrap().to_owned();
    admin.realm_client_scopes_with_client_scope_id_protocol_mappers_models_post(REALM, &scope, badge()).await.unwrap();
    admin.realm_clients_with_client_uuid_default_client_scopes_with_client_scope_id_put(REALM, &client, &scope).await.unwrap();

    let role = |name: &str| RoleRepresentation { name: Some(name.into()), ..Default::default() };
    admin.realm_roles_post(REALM, role("guard")).await.unwrap();
    admin.realm_roles_post(REALM, role("watch")).await.unwrap();
    let watch = admin.realm_roles_with_role_name_get(REALM, "watch").await.unwrap();
    admin.realm_roles_with_role_name_composites_post(REALM, "guard", vec![watch]).await.unwrap();
    let guard = admin.realm_roles_with_role_name_get(REALM, "guard").await.unwrap();
    let group = |name: &str| GroupRepresentation { name: Some(name.into()), ..Default::default() };
    let staff = admin.realm_groups_post(REALM, group("staff")).await.unwrap().to_id().unwrap().to_owned();
    admin.realm_groups_with_group_id_role_mappings_realm_post(REALM, &staff, vec![guard]).await.unwrap();

    let user = UserRepresentation {
        username: Some("fay".into()),
        email: Some("fay@example.org".into()),
        first_name: Some("Fay".into()),
        last_name: Some("Example".into()),
        enabled: Some(true),
        credentials: Some(vec![CredentialRepresentation {
            type_: Some("password".into()),
            value: Some("fay".into()),
            ..Default::default()
        }]),
        ..Default::default()
    };
    let fay = admin.realm_users_post(REALM, user).await.unwrap().to_id().unwrap().to_owned();
    admin.realm_users_with_user_id_groups_with_group_id_put(REALM, &fay, &staff).await.unwrap();
    let form = [("grant_type", "password"), ("username", "fay"), ("password", "fay"), ("scope", "openid")];
    let endpoint = server.realm(REALM, "/protocol/openid-connect/token");
    let tokens = http.post(endpoint).basic_auth("gate", Some("s3cret")).form(&form).send().await.unwrap();
    let access = claims(&Answer::of(tokens).await.granted()["access_token"]);
    assert_eq!(access["badge"], json!("blue"));
    let roles = access["realm_access"]["roles"].as_array().unwrap();
    assert!(["guard", "watch"].iter().all(|name| roles.contains(&json!(name))), "{roles:?}");

    let wish = ClientInitialAccessCreatePresentation { count: Some(1), expiration: Some(60), ..Default::default() };
    admin.realm_clients_initial_access_post(REALM, wish).await.unwrap();
    assert_eq!(admin.realm_clients_initial_access_get(REALM).await.unwrap()[0].remaining_count, Some(1));

    let file = admin.realm_partial_export_post(REALM, Some(true), Some(true)).await.unwrap();
    assert!(file.groups.unwrap().iter().any(|group| group.name.as_deref() == Some("staff")));
    admin.realm_users_with_user_id_delete(REALM, &fay).await.unwrap();
    admin.realm_clients_with_client_uuid_delete(REALM, &client).await.unwrap();
    admin.realm_delete(REALM).await.unwrap();
    assert!(admin.realm_get(REALM).await.is_err());
    server.finish().await;
}

/// Runs a script of `tests/e2e` against a server that goes by the machine's clock.
async fn run(program: &str, script: &str) {
    let server = TestServer::start_on_the_wall_clock().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e");
    let mut command = tokio::process::Command::new(program.replace("{folder}", folder));
    let script = format!("{folder}/{script}");
    let output = command.args([script.as_str(), &server.base]).output().await.expect("./dev test installs what runs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    server.finish().await;
}

#[tokio::test]
async fn keycloak_admin_client_of_npm_takes_a_realm_from_its_making_to_its_end() {
    run("node", "realm.mjs").await;
}

#[tokio::test]
async fn python_keycloak_takes_a_realm_from_its_making_to_its_end() {
    run("{folder}/python/bin/python", "realm.py").await;
}
