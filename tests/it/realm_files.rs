//! Realm files: what they bring arrives, and what has no place here is named.

use nightlatch::flow::import_realm::{self, Imported};
use nightlatch::http::read_realm_file;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, TestServer, header};

/// A full export of Keycloak 26.7.0, cut to one of each of its flows.
const EXPORT: &[u8] = include_bytes!("files/keycloak-export.json");

async fn import(server: &TestServer, file: &[u8]) -> Result<Imported, String> {
    let file = read_realm_file(file, &server.server)?;
    import_realm::run(&server.server, file, None).await.map_err(|e| e.to_string())
}

async fn import_json(server: &TestServer, file: Value) -> Result<Imported, String> {
    import(server, file.to_string().as_bytes()).await
}

#[tokio::test]
async fn an_export_of_keycloak_brings_its_keys_passwords_and_secrets() {
    let server = TestServer::start().await;
    import(&server, EXPORT).await.unwrap();
    let keys = server.http.get(server.realm("moved", "/protocol/openid-connect/certs")).send().await.unwrap();
    let keys: Value = Answer::of(keys).await.granted();
    let mut published: Vec<(&str, &str)> =
        keys["keys"].as_array().unwrap().iter().map(|k| (k["alg"].as_str().unwrap(), k["kid"].as_str().unwrap())).collect();
    published.sort_unstable();
    let as_keycloak_published = [
        ("ES256", "OfxoXNzrXuQmtK_XlsIkJ2u1sVlTx9KXIjv6_wH_s5g"),
        ("EdDSA", "MpCUVNsNkxYy8SX7r3lfTIirP2Al73Yp8VzbFFZapcg"),
        ("RS256", "503gLqltp8qyulmcXIioP6M8ZWri0-Ots24jaLhivfI"),
        ("RS256", "od1cBCU4hGgBfmf4jTJanJgymvUJYVOruyqaXnoTiKU"),
        ("RSA-OAEP", "3cMylN48JYWbclGoLpTTrsJBbbV6OzQlSZTp9c4pNZY"),
    ];
    assert_eq!(published, as_keycloak_published);
    let request = server.http.post(server.realm("moved", "/protocol/openid-connect/token"));
    let form = [("grant_type", "password"), ("username", "bob"), ("password", "bobbob"), ("scope", "openid offline_access")];
    let sent = request.basic_auth("tool", Some("toolsecrettoolsecrettoolsecret")).form(&form).send().await.unwrap();
    let tokens = Answer::of(sent).await.granted();
    assert_eq!(header(&tokens["access_token"])["kid"], "OfxoXNzrXuQmtK_XlsIkJ2u1sVlTx9KXIjv6_wH_s5g");
    // The key that Keycloak signed this realm's offline tokens with.
    assert_eq!(header(&tokens["refresh_token"])["kid"], "a0c7352b-7366-470b-893a-e35d966d8cdd");
    server.finish().await;
}

#[tokio::test]
async fn what_an_export_says_and_nothing_here_acts_on_is_named() {
    let server = TestServer::start().await;
    let lost = import(&server, EXPORT).await.unwrap().not_taken_over;
    assert_eq!(lost, Vec::<String>::new());
    let file = json!({
        "realm": "named",
        "identityProviders": [{"alias": "corporate"}],
        "organizationsEnabled": true,
        "defaultGroups": ["/nowhere"],
        "defaultDefaultClientScopes": ["nothing"],
        "clients": [{
            "clientId": "shop", "clientAuthenticatorType": "client-x509", "defaultClientScopes": ["none"],
            "authorizationSettings": {"resources": []}, "access": {"view": true},
            "protocolMappers": [{"name": "script", "protocol": "openid-connect", "protocolMapper": "script-mapper.js"}],
        }],
        "users": [{
            "username": "carol", "federationLink": "ldap", "requiredActions": ["CONFIGURE_TOTP", "VERIFY_EMAIL", "TERMS_AND_CONDITIONS"],
            "credentials": [{"type": "otp", "secretData": "{}", "credentialData": "{}"}, {"type": "webauthn"}],
        }],
        "components": {
            "org.keycloak.keys.KeyProvider": [{"name": "store", "providerId": "java-keystore"}],
            "org.keycloak.storage.UserStorageProvider": [{"name": "ldap", "providerId": "ldap"}],
            "of.somebodys.own": [{"name": "own", "providerId": "own"}],
        },
    });
    let mut lost = import_json(&server, file).await.unwrap().not_taken_over;
    lost.sort_unstable();
    assert_eq!(
        lost,
        [
            "clients.shop.authorizationSettings",
            "clients.shop.clientAuthenticatorType",
            "clients.shop.clientScopes.none",
            "clients.shop.protocolMappers.script",
            "components.of.somebodys.own.own",
            "components.org.keycloak.keys.KeyProvider.store",
            "components.org.keycloak.storage.UserStorageProvider.ldap",
            "defaultDefaultClientScopes.nothing",
            "defaultGroups./nowhere",
            "identityProviders.corporate",
            "organizationsEnabled",
            "users.carol.credentials.otp",
            "users.carol.credentials.webauthn",
            "users.carol.federationLink",
            "users.carol.requiredActions.TERMS_AND_CONDITIONS",
        ]
    );
    server.finish().await;
}

/// What there is below components, shown as its file had it; keys and ids are the same, and no key is told.
#[tokio::test]
async fn the_components_of_an_export_arrive_under_their_ids() {
    let server = TestServer::start().await;
    import(&server, EXPORT).await.unwrap();
    let shown = server.admin().await.get("/moved/components").await;
    let file: Value = serde_json::from_slice(EXPORT).unwrap();
    for (kind, components) in file["components"].as_object().unwrap() {
        for component in components.as_array().unwrap() {
            let found = shown.as_array().unwrap().iter().find(|c| c["id"] == component["id"]).unwrap();
            for field in ["name", "providerId", "subType"] {
                assert_eq!(found.get(field), component.get(field), "{found}");
            }
            assert_eq!((&found["providerType"], &found["parentId"]), (&json!(kind), &file["id"]));
            let config = component["config"].as_object().unwrap();
            let is_shown =
                |name: &str| ["priority", "algorithm", "ecdsaEllipticCurveKey"].contains(&name) || !kind.ends_with("KeyProvider");
            for (name, value) in config.iter().filter(|(name, _)| is_shown(name)) {
                assert_eq!(&found["config"][name], value, "{found}");
            }
            for name in ["privateKey", "ecdsaPrivateKey", "eddsaPrivateKey", "secret"] {
                if let Some(private) = config.get(name) {
                    assert!(!shown.to_string().contains(private[0].as_str().unwrap()));
                }
            }
        }
    }
    assert_eq!(shown.as_array().unwrap().len(), 17, "ten policies, seven keys, and nothing besides");
    server.finish().await;
}

#[tokio::test]
async fn the_demo_realm_says_nothing_that_has_no_effect() {
    let server = TestServer::start().await;
    let file = String::from_utf8(include_bytes!("../../config/demo-realm.json").to_vec()).unwrap();
    let mut file: Value = serde_json::from_str(&file).unwrap();
    file["realm"] = json!("again");
    for client in file["clients"].as_array_mut().unwrap() {
        client.as_object_mut().unwrap().remove("id");
    }
    assert_eq!(import_json(&server, file).await.unwrap().not_taken_over, Vec::<String>::new());
    server.finish().await;
}

#[tokio::test]
async fn roles_that_are_only_named_are_made() {
    let server = TestServer::start().await;
    let file = json!({
        "realm": "named",
        "clients": [{"clientId": "shop"}],
        "users": [{"username": "carol", "realmRoles": ["buyer"], "clientRoles": {"shop": ["pays"]}}],
        "groups": [{"name": "staff", "subGroups": [{"name": "night", "realmRoles": ["guard"]}]}],
        "scopeMappings": [{"client": "shop", "roles": ["seen"]}],
    });
    import_json(&server, file).await.unwrap();
    let admin = server.admin().await;
    let roles = admin.get("/named/roles").await;
    for name in ["buyer", "guard", "seen"] {
        assert!(roles.as_array().unwrap().iter().any(|r| r["name"] == name), "{name}: {roles}");
    }
    server.finish().await;
}

#[tokio::test]
async fn a_file_that_contradicts_itself_leaves_nothing_behind() {
    let server = TestServer::start().await;
    let key = |config: Value| json!({"org.keycloak.keys.KeyProvider": [{"name": "own", "providerId": "rsa", "config": config}]});
    let contradictions = [
        (json!({"scopeMappings": [{"client": "nobody", "roles": ["offline_access"]}]}), "Unknown client specification"),
        (json!({"scopeMappings": [{"clientScope": "none", "roles": ["offline_access"]}]}), "Unknown client scope"),
        (json!({"roles": {"realm": [{"name": "x", "composites": {"realm": ["none"]}}]}}), "Unable to find role none"),
        (json!({"users": [{"username": "u", "clientRoles": {"nobody": ["x"]}}]}), "Unable to find role x"),
        (
            json!({"clients": [{"clientId": "c"}],
                   "users": [{"username": "u", "clientConsents": [{"clientId": "c", "grantedClientScopes": ["none"]}]}]}),
            "Unable to find client scope none",
        ),
        (json!({"components": key(json!({"privateKey": ["AAAA"]}))}), "The key own cannot be read as RS256"),
    ];
    for (mut file, text) in contradictions {
        file["realm"] = json!("broken");
        let error = import_json(&server, file).await.unwrap_err();
        assert!(error.starts_with(text), "{error}");
        assert_eq!(server.http.get(server.realm("broken", "")).send().await.unwrap().status().as_u16(), 404);
    }
    server.finish().await;
}

#[tokio::test]
async fn what_stands_for_a_secret_is_none() {
    let server = TestServer::start().await;
    let file = json!({
        "realm": "masked",
        "enabled": true,
        "clients": [{"clientId": "shop", "secret": "**********", "serviceAccountsEnabled": true}],
        "smtpServer": {"host": "mail.example.org", "password": "**********"},
        "users": [{"username": "carol", "credentials": [{"type": "password", "secretData": "{}", "credentialData": "no json"}]}],
    });
    let lost = import_json(&server, file).await.unwrap().not_taken_over;
    assert_eq!(lost, ["clients.shop.secret", "users.carol.credentials.password"]);
    let request = server.http.post(server.realm("masked", "/protocol/openid-connect/token"));
    let sent = request.basic_auth("shop", Some("**********")).form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    assert_eq!(sent.status().as_u16(), 401, "the mask is nobody's secret");
    let shown = server.admin().await.get("/masked").await;
    assert_eq!(shown["smtpServer"], json!({"host": "mail.example.org"}));
    server.finish().await;
}

#[tokio::test]
async fn a_link_of_a_file_that_is_none_costs_nobody_his_pages() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let provider = json!({"alias": "corp", "providerId": "oidc", "config": {}});
    let realm = |links: Value| {
        let carl = json!({"username": "carl", "federatedIdentities": links});
        json!({"realm": "linked", "enabled": true, "identityProviders": [provider], "users": [carl]})
    };
    for torn in [json!("none"), json!(["corp"]), json!([{"identityProvider": ["corp"]}])] {
        assert_eq!(admin.call(Method::POST, "", Some(&realm(torn))).await.status, 400);
    }
    let links = json!([{"identityProvider": "corp", "userId": 7, "userName": "carl"}, {"identityProvider": "half"}]);
    assert_eq!(admin.call(Method::POST, "", Some(&realm(links))).await.status, 201);
    let admin = server.admin().await;
    let carl = admin.get("/linked/users?username=carl&exact=true").await[0]["id"].as_str().unwrap().to_owned();
    let shown = admin.get(&format!("/linked/users/{carl}/federated-identity")).await;
    assert_eq!(shown[0], json!({"identityProvider": "corp", "userId": "7", "userName": "carl"}));
    assert_eq!(admin.call(Method::GET, &format!("/linked/users/{carl}"), None).await.status, 200);
    server.finish().await;
}
