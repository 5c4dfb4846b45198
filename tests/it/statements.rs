//! What requests cost the database: statements, commits, WAL. Counted, not timed; the table in the documentation is held to it.

use sqlx::{Connection, PgConnection, Row};

use crate::support::{TestServer, database_address, refresh_token};

struct Counted {
    statements: i64,
    commits: i64,
}

/// Counters of one database. The statistics of pg_stat_statements are per database; commits come from its own transactions.
async fn counters(connection: &mut PgConnection) -> Counted {
    let row = sqlx::query(sqlx::AssertSqlSafe(
        "select coalesce(sum(calls) filter (where query !~* '^(begin|commit|rollback|set|deallocate)' and query !~* 'pg_stat'), 0)::bigint,
                coalesce(sum(calls) filter (where query ~* '^commit'), 0)::bigint
         from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())"
            .to_owned(),
    ))
    .fetch_one(connection)
    .await
    .unwrap();
    Counted { statements: row.get(0), commits: row.get(1) }
}

async fn cost(connection: &mut PgConnection, work: impl Future<Output = ()>) -> (i64, i64) {
    let before = counters(connection).await;
    work.await;
    let after = counters(connection).await;
    (after.statements - before.statements, after.commits - before.commits)
}

/// The table of `docs/architecture.md`.
const LIMITS: [(&str, i64, i64); 6] = [
    ("refresh of an offline token, warm", 1, 0),
    ("refresh with rotation, warm", 1, 0),
    ("introspection of an access token, warm", 2, 0),
    ("userinfo, warm", 1, 0),
    ("client credentials, warm", 1, 0),
    ("discovery, keys", 0, 0),
];

#[tokio::test]
async fn the_hot_paths_cost_what_the_documentation_says() {
    let server = TestServer::start().await;
    let mut connection = PgConnection::connect(&database_address(&server.database)).await.unwrap();
    sqlx::raw_sql("create extension if not exists pg_stat_statements").execute(&mut connection).await.unwrap();
    let tokens = server.sign_in("openid offline_access").await;
    let (offline, access) = (refresh_token(&tokens), tokens["access_token"].as_str().unwrap().to_owned());
    let mut measured = Vec::new();
    server.refresh(&offline).await.granted();
    measured.push(cost(&mut connection, async { drop(server.refresh(&offline).await.granted()) }).await);
    server.admin().await.set(serde_json::json!({"revokeRefreshToken": true})).await;
    let rotating = refresh_token(&server.refresh(&server.offline_token().await).await.granted());
    measured.push(cost(&mut connection, async { drop(server.refresh(&rotating).await.granted()) }).await);
    let introspect = async { drop(server.as_backup("/token/introspect", &[("token", &*access)]).await.granted()) };
    measured.push(cost(&mut connection, introspect).await);
    let user_info = async {
        let answer = server.http.get(server.endpoint("/userinfo")).bearer_auth(&access).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    };
    measured.push(cost(&mut connection, user_info).await);
    let credentials = [("grant_type", "client_credentials")];
    server.as_backup("/token", &credentials).await.granted();
    measured.push(cost(&mut connection, async { drop(server.as_backup("/token", &credentials).await.granted()) }).await);
    let public = async {
        for path in ["/.well-known/openid-configuration", "/protocol/openid-connect/certs"] {
            assert_eq!(server.http.get(server.realm("demo", path)).send().await.unwrap().status().as_u16(), 200);
        }
    };
    measured.push(cost(&mut connection, public).await);
    let documented = include_str!("../../docs/architecture.md");
    let names = LIMITS.into_iter().map(|(name, ..)| name);
    let found: Vec<_> = names.zip(measured).map(|(name, (statements, commits))| (name, statements, commits)).collect();
    assert_eq!(found, LIMITS, "statements and commits");
    for (name, statements, commits) in LIMITS {
        let line = format!("| {name} | {statements} | {commits} |");
        assert!(documented.contains(&line), "docs/architecture.md lacks the line {line}");
    }
    server.finish().await;
}
