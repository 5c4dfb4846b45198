//! What a server consists of: the store, the use cases, the two listeners, and what runs beside the requests.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::banner::{self, Facts};
use super::demo_realm;
use super::output;
use crate::base::{Clock, Entropy, Sealer};
use crate::config::{Mode, PasswordSettings, Settings};
use crate::flow::Server;
use crate::flow::bootstrap::{self, Bootstrapped, FirstAdmin};
use crate::flow::import_realm::{self, ImportError};
use crate::flow::outgoing::Outgoing;
use crate::flow::password::{Cost, Passwords};
use crate::flow::realms::Realms;
use crate::flow::sweep::{self, SweepRules};
use crate::http::{App, AppParts, Urls, management_router, read_realm_file, router, serve};
use crate::store::Store;
use crate::sweeper;
use crate::telemetry::metrics;
use crate::view::{Assets, Templates};

/// Runs until `shutdown`, then finishes what has begun.
pub async fn run(settings: &Settings, mode: Mode, shutdown: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let server = server(settings)?;
    server.store.migrate().await.context("the database could not be migrated")?;
    let first = prepare(settings, &server, mode).await?;
    let app = app(settings, server.clone())?;
    let http = &settings.http;
    let public = listen(&http.host, http.port).await?;
    let management = listen(&http.management_host, http.management_port).await?;
    let ports = Ports { public: public.local_addr()?.port(), management: management.local_addr()?.port() };
    let (stop, stopped) = watch::channel(false);
    let rules = rules(settings, false);
    let beside = [
        tokio::spawn(sweeper::run(server.clone(), rules, settings.sweeper.interval, until(stopped.clone()))),
        tokio::spawn(sweeper::tell(server.clone(), until(stopped.clone()))),
        tokio::spawn(sweeper::watch(server.clone(), until(stopped.clone()))),
        tokio::spawn(serve(management, management_router(app.clone()), until(stopped.clone()))),
    ];
    announce(settings, mode, &ports, first, demo_realm::is_there(&server).await?);
    let draining = app.clone();
    let ended = async move {
        shutdown.await;
        draining.drain();
    };
    serve(public, router(app), ended).await;
    // The receivers are gone if the tasks are: then there is nobody left to stop.
    let _ = stop.send(true);
    for task in beside {
        task.await.context("a task beside the requests panicked")?;
    }
    server.store.close().await;
    Ok(())
}

/// Brings the database to the present schema.
pub async fn migrate(settings: &Settings) -> anyhow::Result<()> {
    // A migration seals nothing and opens nothing: a key that is thrown away does.
    let store = store(settings, Sealer::from_keys(&Zeroizing::new(Sealer::generate_key_line(&Entropy::Os)))?)?;
    store.migrate().await.context("the database could not be migrated")?;
    store.close().await;
    output::line("The database is up to date");
    Ok(())
}

/// One pass of the sweeper, or a count of what it would remove.
pub async fn sweep_once(settings: &Settings, dry_run: bool) -> anyhow::Result<()> {
    let server = server(settings)?;
    let swept = sweep::run(&server, rules(settings, dry_run)).await?;
    let verb = if dry_run { "would remove" } else { "removed" };
    output::line(format!(
        "{verb} {} offline sessions, {} online sessions, {} parts of clients with shorter limits, {} codes, {} sign-ins, \
         {} revoked tokens, {} used assertions, {} links of letters, {} initial access tokens, {} events",
        swept.offline_sessions,
        swept.online_sessions,
        swept.offline_parts + swept.online_parts,
        swept.codes,
        swept.tabs,
        swept.revoked_tokens,
        swept.assertions,
        swept.action_tokens,
        swept.initial_access,
        swept.events,
    ));
    server.store.close().await;
    Ok(())
}

pub(super) fn server(settings: &Settings) -> anyhow::Result<Server> {
    let kek = settings.kek.as_ref().context("no key-encryption key is configured")?;
    Ok(Server {
        store: store(settings, Sealer::from_keys(kek.expose())?)?,
        clock: Clock::System,
        entropy: Entropy::Os,
        realms: Arc::new(Realms::default()),
        passwords: Arc::new(passwords(&settings.passwords)),
        outgoing: Outgoing::new(),
    })
}

fn passwords(settings: &PasswordSettings) -> Passwords {
    Passwords::new(settings.hash_concurrency, Cost::KEYCLOAK).with_lists(settings.lists.clone())
}

fn store(settings: &Settings, sealer: Sealer) -> anyhow::Result<Store> {
    let url = settings.database.url.as_ref().context("no database is configured")?;
    let options = Store::parse_address(url.expose())?;
    Ok(Store::open(options, settings.database.pool_max_size, Arc::new(sealer), Entropy::Os))
}

fn app(settings: &Settings, server: Server) -> anyhow::Result<App> {
    let (templates, assets) = match &settings.theme.dir {
        Some(dir) => (Templates::with_theme(dir)?, Assets::with_theme(dir)?),
        None => (Templates::embedded(), Assets::embedded()),
    };
    let urls = Urls {
        hostname: settings.hostname.hostname.clone(),
        relative_path: settings.http.relative_path.clone(),
        proxy_headers: settings.proxy.headers,
        trusted_proxies: settings.proxy.trusted.clone(),
    };
    let draining = AtomicBool::new(false);
    let started_at = server.clock.now();
    Ok(App::new(AppParts { server, templates, assets, urls, metrics: metrics::install(), started_at, draining }))
}

/// The realms that have to be there before the first request. Tells whether the administrator was made by this start.
async fn prepare(settings: &Settings, server: &Server, mode: Mode) -> anyhow::Result<Bootstrapped> {
    let admin = settings.bootstrap.admin.as_ref();
    let admin = admin.map(|a| FirstAdmin { username: a.username.clone(), password: a.password.clone() });
    let first = bootstrap::run(server, admin.as_ref()).await.context("the realm master could not be made")?;
    if first == Bootstrapped::Made && admin.is_none() {
        tracing::warn!(
            "the realm master has no administrator: set NIGHTLATCH_BOOTSTRAP_ADMIN_USERNAME and …_PASSWORD before the first start"
        );
    }
    for path in &settings.bootstrap.import_realms {
        let text = tokio::fs::read(path).await.with_context(|| format!("{} cannot be read", path.display()))?;
        import(server, &text).await.with_context(|| format!("{} cannot be imported", path.display()))?;
    }
    if mode == Mode::Development {
        import(server, demo_realm::FILE.as_bytes()).await.context("the demo realm cannot be imported")?;
    }
    Ok(first)
}

/// Imports a realm that is not there yet; one that is there is left as it is.
async fn import(server: &Server, text: &[u8]) -> anyhow::Result<()> {
    let import = read_realm_file(text, server).map_err(anyhow::Error::msg)?;
    let name = import.name.clone();
    match import_realm::run(server, import, None).await {
        Ok(_) => tracing::info!(realm = name, "imported"),
        Err(ImportError::Exists(_) | ImportError::SameId) => tracing::info!(realm = name, "is there already; not imported"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn listen(host: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((host, port)).await.with_context(|| format!("{host}:{port} cannot be listened on"))
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn rules(settings: &Settings, dry_run: bool) -> SweepRules {
    SweepRules { batch: settings.sweeper.batch, margin: settings.sweeper.margin, dry_run }
}

/// What the listeners got, which is not what was configured where that was 0.
struct Ports {
    public: u16,
    management: u16,
}

fn announce(settings: &Settings, mode: Mode, ports: &Ports, first: Bootstrapped, demo: bool) {
    if mode == Mode::Production {
        tracing::info!(port = ports.public, management_port = ports.management, "listening");
        return;
    }
    let base_url = format!("http://localhost:{}{}", ports.public, settings.http.relative_path);
    let management_url = format!("http://localhost:{}", ports.management);
    let database = settings.database.url.as_ref().map(ToString::to_string).unwrap_or_default();
    output::line(banner::text(&Facts {
        base_url: &base_url,
        management_url: &management_url,
        database: &database,
        admin: settings.bootstrap.admin.as_ref().filter(|_| first == Bootstrapped::Made),
        demo: demo.then_some(demo_realm::FACTS),
    }));
}
