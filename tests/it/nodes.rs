//! Several nodes on one database: the first start, the schema, and what one changes and another answers.

use nightlatch::flow::bootstrap::{self, Bootstrapped};
use serde_json::json;
use sqlx::Connection;

use crate::rotation::futures;
use crate::support::TestServer;

#[tokio::test]
async fn eight_nodes_start_at_once_on_an_empty_database_and_one_makes_the_master_realm() {
    let database = crate::support::empty_database().await;
    let nodes: Vec<_> = (1..=8).map(|seed| crate::support::parts(&database, seed)).collect();
    for migrated in futures(nodes.iter().map(|node| node.store.migrate())).await {
        migrated.unwrap();
    }
    let admin = crate::support::first_admin();
    let made = futures(nodes.iter().map(|node| bootstrap::run(node, Some(&admin)))).await;
    let made: Vec<Bootstrapped> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|m| **m == Bootstrapped::Made).count(), 1, "{made:?}");
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let server = TestServer::start().await;
    server.server.store.migrate().await.unwrap();
    let again = bootstrap::run(&server.server, Some(&crate::support::first_admin())).await.unwrap();
    assert_eq!(again, Bootstrapped::AlreadyThere);
    server.finish().await;
}

#[tokio::test]
async fn what_one_node_forbids_the_next_request_to_another_refuses() {
    let first = TestServer::start().await;
    let second = TestServer::on(&first.database, 2).await;
    // Both are warm.
    first.offline_token().await;
    let token = second.offline_token().await;
    second.refresh(&token).await.granted();
    let admin = first.admin().await;
    let client = admin.client("demo-backup").await;
    let path = format!("/demo/clients/{client}");
    let disabled = admin.call(reqwest::Method::PUT, &path, Some(&json!({"clientId": "demo-backup", "enabled": false}))).await;
    assert_eq!(disabled.status, 204, "{:?}", disabled.body);
    assert_eq!(second.refresh(&token).await.refusal().1, "invalid_client");
    let enabled = admin.call(reqwest::Method::PUT, &path, Some(&json!({"clientId": "demo-backup", "enabled": true}))).await;
    assert_eq!(enabled.status, 204);
    second.refresh(&token).await.granted();
    admin.put_user(json!({"enabled": false})).await;
    assert_eq!(second.refresh(&token).await.refusal(), (400, "invalid_grant", "User disabled"));
    second.stop().await;
    first.finish().await;
}

#[tokio::test]
async fn a_secret_that_one_node_changed_opens_nothing_at_another() {
    let first = TestServer::start().await;
    let second = TestServer::on(&first.database, 2).await;
    let form = [("grant_type", "client_credentials")];
    second.as_backup("/token", &form).await.granted();
    let admin = first.admin().await;
    let path = format!("/demo/clients/{}/client-secret", admin.client("demo-backup").await);
    admin.call(reqwest::Method::POST, &path, None).await.granted();
    assert_eq!(second.as_backup("/token", &form).await.refusal().1, "unauthorized_client");
    second.stop().await;
    first.finish().await;
}

#[tokio::test]
async fn a_node_of_an_older_version_starts_on_a_newer_schema() {
    let server = TestServer::start().await;
    let mut connection = sqlx::PgConnection::connect(&crate::support::database_address(&server.database)).await.unwrap();
    let newer = "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (9999, 'of a newer version', true, '', 0)";
    sqlx::raw_sql(newer).execute(&mut connection).await.unwrap();
    server.server.store.migrate().await.unwrap();
    server.offline_token().await;
    server.finish().await;
}
