//! The server in process: the production router on real sockets.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use nightlatch::base::{Clock, Entropy, Sealer, Secret, Timestamp};
use nightlatch::flow::bootstrap::{self, FirstAdmin};
use nightlatch::flow::outgoing::Outgoing;
use nightlatch::flow::password::{Cost, Passwords};
use nightlatch::flow::realms::Realms;
use nightlatch::flow::{Server, import_realm};
use nightlatch::http::{App, AppParts, Urls, management_router, read_realm_file, router, serve};
use nightlatch::store::{Store, invariants};
use nightlatch::telemetry::metrics;
use nightlatch::view::{Assets, Templates};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::database;

/// When every test begins: a second in 2026.
pub const START: i64 = 1_780_000_000;

/// The least that argon2id takes: tests check that passwords are checked, not that it is slow.
const CHEAP: Cost = Cost { memory_kib: 8, iterations: 1 };

pub struct TestServer {
    pub base: String,
    pub management: String,
    pub server: Server,
    pub app: App,
    pub http: reqwest::Client,
    pub database: String,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// One for all: making a client reads every certificate that the platform trusts.
static OUTGOING: LazyLock<Outgoing> = LazyLock::new(Outgoing::new);

/// The parts of a server over a database, with a clock that stands still.
pub fn parts(address: &str, seed: u64) -> Server {
    let sealer = Sealer::from_keys(&"11".repeat(32)).unwrap();
    let options = Store::parse_address(address).unwrap();
    let entropy = Entropy::seeded(seed);
    Server {
        store: Store::open(options, 10, Arc::new(sealer), entropy.clone()),
        clock: Clock::manual(Timestamp::from_unix_seconds(START)),
        entropy,
        realms: Arc::new(Realms::default()),
        passwords: Arc::new(Passwords::new(4, CHEAP)),
        outgoing: OUTGOING.clone(),
    }
}

pub fn admin() -> FirstAdmin {
    FirstAdmin { username: "admin".to_owned(), password: Secret::new("admin") }
}

/// The realms that every test finds.
pub async fn fill(server: &Server) {
    bootstrap::run(server, Some(&admin())).await.unwrap();
    let mut file = read_realm_file(include_bytes!("../../../config/demo-realm.json"), server).unwrap();
    // As in a fresh realm; tests of rotation switch it on.
    file.document.insert("revokeRefreshToken".to_owned(), false.into());
    if let Some(attributes) = file.document.get_mut("attributes").and_then(|a| a.as_object_mut()) {
        attributes.retain(|name, _| !name.starts_with("nightlatch."));
    }
    import_realm::run(server, file, None).await.unwrap();
}

/// The production router's parts over a server's.
pub fn app(server: Server) -> App {
    let urls = Urls { hostname: None, relative_path: String::new(), proxy_headers: None, trusted_proxies: Vec::new() };
    App::new(AppParts {
        started_at: server.clock.now(),
        server,
        templates: Templates::embedded(),
        assets: Assets::embedded(),
        urls,
        metrics: metrics::install(),
        draining: AtomicBool::new(false),
    })
}

impl TestServer {
    pub async fn start() -> Self {
        let name = database::create().await;
        Self::on(&name, 1).await
    }

    /// For programs that read the machine's clock themselves.
    pub async fn start_on_the_wall_clock() -> Self {
        let name = database::create().await;
        let server = Server { clock: Clock::System, ..parts(&database::address(&name), 1) };
        Self::of(server, &name).await
    }

    /// A node over a database; `seed` makes its random values its own.
    pub async fn on(database: &str, seed: u64) -> Self {
        Self::of(parts(&database::address(database), seed), database).await
    }

    /// A node that reaches its database at another address than the cluster's: through a gate.
    pub async fn through(port: u16) -> Self {
        let name = database::create().await;
        let address = format!("postgres://postgres@127.0.0.1:{port}/{name}");
        Self::of(parts(&address, 1), &name).await
    }

    /// A node whose database cannot be reached.
    pub async fn without_database() -> Self {
        Self::of(parts("postgres://nobody@127.0.0.1:1/none", 1), "none").await
    }

    async fn of(server: Server, database: &str) -> Self {
        let app = app(server.clone());
        let (stop, stopped) = watch::channel(false);
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let private = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", public.local_addr().unwrap());
        let management = format!("http://{}", private.local_addr().unwrap());
        let tasks = vec![
            tokio::spawn(serve(public, router(app.clone()), until(stopped.clone()))),
            tokio::spawn(serve(private, management_router(app.clone()), until(stopped))),
        ];
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, management, server, app, http, database: database.to_owned(), stop, tasks }
    }

    pub fn advance(&self, by: Duration) {
        self.server.clock.advance(by);
    }

    pub fn now(&self) -> i64 {
        self.server.clock.now().unix_seconds()
    }

    pub fn realm(&self, realm: &str, path: &str) -> String {
        format!("{}/realms/{realm}{path}", self.base)
    }

    /// An endpoint of the demo realm's protocol.
    pub fn endpoint(&self, path: &str) -> String {
        self.realm("demo", &format!("/protocol/openid-connect{path}"))
    }

    /// Stops the node, and checks that the tables hold together.
    pub async fn finish(self) {
        let broken = invariants::check(&self.server.store).await.unwrap();
        assert_eq!(broken, Vec::<String>::new());
        self.stop().await;
    }

    /// Stops the node without asking its database.
    pub async fn stop(self) {
        drop(self.http);
        let _ = self.stop.send(true);
        for task in self.tasks {
            task.await.unwrap();
        }
        self.server.store.close().await;
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
