//! The token endpoint as clients call it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::TestServer;

/// What an endpoint answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// The status and the two fields of a refusal.
    pub fn refusal(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str).unwrap_or_default();
        (self.status, text("error"), text("error_description"))
    }

    #[track_caller]
    pub fn granted(self) -> Value {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.body
    }
}

/// The claims of a token, whoever signed it.
pub fn claims(token: &Value) -> Value {
    part(token, 1)
}

/// The protected header of a token.
pub fn header(token: &Value) -> Value {
    part(token, 0)
}

fn part(token: &Value, at: usize) -> Value {
    let part = token.as_str().unwrap().split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

impl TestServer {
    /// Posts a form to an address.
    pub async fn post(&self, address: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(address).form(form).send().await.unwrap()).await
    }

    /// Posts a form with the credentials of `demo-backup`.
    pub async fn as_backup(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self.http.post(self.endpoint(path)).basic_auth("demo-backup", Some("demo-backup-secret"));
        Answer::of(request.form(form).send().await.unwrap()).await
    }

    /// Alice's tokens by the password grant, for a scope.
    pub async fn sign_in(&self, scope: &str) -> Value {
        let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", scope)];
        self.as_backup("/token", &form).await.granted()
    }

    /// Alice's offline token.
    pub async fn offline_token(&self) -> String {
        refresh_token(&self.sign_in("openid offline_access").await)
    }

    /// The address of this node as a client names it: its tokens bear it as their issuer.
    pub fn host(&self) -> String {
        self.base.trim_start_matches("http://").to_owned()
    }

    /// Presents a token at the address of the node that gave it out, which this one stands in for.
    pub async fn refresh_at(&self, host: &str, token: &str) -> Answer {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let request = self.http.post(self.endpoint("/token")).header("host", host);
        let request = request.basic_auth("demo-backup", Some("demo-backup-secret")).form(&form);
        Answer::of(request.send().await.unwrap()).await
    }

    pub async fn refresh(&self, token: &str) -> Answer {
        self.as_backup("/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }
}
