//! CVE-2026-15943: a secret that is shown masked and sent back masked stays, and goes nowhere but where it went before.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::support::{Admin, TestServer, database_address};

const MASK: &str = "**********";

async fn stored(server: &TestServer, path: &str) -> Option<String> {
    let mut database = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let query = "select settings #>> string_to_array($1, ',') from realm where name = 'demo'";
    sqlx::query_scalar(query).bind(path).fetch_one(&mut database).await.unwrap()
}

async fn status(admin: &Admin<'_>, method: Method, path: &str, body: &Value) -> u16 {
    admin.call(method, path, Some(body)).await.status
}

#[tokio::test]
async fn cve_2026_15943_an_identity_provider_that_moves_does_not_take_its_secret_along() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let provider = |kind: &str, token_url: &str, secret: &str| {
        json!({"alias": "corp", "providerId": kind, "enabled": true, "config": {"clientId": "us", "clientSecret": secret,
            "tokenUrl": token_url, "authorizationUrl": "https://corp.example.org/a"}})
    };
    let (home, away) = ("https://corp.example.org/t", "https://elsewhere.example.org/t");
    let place = "identityProviders,0,config,clientSecret,sealed";
    let instances = "/demo/identity-provider/instances";
    assert_eq!(status(&admin, Method::POST, instances, &provider("oidc", home, "hidden")).await, 201);
    let kept = stored(&server, place).await;
    assert!(kept.is_some());
    let corp = &format!("{instances}/corp");
    for moved in [provider("oidc", away, MASK), provider("keycloak-oidc", home, MASK)] {
        let refused = admin.call(Method::PUT, corp, Some(&moved)).await;
        let text = json!({"errorMessage": "The client secret has to be given anew where an address changes"});
        assert_eq!((refused.status, refused.body), (400, text));
        let file = json!({"ifResourceExists": "OVERWRITE", "identityProviders": [moved]});
        assert_eq!(status(&admin, Method::POST, "/demo/partialImport", &file).await, 400);
    }
    assert_eq!(status(&admin, Method::PUT, corp, &provider("oidc", home, MASK)).await, 204);
    assert_eq!(stored(&server, place).await, kept);
    assert_eq!(status(&admin, Method::PUT, corp, &provider("oidc", away, "another")).await, 204);
    assert_ne!(stored(&server, place).await, kept);
    server.finish().await;
}

#[tokio::test]
async fn cve_2026_15943_a_mail_server_that_moves_does_not_take_its_password_along() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    let mail = |host: &str, user: &str, starttls: bool, password: &str| json!({"smtpServer": {"host": host, "from": "a@example.org", "user": user, "auth": true, "starttls": starttls, "password": password}});
    let put = async |body: Value| status(&admin, Method::PUT, "/demo", &body).await;
    assert_eq!(put(mail("mail.example.org", "post", true, "hidden")).await, 204);
    let kept = stored(&server, "smtpServer,password,sealed").await;
    assert!(kept.is_some());
    for moved in [
        mail("elsewhere.example.org", "post", true, MASK),
        mail("mail.example.org", "other", true, MASK),
        mail("mail.example.org", "basic", true, MASK),
        // Nor is it said in the clear from now on.
        mail("mail.example.org", "post", false, MASK),
    ] {
        assert_eq!(put(moved).await, 400);
    }
    assert_eq!(put(mail("mail.example.org", "post", true, MASK)).await, 204);
    assert_eq!(stored(&server, "smtpServer,password,sealed").await, kept);
    // A change of something else leaves it alone, and a realm that is made has no mask for a password.
    assert_eq!(put(json!({"displayName": "Demo"})).await, 204);
    assert_eq!(stored(&server, "smtpServer,password,sealed").await, kept);
    let mut made = mail("mail.example.org", "post", true, MASK);
    made["realm"] = json!("second");
    assert_eq!(status(&admin, Method::POST, "", &made).await, 201);
    assert_eq!(admin.get("/second").await["smtpServer"].get("password"), None);
    server.finish().await;
}
