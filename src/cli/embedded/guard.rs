//! The guard: starts Postgres, watches over it, and stops it when the server is gone.
//!
//! It says `ready` on its standard output, or what is wrong, and later what it noticed, a line each. Its standard input is a
//! pipe that nobody writes to: its end is the end of the server.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::Instant;

use super::error::EmbeddedError;
use super::plan::GuardArgs;
use super::process::{self, Signal};
use super::{cluster, data_dir, leftovers, lock};

pub(super) const READY: &str = "ready";

/// How long a fast shutdown may take; then Postgres is stopped without one, and recovers at the next start.
const FAST: Duration = Duration::from_secs(20);
const QUICK: Duration = Duration::from_secs(5);
/// A Postgres that ends sooner than this after its start is not simply started again.
const STEADY: Duration = Duration::from_secs(10);

/// The body of the hidden verb.
pub(in crate::cli) fn run(args: &GuardArgs) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("the guard cannot start: {error}")),
    };
    match runtime.block_on(watch_over(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error.to_string()),
    }
}

fn refuse(problem: &str) -> ExitCode {
    say(problem);
    ExitCode::FAILURE
}

/// The server may be gone and nobody listening.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn watch_over(args: &GuardArgs) -> Result<(), EmbeddedError> {
    let mut ending = ending().map_err(EmbeddedError::io("cannot watch signals for", &args.data_dir))?;
    let _lock = lock::take(&args.data_dir, args.server_pid).await?;
    cluster::make(args).await?;
    let mut greeted = false;
    while !*ending.borrow() {
        let found = leftovers::clear(&data_dir::pgdata(&args.data_dir)).await?;
        let started = Instant::now();
        let mut postgres = cluster::start(args).await?;
        say(if greeted { "Postgres runs again" } else { READY });
        greeted = true;
        found.iter().for_each(|found| say(found));
        let ended_by_itself = tokio::select! {
            () = end(&mut ending) => None,
            status = postgres.wait() => Some(status),
        };
        let Some(status) = ended_by_itself else {
            stop(&mut postgres).await;
            break;
        };
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        say(&format!("Postgres ended by itself ({status}), see {}", data_dir::log(&args.data_dir).display()));
        if started.elapsed() < STEADY {
            // Long enough not to spin, short enough for whoever waits; the server's end cuts it short.
            let _ = tokio::time::timeout(Duration::from_secs(1), end(&mut ending)).await;
        }
    }
    cluster::remove_dir(&args.socket_dir)
}

/// Waits for the server's end.
async fn end(ending: &mut watch::Receiver<bool>) {
    // An error means that both senders are gone; then nobody could tell any more.
    let _ = ending.wait_for(|ending| *ending).await;
}

async fn stop(postgres: &mut Child) {
    for (signal, patience) in [(Signal::Interrupt, FAST), (Signal::Quit, QUICK), (Signal::Kill, QUICK)] {
        if let Some(pid) = postgres.id() {
            process::send(signal, pid).await;
        }
        if tokio::time::timeout(patience, postgres.wait()).await.is_ok() {
            return;
        }
    }
}

/// Becomes true when standard input ends or SIGTERM comes. SIGINT and SIGHUP are meant for the server, which decides.
fn ending() -> std::io::Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let [mut terminate, mut interrupt, mut hangup] =
        [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?];
    let at_signal = sender.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => drop(at_signal.send(true)),
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        }
    });
    // A thread of its own, since a read that never returns would keep the runtime from ending.
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock().by_ref(), &mut std::io::sink());
        let _ = sender.send(true);
    });
    Ok(receiver)
}
