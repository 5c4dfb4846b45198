//! What requests cost the database: statements, commits, WAL. Counted, not timed; the table in the documentation is held to it.

use std::fmt::Write as _;

use serde_json::json;
use sqlx::{Connection, PgConnection, Row};

use crate::support::{TestServer, database_address, refresh_token};

/// What Postgres did for one request.
#[derive(Clone, Copy, Debug)]
struct Cost {
    statements: i64,
    /// Transactions that wrote: explicit ones, or the statement that was a transaction of its own.
    commits: i64,
    /// Counted where it is written, statement by statement: the position of the log (`pg_current_wal_lsn`) is the cluster's,
    /// and other tests write to it. A commit's own record is not in it.
    wal_bytes: i64,
}

/// The database of one test, looked at from outside the server.
struct Meter {
    connection: PgConnection,
    measured: Vec<(&'static str, Cost)>,
}

impl Meter {
    async fn of(server: &TestServer) -> Self {
        let mut connection = PgConnection::connect(&database_address(&server.database)).await.unwrap();
        sqlx::raw_sql("create extension if not exists pg_stat_statements").execute(&mut connection).await.unwrap();
        Self { connection, measured: Vec::new() }
    }

    async fn read(&mut self) -> Cost {
        let sums = "select coalesce(sum(calls) filter (where not control), 0)::bigint,
                           coalesce(sum(calls) filter (where query ~* '^commit'), 0)::bigint,
                           coalesce(sum(wal_bytes) filter (where not control), 0)::bigint
                    from (select query, calls, wal_bytes, query ~* '^(begin|commit|rollback|set|deallocate)' as control
                          from pg_stat_statements
                          where dbid = (select oid from pg_database where datname = current_database())
                            and query !~* 'pg_stat') as of_server";
        let row = sqlx::query(sums).fetch_one(&mut self.connection).await.unwrap();
        Cost { statements: row.get(0), commits: row.get(1), wal_bytes: row.get(2) }
    }

    async fn measure(&mut self, request: &'static str, work: impl Future<Output = ()>) {
        let before = self.read().await;
        work.await;
        let after = self.read().await;
        let wal_bytes = after.wal_bytes - before.wal_bytes;
        let commits = (after.commits - before.commits).max(i64::from(wal_bytes > 0));
        self.measured.push((request, Cost { statements: after.statements - before.statements, commits, wal_bytes }));
    }

    /// Statements and commits are exactly the documentation's. WAL may be less, and up to a quarter more: a page that is
    /// tidied up on the way is written along.
    fn compare(&self, documentation: &str) {
        let mut wrong = String::new();
        for (request, cost) in &self.measured {
            let start = format!("| {request} | {} | {} | ", cost.statements, cost.commits);
            let line = documentation.lines().find(|l| l.starts_with(&start));
            let wal = line.and_then(|l| l[start.len()..].trim_end_matches(" |").replace(' ', "").parse::<i64>().ok());
            if !wal.is_some_and(|documented| cost.wal_bytes <= documented + documented / 4 && documented <= cost.wal_bytes * 2) {
                writeln!(wrong, "{start}{} |", cost.wal_bytes).unwrap();
            }
        }
        assert!(wrong.is_empty(), "docs/architecture.md lacks these lines:\n{wrong}");
    }
}

impl TestServer {
    /// A code of a browser of its own, for the confidential client.
    async fn code(&self, scope: &str) -> String {
        self.browser().sign_in("demo-backup", &[("scope", scope)]).await.parameter("code").unwrap()
    }

    async fn exchange(&self, code: &str) {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", "http://localhost:3000/cb")];
        self.as_backup("/token", &form).await.granted();
    }
}

const OFFLINE: &str = "openid offline_access";

#[tokio::test]
async fn requests_cost_what_the_documentation_says() {
    let server = TestServer::start().await;
    let mut meter = Meter::of(&server).await;
    // The first of everything is not what is measured: copies are read, tables get their first pages.
    server.exchange(&server.code(OFFLINE).await).await;
    server.exchange(&server.code("openid").await).await;
    server.sign_in("openid").await;

    let page = server.browser();
    let form = page.get(&server.authorization("demo-backup", &[("scope", OFFLINE)])).await.action();
    let credentials = [("username", "alice"), ("password", "alice")];
    meter.measure("sign-in: the password is sent", async { drop(page.post(&form, &credentials).await) }).await;
    let codes = (server.code("openid").await, server.code(OFFLINE).await);
    meter.measure("authorization code", server.exchange(&codes.0)).await;
    meter.measure("authorization code, offline access", server.exchange(&codes.1)).await;
    meter.measure("password", async { drop(server.sign_in("openid").await) }).await;
    let mut tokens = json!(null);
    meter.measure("password, offline access", async { tokens = server.sign_in(OFFLINE).await }).await;
    let (offline, access) = (refresh_token(&tokens), tokens["access_token"].as_str().unwrap().to_owned());
    let client = [("grant_type", "client_credentials")];
    server.as_backup("/token", &client).await.granted();
    meter.measure("client credentials", async { drop(server.as_backup("/token", &client).await.granted()) }).await;
    server.refresh(&offline).await.granted();
    meter.measure("refresh of an offline token", async { drop(server.refresh(&offline).await.granted()) }).await;
    server.admin().await.set(json!({"revokeRefreshToken": true})).await;
    let rotating = refresh_token(&server.refresh(&server.offline_token().await).await.granted());
    meter.measure("refresh with rotation", async { drop(server.refresh(&rotating).await.granted()) }).await;
    let introspect = async { drop(server.as_backup("/token/introspect", &[("token", &*access)]).await.granted()) };
    meter.measure("introspection of an access token", introspect).await;
    let user_info = async {
        let answer = server.http.get(server.endpoint("/userinfo")).bearer_auth(&access).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    };
    meter.measure("userinfo", user_info).await;
    let revoke = async { assert_eq!(server.as_backup("/revoke", &[("token", &*offline)]).await.status, 200) };
    meter.measure("revocation of an offline token", revoke).await;
    let public = async {
        for path in ["/.well-known/openid-configuration", "/protocol/openid-connect/certs"] {
            assert_eq!(server.http.get(server.realm("demo", path)).send().await.unwrap().status().as_u16(), 200);
        }
    };
    meter.measure("discovery, keys", public).await;
    meter.compare(include_str!("../../docs/architecture.md"));
    server.finish().await;
}
