//! Clients that register themselves at the demo realm.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Admin, Answer, TestServer};

/// In the words of OpenID Connect, and in Keycloak's.
pub const OPENID: &str = "openid-connect";
pub const DEFAULT: &str = "default";

pub struct Registry<'a> {
    pub server: &'a TestServer,
    pub admin: Admin<'a>,
}

impl<'a> Registry<'a> {
    pub async fn of(server: &'a TestServer) -> Self {
        Self { server, admin: server.admin().await }
    }

    /// An initial access token for so many clients.
    pub async fn initial(&self, count: i32) -> String {
        let wish = json!({"count": count, "expiration": 600});
        let made = self.admin.call(Method::POST, "/demo/clients-initial-access", Some(&wish)).await;
        assert_eq!(made.status, 201, "{:?}", made.body);
        text(&made.body["token"])
    }

    pub async fn call(&self, method: Method, place: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let address = self.server.realm("demo", &format!("/clients-registrations/{place}"));
        let mut request = self.server.http.request(method, address);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn register(&self, place: &str, token: Option<&str>, body: Value) -> Answer {
        self.call(Method::POST, place, token, Some(&body)).await
    }

    /// Sets what a policy for those who bring nothing is configured with.
    pub async fn policy(&self, name: &str, config: Value) {
        let kind = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy";
        let all = self.admin.get(&format!("/demo/components?type={kind}")).await;
        let mut found = all.as_array().unwrap().iter().filter(|p| p["name"] == json!(name) && p["subType"] == json!("anonymous"));
        let mut policy = found.next().unwrap().clone();
        policy["config"] = config;
        let path = format!("/demo/components/{}", text(&policy["id"]));
        assert_eq!(self.admin.call(Method::PUT, &path, Some(&policy)).await.status, 204);
    }

    /// Lets clients of this machine register themselves.
    pub async fn trust_this_host(&self) {
        let both = json!({"trusted-hosts": ["127.0.0.1"], "host-sending-registration-request-must-match": ["true"],
            "client-uris-must-match": ["true"]});
        self.policy("Trusted Hosts", both).await;
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[track_caller]
pub fn refused(answer: &Answer, status: u16, error: &str, description: &str) {
    let said = json!({"error": error, "error_description": description});
    assert_eq!((answer.status, &answer.body), (status, &said));
}

pub fn rejected(policy: &str, why: &str) -> String {
    format!("Policy '{policy}' rejected request to client-registration service. Details: {why}")
}
