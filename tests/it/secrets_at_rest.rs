//! What a copy of the database gives away: no secret that opens anything.

use serde_json::json;
use sqlx::{Connection, PgConnection, Row};

use crate::support::{TestServer, database_address, refresh_token};

/// Every row of every table, as text.
pub async fn everything(server: &TestServer) -> String {
    let mut connection = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    let tables = sqlx::query("select tablename::text from pg_tables where schemaname = 'public'");
    let tables = tables.fetch_all(&mut connection).await.unwrap();
    let mut all = String::new();
    for table in tables.iter().map(|row| row.get::<String, _>(0)) {
        let rows = format!("select coalesce(string_agg(t::text, E'\\n'), '') from {table} as t");
        let rows = sqlx::query(sqlx::AssertSqlSafe(rows)).fetch_one(&mut connection).await.unwrap();
        all.push_str(&rows.get::<String, _>(0));
    }
    all
}

#[tokio::test]
async fn no_secret_stands_in_the_database_in_the_clear() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.set(json!({"smtpServer": {"host": "mail.example.org", "user": "sender", "password": "pass-of-the-mail-server"}})).await;
    let user = json!({"username": "carol", "enabled": true, "credentials": [{"type": "password", "value": "pass-of-carol"}]});
    assert_eq!(admin.call(reqwest::Method::POST, "/demo/users", Some(&user)).await.status, 201);
    let browser = server.browser();
    let back = browser.sign_in("demo-backup", &[("scope", "openid")]).await;
    let offline = server.offline_token().await;
    let secrets = [
        ("client secret", "demo-backup-secret".to_owned()),
        ("password of the mail server", "pass-of-the-mail-server".to_owned()),
        ("password", "pass-of-carol".to_owned()),
        ("authorization code", back.parameter("code").unwrap()),
        ("cookie of the session", browser.cookie("KEYCLOAK_IDENTITY").unwrap()),
        ("cookie of the tabs", browser.cookie("AUTH_SESSION_ID").unwrap()),
        ("offline token", offline.clone()),
        ("signature of the offline token", offline.rsplit('.').next().unwrap().to_owned()),
        ("access token", refresh_token(&server.sign_in("openid").await)),
        ("key-encryption key", "11".repeat(32)),
    ];
    let everything = everything(&server).await;
    assert!(everything.contains("mail.example.org") && everything.contains("carol"), "the database was read");
    for (what, secret) in secrets {
        assert!(!everything.contains(&secret), "the {what} stands in the clear");
    }
    // Neither is it given to an administrator, and putting the realm back as it was given keeps it.
    let shown = admin.get("/demo").await;
    assert_eq!(shown["smtpServer"]["password"], "**********");
    admin.set(shown.clone()).await;
    assert_eq!(admin.get("/demo").await, shown);
    server.finish().await;
}
