//! Searching users where the module that makes it fast cannot be had.

use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::support::{TestServer, create_empty, database_address, fill, on_the_cluster, parts};

/// The owner of the tables may not make extensions, as with many hosts.
#[tokio::test]
async fn without_trigrams_the_schema_is_made_and_users_are_found_all_the_same() {
    let database = create_empty().await;
    let owner = format!("{database}_owner");
    on_the_cluster(&format!("create role {owner} login")).await;
    let mut connection = PgConnection::connect(&database_address(&database)).await.unwrap();
    let grant = format!("grant all on schema public to {owner}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(grant)).execute(&mut connection).await.unwrap();
    let address = database_address(&database).replacen("postgres@", &format!("{owner}@"), 1);
    let mut migrate = tokio::process::Command::new(env!("CARGO_BIN_EXE_nightlatch"));
    let migrated = migrate.args(["migrate", "--db-url", &address]).output().await.unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let index: Option<String> =
        sqlx::query_scalar("select to_regclass('user_account_by_part')::text").fetch_one(&mut connection).await.unwrap();
    assert_eq!(index, None);
    let filled = parts(&database_address(&database), 0);
    fill(&filled).await;
    filled.store.close().await;
    let server = TestServer::on(&database, 1).await;
    let admin = server.admin().await;
    let user = json!({"username": "carla", "lastName": "Nightingale"});
    assert_eq!(admin.call(Method::POST, "/demo/users", Some(&user)).await.status, 201);
    for query in ["search=nighting", "lastName=gale", "username=arl"] {
        assert_eq!(admin.get(&format!("/demo/users?{query}")).await[0]["username"], json!("carla"), "{query}");
    }
    server.finish().await;
    connection.close().await.unwrap();
    on_the_cluster(&format!("drop database {database} with (force)")).await;
    on_the_cluster(&format!("drop role {owner}")).await;
}
