//! Components: key providers make, keep and take away the keys of a realm, and no key is shown to anybody.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use nightlatch::jose::{self, RsaSize};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Admin, Answer, TestServer, header, refresh_token};

const KEY: &str = "org.keycloak.keys.KeyProvider";
const LDAP: &str = "org.keycloak.storage.UserStorageProvider";

fn provider(id: &str, config: &Value) -> Value {
    json!({"name": format!("own-{id}"), "providerId": id, "providerType": KEY, "config": config})
}

async fn post(admin: &Admin<'_>, body: &Value) -> Answer {
    admin.call(Method::POST, "/demo/components", Some(body)).await
}

/// Makes a component; its address below the realms.
async fn make(admin: &Admin<'_>, body: &Value) -> String {
    let answer = post(admin, body).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    location.split_once("/admin/realms").unwrap().1.to_owned()
}

async fn put(admin: &Admin<'_>, path: &str, config: Value) -> Answer {
    admin.call(Method::PUT, path, Some(&json!({ "config": config }))).await
}

async fn keys(admin: &Admin<'_>, algorithm: &str) -> Vec<String> {
    let all = admin.get("/demo/keys").await;
    let of = all["keys"].as_array().unwrap().iter().filter(|k| k["algorithm"] == algorithm);
    of.map(|k| format!("{} {}", k["providerPriority"], k["status"].as_str().unwrap())).collect()
}

/// A key of the test's own, as people upload them.
fn pem() -> (String, String) {
    use base64::Engine;
    let made = jose::generate_rsa(RsaSize::Bits2048, "own", nightlatch::base::Timestamp::from_unix_seconds(0)).unwrap();
    let encode = |der: &[u8]| base64::engine::general_purpose::STANDARD.encode(der);
    let private = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", encode(&made.private_pkcs8));
    (private, encode(&made.certificate_der.unwrap()))
}

async fn published(server: &TestServer) -> Vec<Value> {
    let keys = server.http.get(server.endpoint("/certs")).send().await.unwrap();
    Answer::of(keys).await.granted()["keys"].as_array().unwrap().clone()
}

#[tokio::test]
async fn priority_says_which_key_signs_and_a_passive_one_still_verifies() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let old = server.sign_in("openid").await;
    let path = make(&admin, &provider("rsa-generated", &json!({"priority": ["200"]}))).await;
    let new = server.sign_in("openid").await;
    let kid = |tokens: &Value| header(&tokens["access_token"])["kid"].as_str().unwrap().to_owned();
    assert_ne!(kid(&old), kid(&new));
    let user_info = async |tokens: &Value| {
        let token = tokens["access_token"].as_str().unwrap();
        server.http.get(server.endpoint("/userinfo")).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((user_info(&old).await, user_info(&new).await), (200, 200));
    assert_eq!(put(&admin, &path, json!({"active": ["false"]})).await.status, 204);
    assert_eq!(kid(&server.sign_in("openid").await), kid(&old), "a passive key does not sign");
    assert_eq!(user_info(&new).await, 200);
    assert_eq!(keys(&admin, "RS256").await, ["200 PASSIVE", "100 ACTIVE"]);
    assert_eq!(put(&admin, &path, json!({"enabled": ["false"]})).await.status, 204);
    assert_eq!((user_info(&old).await, user_info(&new).await), (200, 401));
    assert_eq!(admin.get(&path).await["config"], json!({"priority": ["200"], "active": ["false"], "enabled": ["false"]}));
    // An empty value is none: the switch is as in a provider that never named it.
    assert_eq!(put(&admin, &path, json!({"enabled": [""], "active": []})).await.status, 204);
    assert_eq!(user_info(&new).await, 200, "the key was not made anew");
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!((user_info(&new).await, admin.delete(&path).await.status), (401, 404));
    server.finish().await;
}

#[tokio::test]
async fn a_key_of_ones_own_signs_and_is_shown_to_nobody() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(json!({"adminEventsEnabled": true, "adminEventsDetailsEnabled": true})).await;
    let (private, certificate) = pem();
    let body = provider(
        "rsa",
        &json!({"priority": ["300"], "algorithm": ["PS256"], "privateKey": [private], "certificate": [certificate]}),
    );
    let path = make(&admin, &body).await;
    let client = format!("/demo/clients/{}", admin.client("demo-backup").await);
    let asked = json!({"attributes": {"access.token.signed.response.alg": "PS256"}});
    assert_eq!(admin.call(Method::PUT, &client, Some(&asked)).await.status, 204);
    let token = server.sign_in("openid").await["access_token"].as_str().unwrap().to_owned();
    let jwk = published(&server).await.into_iter().find(|k| k["x5c"][0] == certificate).unwrap();
    let key = DecodingKey::from_rsa_components(jwk["n"].as_str().unwrap(), jwk["e"].as_str().unwrap()).unwrap();
    let mut checks = Validation::new(Algorithm::PS256);
    checks.validate_exp = false;
    checks.validate_aud = false;
    jsonwebtoken::decode::<Value>(&token, &key, &checks).unwrap();

    let shown = admin.get(&path).await;
    assert_eq!(
        (&shown["config"]["privateKey"], &shown["config"]["certificate"]),
        (&json!(["**********"]), &json!([certificate]))
    );
    assert_eq!(admin.call(Method::PUT, &path, Some(&shown)).await.status, 204);
    let kid = |token: &str| header(&json!(token))["kid"].clone();
    let again = server.sign_in("openid").await["access_token"].as_str().unwrap().to_owned();
    assert_eq!((kid(&again), admin.get(&path).await), (kid(&token), shown));
    // The same key for another algorithm is another provider's.
    make(&admin, &provider("rsa", &json!({"algorithm": ["RS512"], "privateKey": [private]}))).await;
    assert_eq!(
        (keys(&admin, "PS256").await, keys(&admin, "RS512").await),
        (vec!["300 ACTIVE".to_owned()], vec!["0 ACTIVE".to_owned()])
    );
    // Another key comes with another certificate.
    assert_eq!(put(&admin, &path, json!({"privateKey": [pem().0]})).await.status, 204);
    let other = admin.get(&path).await;
    assert_ne!(other["config"]["certificate"], json!([certificate]));
    let secret: String = private.lines().nth(1).unwrap().chars().take(60).collect();
    for place in ["/demo/components", "/demo/keys", "/demo/admin-events?max=1000", "/demo"] {
        assert!(!admin.get(place).await.to_string().contains(&secret), "{place}");
    }
    assert!(admin.get("/demo/admin-events?resourceTypes=COMPONENT").await.as_array().unwrap().len() == 4);
    server.finish().await;
}

#[tokio::test]
async fn what_no_key_can_be_made_of_is_refused_by_name() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let (private, _) = pem();
    let (_, other) = pem();
    let before = admin.get("/demo/keys").await;
    for (id, config, text) in [
        (
            "rsa-generated",
            json!({"keySize": ["1024"]}),
            "'Key size' of 1024 is too small: RSA keys here have 2048, 3072 or 4096 bits",
        ),
        ("rsa-generated", json!({"algorithm": ["HS256"]}), "'Algorithm' should be RS256, RS384, RS512, PS256, PS384 or PS512"),
        ("rsa-generated", json!({"priority": ["1", "2"]}), "'Priority' should be a single entry"),
        ("rsa-generated", json!({"priority": [{"a": 1}]}), ""),
        ("rsa", json!({}), "'Private RSA Key' is required"),
        ("rsa", json!({"privateKey": ["**********"]}), "Failed to decode private key"),
        ("rsa", json!({"privateKey": [private], "certificate": ["nonsense"]}), "Failed to decode certificate"),
        ("rsa", json!({"privateKey": [private], "certificate": [other]}), "Certificate does not match private key"),
        ("ecdsa-generated", json!({"ecdsaEllipticCurveKey": ["P-192"]}), "'Elliptic Curve' should be P-256, P-384 or P-521"),
        ("eddsa-generated", json!({"eddsaEllipticCurveKey": ["Ed448"]}), "'Elliptic Curve' should be Ed25519"),
        ("hmac-generated", json!({"algorithm": ["none"]}), "'Algorithm' should be HS256, HS384 or HS512"),
        ("aes-generated", json!({"secretSize": ["64"]}), "'AES Key size' should be 16, 24 or 32"),
        ("java-keystore", json!({"keystore": ["/etc/passwd"]}), "The provider java-keystore is not supported"),
    ] {
        let answer = post(&admin, &provider(id, &config)).await;
        assert_eq!(answer.status, 400, "{id} {config}");
        assert_eq!(answer.body["errorMessage"].as_str().unwrap_or_default(), text, "{config}");
    }
    let long = post(&admin, &provider("rsa", &json!({"privateKey": ["x".repeat(70_000)]}))).await;
    assert_eq!(long.status, 400);
    for unknown in
        [json!({}), json!({"providerId": "rsa"}), json!({"providerType": "x", "providerId": "rsa"}), json!({"providerType": KEY})]
    {
        assert_eq!(post(&admin, &unknown).await.body, json!({"error": "Invalid provider type or no such provider"}), "{unknown}");
    }
    assert_eq!(admin.get("/demo/keys").await, before);
    server.finish().await;
}

/// Refresh tokens need a key: taking the last one away ends them, and new ones are signed all the same.
#[tokio::test]
async fn a_realm_is_never_left_without_a_key_for_refresh_tokens() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let token = server.offline_token().await;
    let found = admin.get("/demo/components?name=hmac-generated-hs512").await;
    let path = format!("/demo/components/{}", found[0]["id"].as_str().unwrap());
    assert_eq!(put(&admin, &path, json!({"active": ["false"]})).await.status, 204);
    let second = refresh_token(&server.refresh(&token).await.granted());
    assert_eq!(keys(&admin, "HS512").await, ["100 PASSIVE", "-100 ACTIVE"]);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "Invalid refresh token"));
    server.refresh(&second).await.granted();
    let left = admin.get("/demo/components?name=fallback-HS512").await;
    assert_eq!(admin.delete(&format!("/demo/components/{}", left[0]["id"].as_str().unwrap())).await.status, 204);
    server.refresh(&server.offline_token().await).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_secret_is_made_anew_only_where_another_size_is_asked_for() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = make(&admin, &provider("hmac-generated", &json!({"algorithm": ["HS256"], "secretSize": ["32"]}))).await;
    let kid = async || admin.get("/demo/keys").await["active"]["HS256"].clone();
    let first = kid().await;
    assert_eq!(put(&admin, &path, json!({"priority": ["7"], "secretSize": ["32"]})).await.status, 204);
    assert_eq!(kid().await, first);
    assert_eq!(put(&admin, &path, json!({"secretSize": ["64"]})).await.status, 204);
    assert_ne!(kid().await, first);
    assert_eq!(put(&admin, &path, json!({"secretSize": ["63"]})).await.status, 400);
    let other = json!({"providerId": "rsa-generated", "config": {}});
    assert_eq!(admin.call(Method::PUT, &path, Some(&other)).await.status, 400, "a provider stays what it is");
    server.finish().await;
}

#[tokio::test]
async fn components_belong_to_their_realm_and_to_who_may_see_it() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let own = admin.get("/demo/components").await;
    let id = own[0]["id"].as_str().unwrap();
    let foreign = format!("/master/components/{id}");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = admin.call(method.clone(), &foreign, Some(&json!({}))).await;
        assert_eq!((answer.status, &answer.body), (404, &json!({"error": "Could not find component"})), "{method}");
    }
    let address = format!("{}/admin/realms/demo/components", server.base);
    assert_eq!(server.http.get(&address).send().await.unwrap().status(), 401);
    let user = server.sign_in("openid").await["access_token"].as_str().unwrap().to_owned();
    assert_eq!(server.http.get(&address).bearer_auth(user).send().await.unwrap().status(), 403);
    // Whatever the provider: keys and other components have one address.
    for taken in own.as_array().unwrap().iter().map(|c| &c["id"]) {
        let answer = post(&admin, &json!({"id": taken, "providerId": "aes-generated", "providerType": KEY})).await;
        assert_eq!(answer.status, 409, "{:?}", answer.body);
    }
    let chosen = json!({"id": "of-my-own", "providerId": "aes-generated", "providerType": KEY});
    assert_eq!(make(&admin, &chosen).await, "/demo/components/of-my-own");
    assert_eq!(post(&admin, &json!({"id": "../x", "providerId": "aes-generated", "providerType": KEY})).await.status, 400);
    server.finish().await;
}

#[tokio::test]
async fn what_nothing_here_acts_on_is_kept_with_its_secrets_sealed() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let ldap = json!({"name": "ldap", "providerId": "ldap", "providerType": LDAP,
        "config": {"connectionUrl": ["ldap://h"], "bindCredential": ["hidden-credential"]}});
    let path = make(&admin, &ldap).await;
    let shown = admin.get(&path).await;
    assert_eq!(shown["config"], json!({"connectionUrl": ["ldap://h"], "bindCredential": ["**********"]}));
    assert_eq!(admin.call(Method::PUT, &path, Some(&shown)).await.status, 204);
    assert_eq!(admin.get(&path).await, shown);
    let mapper = json!({"name": "mail", "providerId": "user-attribute-ldap-mapper", "parentId": shown["id"],
        "providerType": "org.keycloak.storage.ldap.mappers.LDAPStorageMapper", "config": {"ldap.attribute": ["mail"]}});
    make(&admin, &mapper).await;
    let below = format!("/demo/components?parent={}", shown["id"].as_str().unwrap());
    assert_eq!(admin.get(&below).await.as_array().unwrap().len(), 1);
    assert_eq!(admin.get(&format!("/demo/components?type={LDAP}&providerId=ldap")).await, json!([shown]));
    assert!(!crate::secrets_at_rest::everything(&server).await.contains("hidden-credential"));
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!(admin.get(&below).await, json!([]), "what is below it goes with it");
    server.finish().await;
}

#[tokio::test]
async fn an_edited_user_profile_is_a_component_too() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let list = "/demo/components?type=org.keycloak.userprofile.UserProfileProvider";
    assert_eq!(admin.get(list).await, json!([]));
    let mut profile = admin.get("/demo/users/profile").await;
    profile["unmanagedAttributePolicy"] = json!("ENABLED");
    assert_eq!(admin.call(Method::PUT, "/demo/users/profile", Some(&profile)).await.status, 200);
    let shown = admin.get(list).await[0].clone();
    let text = shown["config"]["kc.user.profile.config"][0].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), profile);
    let path = format!("/demo/components/{}", shown["id"].as_str().unwrap());
    assert_eq!(put(&admin, &path, json!({"kc.user.profile.config": ["{}}"]})).await.status, 400);
    profile["unmanagedAttributePolicy"] = json!("ADMIN_EDIT");
    assert_eq!(put(&admin, &path, json!({"kc.user.profile.config": [profile.to_string()]})).await.status, 204);
    assert_eq!(admin.get("/demo/users/profile").await, profile);
    assert_eq!(admin.delete(&path).await.status, 204);
    assert_eq!((admin.get(list).await, admin.delete(&path).await.status), (json!([]), 404));
    assert!(admin.get("/demo/users/profile").await.get("unmanagedAttributePolicy").is_none());
    server.finish().await;
}

#[tokio::test]
async fn of_eight_who_delete_a_key_at_once_one_does() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let path = make(&admin, &provider("aes-generated", &json!({}))).await;
    let answers = crate::rotation::futures((0..8).map(|_| admin.delete(&path))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|a| a.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404, 404, 404, 404, 404, 404, 404]);
    server.finish().await;
}
