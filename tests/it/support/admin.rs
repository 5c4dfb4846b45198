//! The Admin REST API as the first administrator calls it.

use serde_json::{Value, json};

use super::{Answer, TestServer, description};

pub struct Admin<'a> {
    server: &'a TestServer,
    token: String,
}

impl TestServer {
    /// A user who administers with the roles that the user has in the realm.
    pub async fn admin_of(&self, realm: &str, username: &str, password: &str) -> Admin<'_> {
        let form = [("grant_type", "password"), ("client_id", "admin-cli"), ("username", username), ("password", password)];
        let tokens = self.post(&self.realm(realm, "/protocol/openid-connect/token"), &form).await.granted();
        Admin { server: self, token: tokens["access_token"].as_str().unwrap().to_owned() }
    }

    pub async fn admin_of_demo(&self, username: &str, password: &str) -> Admin<'_> {
        self.admin_of("demo", username, password).await
    }

    pub async fn admin(&self) -> Admin<'_> {
        self.admin_of("master", "admin", "admin").await
    }
}

impl Admin<'_> {
    pub fn token(&self) -> &str {
        &self.token
    }

    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Answer {
        let path = format!("/admin/realms{path}");
        let mut request =
            self.server.http.request(method.clone(), format!("{}{path}", self.server.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        description::check(method.as_str(), &path, &answer);
        answer
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(reqwest::Method::GET, path, None).await.granted()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(reqwest::Method::DELETE, path, None).await
    }

    /// Changes some settings of the demo realm.
    pub async fn set(&self, settings: Value) {
        let answer = self.call(reqwest::Method::PUT, "/demo", Some(&settings)).await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
    }

    /// The row id of a client of the demo realm.
    pub async fn client(&self, client_id: &str) -> String {
        let found = self.get(&format!("/demo/clients?clientId={client_id}")).await;
        found[0]["id"].as_str().unwrap().to_owned()
    }

    /// Alice's id.
    pub async fn alice(&self) -> String {
        let found = self.get("/demo/users?username=alice&exact=true").await;
        found[0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn put_user(&self, change: Value) {
        let path = format!("/demo/users/{}", self.alice().await);
        let answer = self.call(reqwest::Method::PUT, &path, Some(&change)).await;
        assert_eq!(answer.status, 204, "{:?}", answer.body);
    }

    /// How many offline sessions a client has.
    pub async fn offline_sessions(&self, client_id: &str) -> i64 {
        let client = self.client(client_id).await;
        let count = self.get(&format!("/demo/clients/{client}/offline-session-count")).await;
        assert_eq!(count, json!({"count": count["count"]}));
        count["count"].as_i64().unwrap()
    }
}
