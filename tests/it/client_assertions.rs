//! Clients that prove who they are by a signed JWT (RFC 7523): `private_key_jwt` and `client_secret_jwt`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use nightlatch::flow::sweep::{self, SweepRules};
use nightlatch::jose;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};

use crate::rotation::futures;
use crate::support::assertions::{Client, KIND, RSA, SECRET, STRANGER, jwk, made, rsa_signer, signed};
use crate::support::{Answer, TestServer, database_address, refresh_token};

#[tokio::test]
async fn every_endpoint_that_asks_for_a_client_takes_an_assertion_once() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let password = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];
    let tokens = client.post("/token", &client.by_key("1"), &password).await.granted();
    let offline = refresh_token(&tokens);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", &*offline)];
    assert_eq!(client.post("/token", &client.by_key("1"), &refresh).await.refusal().2, "Token reuse detected");
    client.post("/token", &client.by_key("2"), &refresh).await.granted();
    let token = [("token", &*offline)];
    let introspected = client.post("/token/introspect", &client.by_key("3"), &token).await.granted();
    assert_eq!(introspected["active"], true);
    let again = client.post("/token/introspect", &client.by_key("3"), &token).await;
    assert_eq!(again.refusal(), (401, "invalid_client", "Client authentication failed."));
    assert_eq!(client.post("/revoke", &client.by_key("3"), &token).await.refusal().2, "Token reuse detected");
    assert_eq!(client.post("/revoke", &client.by_key("4"), &token).await.status, 200);
    let tokens = client.post("/token", &client.by_key("5"), &password[..3]).await.granted();
    let online = refresh_token(&tokens);
    let logout = [("refresh_token", &*online)];
    assert_eq!(client.post("/logout", &client.by_key("5"), &logout).await.refusal().2, "Token reuse detected");
    assert_eq!(client.post("/logout", &client.by_key("6"), &logout).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn eight_at_once_with_one_assertion_one_wins() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let assertion = client.by_key("once");
    let answers = futures((0..8).map(|_| client.send(&assertion))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 200).count(), 1, "{answers:?}");
    for refused in answers.iter().filter(|a| a.status != 200) {
        assert_eq!(refused.refusal(), (400, "invalid_client", "Token reuse detected"));
    }
    // A node that has just started knows it too.
    let other = TestServer::on(&server.database, 2).await;
    let host = server.base.trim_start_matches("http://").to_owned();
    let form = [("grant_type", "client_credentials"), ("client_assertion_type", KIND), ("client_assertion", &*assertion)];
    let sent = other.http.post(other.endpoint("/token")).header("host", host).form(&form).send().await.unwrap();
    assert_eq!(Answer::of(sent).await.refusal().2, "Token reuse detected");
    other.stop().await;
    server.finish().await;
}

/// What was noted of an assertion goes when it would not work any more, and not before.
#[tokio::test]
async fn used_assertions_are_forgotten_when_they_are_worth_nothing() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let far = signed(Algorithm::RS256, None, &client.claims("far", json!({"exp": 9_000_000_000_i64})), &rsa_signer(&RSA));
    client.send(&far).await.granted();
    let rules = SweepRules { margin: Duration::ZERO, batch: 8, dry_run: false };
    for (after, removed, text) in [
        (60, 0, "Token reuse detected"),
        (1, 0, "Token was issued too far in the past to be used now"),
        (17, 1, "Token was issued too far in the past to be used now"),
    ] {
        server.advance(Duration::from_secs(after));
        assert_eq!(sweep::run(&server.server, rules).await.unwrap().assertions, removed);
        client.refused(&far, text).await;
    }
    server.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_an_assertion_is_told_and_uses_nothing_up() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let now = server.now();
    let issuer = server.realm("demo", "");
    for (changed, text) in [
        (json!({"aud": null}), "Invalid token audience"),
        (json!({"aud": server.realm("master", "")}), "Invalid token audience"),
        (json!({"aud": format!("{issuer}/../demo")}), "Invalid token audience"),
        (json!({"aud": [issuer, "https://other.example.org"]}), "Multiple audiences not allowed"),
        (json!({"exp": now - 300, "iat": now - 600}), "Token is not active"),
        (json!({"exp": null}), "Token exp claim is required"),
        (json!({"exp": "soon"}), "Token exp claim is required"),
        (json!({"nbf": now + 60}), "Token is not active"),
        (json!({"iat": now + 60, "exp": now + 120}), "Token was issued in the future"),
        (json!({"iat": now - 90}), "Token was issued too far in the past to be used now"),
        (json!({"iat": null, "exp": now + 600}), "Token expiration is too far in the future and iat claim not present in token"),
        (json!({"jti": null}), "Token jti claim is required"),
        (json!({"jti": "x".repeat(2_000)}), "Token jti claim is required"),
    ] {
        let assertion = signed(Algorithm::RS256, Some("k1"), &client.claims("j", changed), &rsa_signer(&RSA));
        client.refused(&assertion, text).await;
    }
    let endpoint = client.claims("e", json!({"aud": [server.endpoint("/token")]}));
    client.send(&signed(Algorithm::RS256, None, &endpoint, &rsa_signer(&RSA))).await.granted();
    client.send(&client.by_key("j")).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn a_request_that_names_nobody_or_two_is_told_no_more_than_that() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let generic = (401, "invalid_client", "Invalid client or Invalid client credentials");
    for changed in [json!({"iss": "demo-backup"}), json!({"sub": null}), json!({"iss": "nobody", "sub": "nobody"})] {
        let assertion = signed(Algorithm::RS256, Some("k1"), &client.claims("j", changed), &rsa_signer(&RSA));
        assert_eq!(client.send(&assertion).await.refusal(), generic);
    }
    for garbage in ["garbage", "a.b.c", "..", "e30.e30.e30", "\u{fffd}"] {
        assert_eq!(client.send(garbage).await.refusal(), generic, "{garbage}");
    }
    let good = client.by_key("j");
    let grant = ("grant_type", "client_credentials");
    // Of a client that proves itself by its secret, or by nothing.
    for (other, status, error) in
        [("demo-backup", 401, "unauthorized_client"), ("nobody", 401, "invalid_client"), ("", 401, "invalid_client")]
    {
        let answer = client.post("/token", &good, &[grant, ("client_id", other)]).await;
        assert_eq!((answer.status, answer.refusal().1), (status, error), "{other}");
    }
    let form = |kind: &str, assertion: &str| {
        [grant.0, grant.1, "client_id", "asserting", "client_assertion_type", kind, "client_assertion", assertion]
            .map(str::to_owned)
    };
    for (kind, assertion, text) in [
        ("", good.as_str(), "Parameter client_assertion_type is missing"),
        ("nonsense", &good, &format!("Parameter client_assertion_type has value 'nonsense' but expected is '{KIND}'")),
        (KIND, "", "client_assertion parameter missing"),
        (KIND, "garbage", "Invalid client assertion"),
    ] {
        let form = form(kind, assertion);
        let pairs: Vec<(&str, &str)> = form.chunks(2).map(|p| (p[0].as_str(), p[1].as_str())).collect();
        assert_eq!(server.post(&server.endpoint("/token"), &pairs).await.refusal(), (400, "invalid_client", text));
    }
    let doubled = client.post("/token", &good, &[grant, ("client_assertion", &good)]).await;
    assert_eq!(doubled.refusal(), (400, "invalid_request", "duplicated parameter"));
    let big = client.send(&"x".repeat(70 * 1024)).await;
    assert_eq!(big.status, 413);
    client.post("/token", &good, &[grant, ("client_id", "asserting")]).await.granted();
    server.finish().await;
}

/// CVE-2026-16093: what an assertion says counts only if it is the proof.
#[tokio::test]
async fn two_kinds_of_authentication_in_one_request_are_one_too_many() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let good = client.by_key("j");
    let form = [("grant_type", "client_credentials"), ("client_id", "asserting"), ("client_secret", SECRET)];
    assert_eq!(client.post("/token", &good, &form).await.refusal().1, "invalid_request");
    let proof = [("grant_type", "client_credentials"), ("client_assertion_type", KIND), ("client_assertion", &*good)];
    let request = server.http.post(server.endpoint("/token")).basic_auth("asserting", Some(SECRET)).form(&proof);
    assert_eq!(Answer::of(request.send().await.unwrap()).await.refusal().1, "invalid_request");
    // The secret alone is not what the client is set to.
    let request = server.http.post(server.endpoint("/token")).basic_auth("asserting", Some(SECRET));
    let answer = Answer::of(request.form(&[("grant_type", "client_credentials")]).send().await.unwrap()).await;
    assert_eq!(answer.refusal(), (400, "invalid_client", "Parameter client_assertion_type is missing"));
    client.send(&good).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_11800_a_public_key_is_no_secret_and_no_signature_is_none() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let claims = client.claims("j", json!({}));
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&RSA.spki_der));
    let jwk = jwk(&RSA, jose::Algorithm::Rs256, "k1").to_string();
    for secret in [pem.as_bytes(), &RSA.spki_der, jwk.as_bytes(), SECRET.as_bytes()] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            client
                .refused(
                    &signed(algorithm, Some("k1"), &claims, &EncodingKey::from_secret(secret)),
                    "Invalid signature algorithm",
                )
                .await;
        }
    }
    for none in ["none", "None", "nOnE", "NONE", ""] {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let unsigned = format!("{}.{}.", encode(&json!({"alg": none, "kid": "k1"})), encode(&claims));
        assert_eq!(client.send(&unsigned).await.status, 401, "{none}");
        let form = [("grant_type", "client_credentials"), ("client_id", "asserting")];
        assert_eq!(client.post("/token", &unsigned, &form).await.refusal().1, "invalid_client", "{none}");
    }
    let wrong = "Client authentication with signed JWT failed: Signature on JWT token failed validation";
    client.refused(&signed(Algorithm::RS256, Some("k1"), &claims, &rsa_signer(&STRANGER)), wrong).await;
    // Its key is for RS256 alone, and others' keys in the header are not looked at.
    client.refused(&signed(Algorithm::PS256, Some("k1"), &claims, &rsa_signer(&RSA)), "Unable to load public key").await;
    let header = json!({"alg": "RS256", "jwk": self::jwk(&STRANGER, jose::Algorithm::Rs256, "x"), "kid": "k1"}).to_string();
    let forged = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        signed(Algorithm::RS256, None, &claims, &rsa_signer(&STRANGER)).split_once('.').unwrap().1
    );
    client.refused(&forged, wrong).await;
    client.refused(&signed(Algorithm::RS256, Some("k2"), &claims, &rsa_signer(&RSA)), "Unable to load public key").await;
    client.send(&signed(Algorithm::RS256, None, &claims, &rsa_signer(&RSA))).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn keys_of_every_kind_sign_and_the_client_may_be_held_to_one_algorithm() {
    let server = TestServer::start().await;
    let (ec, ed) = (made(jose::Algorithm::Es384), made(jose::Algorithm::EdDsa));
    let set = json!({"keys": [
        jwk(&RSA, jose::Algorithm::Ps512, "r"), jwk(&ec, jose::Algorithm::Es384, "e"), jwk(&ed, jose::Algorithm::EdDsa, "d"),
        {"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kid": "s"},
    ]});
    let client = server.asserting("client-jwt", json!({"use.jwks.string": "true", "jwks.string": set.to_string()})).await;
    let signers = [
        (Algorithm::PS512, rsa_signer(&RSA)),
        (Algorithm::ES384, EncodingKey::from_ec_der(&ec.private_pkcs8)),
        (Algorithm::EdDSA, EncodingKey::from_ed_der(&ed.private_pkcs8)),
    ];
    for (algorithm, key) in &signers {
        client.send(&signed(*algorithm, None, &client.claims(&format!("{algorithm:?}"), json!({})), key)).await.granted();
    }
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("asserting").await);
    let only = json!({"attributes": {"token.endpoint.auth.signing.alg": "ES384"}});
    assert_eq!(admin.call(Method::PUT, &path, Some(&only)).await.status, 204);
    for (at, (algorithm, key)) in signers.iter().enumerate() {
        let answer = client.send(&signed(*algorithm, None, &client.claims(&at.to_string(), json!({})), key)).await;
        assert_eq!(
            (answer.status, answer.refusal().2),
            if *algorithm == Algorithm::ES384 { (200, "") } else { (400, "Invalid signature algorithm") }
        );
    }
    server.finish().await;
}

#[tokio::test]
async fn a_secret_signs_where_the_client_is_set_to_it_and_a_key_does_not() {
    let server = TestServer::start().await;
    let client = server.asserting("client-secret-jwt", json!({})).await;
    let sign = |algorithm, jti: &str, secret: &str| {
        signed(algorithm, None, &client.claims(jti, json!({})), &EncodingKey::from_secret(secret.as_bytes()))
    };
    client.send(&sign(Algorithm::HS256, "1", SECRET)).await.granted();
    client.refused(&sign(Algorithm::HS512, "1", SECRET), "Token reuse detected").await;
    client.send(&sign(Algorithm::HS512, "2", SECRET)).await.granted();
    let wrong = client.send(&sign(Algorithm::HS256, "3", "another-secret-that-is-long-enough")).await;
    assert_eq!((wrong.status, wrong.refusal().1), (400, "unauthorized_client"));
    client
        .refused(
            &signed(Algorithm::RS256, None, &client.claims("4", json!({})), &rsa_signer(&RSA)),
            "Invalid signature algorithm",
        )
        .await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}/client-secret", admin.client("asserting").await);
    admin.call(Method::POST, &path, None).await.granted();
    assert_eq!(client.send(&sign(Algorithm::HS256, "5", SECRET)).await.status, 400, "the old secret is worth nothing");
    server.finish().await;
}

/// Two clients, or two realms, may name their assertions alike.
#[tokio::test]
async fn a_name_is_used_up_for_its_own_client_only() {
    let server = TestServer::start().await;
    let client = server.with_key().await;
    let admin = server.admin().await;
    let set = json!({"keys": [jwk(&RSA, jose::Algorithm::Rs256, "k1")]}).to_string();
    let twin = json!({"clientId": "twin", "clientAuthenticatorType": "client-jwt", "serviceAccountsEnabled": true,
        "attributes": {"use.jwks.string": "true", "jwks.string": set}});
    assert_eq!(admin.call(Method::POST, "/demo/clients", Some(&twin)).await.status, 201);
    client.send(&client.by_key("same")).await.granted();
    let twins = Client { server: &server, id: "twin" };
    twins.send(&twins.by_key("same")).await.granted();
    assert_eq!(twins.send(&twins.by_key("same")).await.refusal().2, "Token reuse detected");
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let rows = sqlx::query("select count(*) from used_assertion").fetch_one(&mut database).await.unwrap();
    assert_eq!(rows.get::<i64, _>(0), 2);
    assert_eq!(admin.delete(&format!("/demo/clients/{}", admin.client("twin").await)).await.status, 204);
    server.finish().await;
}

#[tokio::test]
async fn discovery_announces_what_works() {
    let server = TestServer::start().await;
    let document = server.http.get(server.realm("demo", "/.well-known/openid-configuration")).send().await.unwrap();
    let document = Answer::of(document).await.granted();
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = document[format!("{endpoint}_endpoint_auth_methods_supported")].to_string();
        assert!(methods.contains("private_key_jwt") && methods.contains("client_secret_jwt"), "{methods}");
        let algorithms = document[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")].to_string();
        assert!(algorithms.contains("RS256") && algorithms.contains("HS256") && !algorithms.contains("none"), "{algorithms}");
    }
    server.finish().await;
}
