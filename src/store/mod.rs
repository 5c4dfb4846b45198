//! The only SQL: one file per noun, checked against the schema when it is compiled.
//!
//! Every function names its realm. Nothing here decides: a function finds, lists, inserts, updates, deletes, or makes a
//! conditional transition whose `None` means that somebody else was first. Time and ids come from the caller. Secrets are sealed
//! on the way in and opened on the way out, so that no layer above sees them sealed and no table in the clear.

pub mod action_token;
pub mod admin_event;
pub mod authentication_session;
pub mod authorization_code;
pub mod chain;
pub mod chain_rows;
pub mod client;
pub mod client_scope;
pub mod client_session;
pub mod component;
pub mod consent;
pub mod credential;
mod error;
pub mod event;
pub mod federated_identity;
pub mod group;
pub mod initial_access;
pub mod invariants;
pub mod login_failure;
pub mod logout_notice;
pub mod offline_grant;
pub mod protocol_mapper;
pub mod realm;
pub mod revoked_token;
pub mod role;
pub mod session;
pub mod session_list;
pub mod signing_key;
pub mod snapshot;
pub mod sweep;
pub mod token_use;
pub mod used_assertion;
pub mod user;
pub mod user_list;
pub mod user_name;

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, PgConnection, Postgres, Transaction};
use tokio::sync::Semaphore;

use crate::base::{Entropy, Sealer};

pub use error::StoreError;

/// A node of an older version starts on a newer schema: schemas only expand.
static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate::Migrator { ignore_missing: true, ..sqlx::migrate!("./migrations") };

/// How long a statement waits for a row that another holds, and how long it may run: a request is answered, not hung.
const LOCK_TIMEOUT: &str = "2s";
const STATEMENT_TIMEOUT: &str = "10s";

/// A connection that lay idle this long is asked whether it still lives before it is used.
const PING_AFTER: Duration = Duration::from_secs(1);
/// How long a request waits for a connection before it is answered 503.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How many reports run at once.
const REPORTS: usize = 2;

/// The database, and the keys that its secrets are sealed with. Cloning shares both.
#[derive(Clone)]
pub struct Store {
    pool: PgPool,
    seal: Seal,
    reports: Arc<Semaphore>,
}

/// What it takes to seal a secret.
#[derive(Clone)]
struct Seal {
    sealer: Arc<Sealer>,
    entropy: Entropy,
}

/// A place to run statements: a connection on which each statement commits by itself, or a transaction.
pub struct Db<'a> {
    place: Place<'a>,
    seal: Seal,
}

enum Place<'a> {
    Connection(PoolConnection<Postgres>),
    Transaction(Transaction<'a, Postgres>),
}

impl Db<'_> {
    fn raw(&mut self) -> &mut PgConnection {
        match &mut self.place {
            Place::Connection(connection) => connection,
            Place::Transaction(transaction) => transaction,
        }
    }

    /// What an administrator removes may be millions of rows: the statements of this transaction take the time that they need.
    async fn unhurried(&mut self) -> Result<(), StoreError> {
        sqlx::query!("set local statement_timeout = '15min'").execute(self.raw()).await?;
        Ok(())
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a pool. Nothing is connected until the first statement, so that the server can start before its database.
    pub fn open(options: PgConnectOptions, connections: u32, sealer: Arc<Sealer>, entropy: Entropy) -> Self {
        let options = options.options([("lock_timeout", LOCK_TIMEOUT), ("statement_timeout", STATEMENT_TIMEOUT)]);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for > PING_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .connect_lazy_with(options);
        Self { pool, seal: Seal { sealer, entropy }, reports: Arc::new(Semaphore::new(REPORTS)) }
    }

    /// Reads an address as `postgres://…` gives it.
    pub fn parse_address(url: &str) -> Result<PgConnectOptions, StoreError> {
        use sqlx::ConnectOptions;
        let options: PgConnectOptions = url.parse().map_err(StoreError::from)?;
        Ok(options.disable_statement_logging().application_name("nightlatch"))
    }

    /// A connection on which each statement is its own transaction.
    pub async fn db(&self) -> Result<Db<'static>, StoreError> {
        Ok(Db { place: Place::Connection(self.pool.acquire().await?), seal: self.seal.clone() })
    }

    /// Runs `work` in one transaction and commits on every outer `Ok`: a refusal is a value inside it and may have written.
    /// Only an error of the infrastructure rolls back.
    pub async fn in_tx<T>(&self, work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.in_tx_or(work).await
    }

    /// The same for work that has errors of its own: any of them rolls back, too.
    pub async fn in_tx_or<T, E: From<StoreError>>(&self, work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(StoreError::from)?;
        let mut db = Db { place: Place::Transaction(transaction), seal: self.seal.clone() };
        let value = work(&mut db).await?;
        db.commit().await?;
        Ok(value)
    }

    /// Runs `work` that reads whatever there is, millions of rows perhaps, in one transaction. Its statements have a minute each, and
    /// are planned for what they ask for. Reports wait for each other, so that they leave the connections to those who wait for
    /// a page.
    pub async fn in_report<T>(&self, work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let turn = self.reports.acquire().await;
        let _turn = turn.map_err(|_| StoreError::Inconsistent("the turns of reports are closed".to_owned()))?;
        self.in_tx(async |db| {
            sqlx::query!("set local statement_timeout = '60s'").execute(db.raw()).await?;
            sqlx::query!("set local plan_cache_mode = force_custom_plan").execute(db.raw()).await?;
            work(db).await
        })
        .await
    }

    /// Runs `work` on one moment of the database, whatever others write meanwhile. Nothing can be written.
    pub async fn at_one_moment<T, E: From<StoreError>>(
        &self,
        work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut self.snapshot().await?).await
    }

    fn max_connections(&self) -> u32 {
        self.pool.options().get_max_connections()
    }

    /// A transaction that ends, and undoes itself, when it is dropped.
    async fn begin(&self) -> Result<Db<'static>, StoreError> {
        let transaction = self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(Db { place: Place::Transaction(transaction), seal: self.seal.clone() })
    }

    /// A transaction that sees one moment of the database and writes nothing.
    async fn snapshot(&self) -> Result<Db<'static>, StoreError> {
        let transaction = self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        Ok(Db { place: Place::Transaction(transaction), seal: self.seal.clone() })
    }

    /// Brings the schema up to date. Several nodes may do it at once: an advisory lock lets one through at a time.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await?;
        // A migration may take long, and waits for the node that migrates first.
        sqlx::raw_sql("set lock_timeout = 0; set statement_timeout = 0").execute(&mut *connection).await?;
        let migrated = MIGRATIONS.run(&mut *connection).await.map_err(StoreError::migration);
        // This connection is not one of the pool's any more.
        connection.close().await?;
        migrated
    }

    /// Whether the database answers.
    pub async fn is_reachable(&self) -> bool {
        match self.pool.acquire().await {
            Ok(mut connection) => connection.ping().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Connections in use and idle, for the metrics.
    pub fn connections(&self) -> (u32, usize) {
        (self.pool.size(), self.pool.num_idle())
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Db<'_> {
    async fn commit(self) -> Result<(), StoreError> {
        if let Place::Transaction(transaction) = self.place {
            transaction.commit().await?;
        }
        Ok(())
    }
}

impl Seal {
    /// Seals a secret for one place: it opens nowhere else.
    fn seal(&self, context: &str, plain: &[u8]) -> String {
        self.sealer.seal(&self.entropy, context, plain)
    }

    fn open(&self, context: &str, sealed: &str) -> Result<zeroize::Zeroizing<Vec<u8>>, StoreError> {
        self.sealer.open(context, sealed).map_err(StoreError::sealed)
    }
}
