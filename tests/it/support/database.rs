//! A database for each test, copied from one that is migrated, has the master realm and the demo realm.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(1);

/// The address of a database of the test cluster. `./dev test` starts the cluster and names it.
pub fn address(database: &str) -> String {
    #[expect(clippy::disallowed_methods, reason = "the test command hands the address over in the environment")]
    let cluster = std::env::var("DATABASE_URL").expect("run the tests by ./dev test, which starts a Postgres for them");
    let (server, _) = cluster.rsplit_once('/').expect("the address ends with the name of a database");
    format!("{server}/{database}")
}

/// A copy of the template.
pub async fn create() -> String {
    let template = TEMPLATE.get_or_init(make_template).await;
    let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&format!("create database {name} template {template}")).await;
    name
}

/// A copy of a database that nobody is connected to.
pub async fn create_copy(of: &str) -> String {
    let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&format!("create database {name} template {of}")).await;
    name
}

/// A database without anything in it.
pub async fn create_empty() -> String {
    let name = format!("it_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    run(&format!("create database {name}")).await;
    name
}

async fn make_template() -> String {
    let name = format!("it_{}_template", std::process::id());
    run(&format!("create database {name}")).await;
    let server = super::server::parts(&address(&name), 0);
    server.store.migrate().await.unwrap();
    super::server::fill(&server).await;
    server.store.close().await;
    name
}

/// One statement on the cluster. Databases are created one after the other: Postgres copies a template for one at a time.
pub async fn run(statement: &str) {
    let mut connection = PgConnection::connect(&address("postgres")).await.unwrap();
    connection.execute("select pg_advisory_lock(42)").await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}
