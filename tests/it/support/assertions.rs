//! A client that proves who it is by signed JWTs, and its keys.

use std::sync::LazyLock;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use nightlatch::base::Timestamp;
use nightlatch::jose::{self, Generated, RsaSize};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, TestServer};

pub const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub const SECRET: &str = "a-secret-that-is-long-enough-for-hs256";

pub fn made(algorithm: jose::Algorithm) -> Generated {
    jose::generate(algorithm, "app", Timestamp::from_unix_seconds(0)).unwrap()
}

pub static RSA: LazyLock<Generated> =
    LazyLock::new(|| jose::generate_rsa(RsaSize::Bits2048, "app", Timestamp::from_unix_seconds(0)).unwrap());
pub static STRANGER: LazyLock<Generated> =
    LazyLock::new(|| jose::generate_rsa(RsaSize::Bits2048, "other", Timestamp::from_unix_seconds(0)).unwrap());

/// The public half as a JWK with this `kid`.
pub fn jwk(key: &Generated, algorithm: jose::Algorithm, kid: &str) -> Value {
    jose::public_jwk(jose::Key::from_spki(kid, algorithm, &key.spki_der, None).unwrap().public().unwrap())
}

pub fn rsa_signer(key: &Generated) -> EncodingKey {
    EncodingKey::from_rsa_der(jose::rsa_pkcs1(&key.private_pkcs8).unwrap())
}

pub fn signed(algorithm: Algorithm, kid: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

pub struct Client<'a> {
    pub server: &'a TestServer,
    pub id: &'static str,
}

impl TestServer {
    /// Makes a client that proves itself by assertions.
    pub async fn asserting(&self, kind: &str, mut attributes: Value) -> Client<'_> {
        attributes["allow.token.introspection.without.audience.check"] = json!("true");
        let body = json!({"clientId": "asserting", "clientAuthenticatorType": kind, "secret": SECRET, "attributes": attributes,
            "serviceAccountsEnabled": true, "directAccessGrantsEnabled": true, "optionalClientScopes": ["offline_access"]});
        let answer = self.admin().await.call(Method::POST, "/demo/clients", Some(&body)).await;
        assert_eq!(answer.status, 201, "{:?}", answer.body);
        Client { server: self, id: "asserting" }
    }

    /// With one RSA key, as the client's key set.
    pub async fn with_key(&self) -> Client<'_> {
        let set = json!({"keys": [jwk(&RSA, jose::Algorithm::Rs256, "k1")]}).to_string();
        self.asserting("client-jwt", json!({"use.jwks.string": "true", "jwks.string": set})).await
    }
}

impl Client<'_> {
    /// Good claims, with some changed; null takes one away.
    pub fn claims(&self, jti: &str, changed: Value) -> Value {
        let now = self.server.now();
        let mut claims = json!({"iss": self.id, "sub": self.id, "aud": self.server.realm("demo", ""), "jti": jti, "iat": now, "exp": now + 60});
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    pub fn by_key(&self, jti: &str) -> String {
        signed(Algorithm::RS256, Some("k1"), &self.claims(jti, json!({})), &rsa_signer(&RSA))
    }

    pub async fn post(&self, path: &str, assertion: &str, form: &[(&str, &str)]) -> Answer {
        let proof = [("client_assertion_type", KIND), ("client_assertion", assertion)];
        self.server.post(&self.server.endpoint(path), &[&proof, form].concat()).await
    }

    pub async fn send(&self, assertion: &str) -> Answer {
        self.post("/token", assertion, &[("grant_type", "client_credentials")]).await
    }

    pub async fn refused(&self, assertion: &str, text: &str) {
        let answer = self.send(assertion).await;
        assert_eq!(answer.refusal(), (400, "invalid_client", text), "{assertion}");
    }
}
