//! The server's side: starts the guard, waits for its word, and lets it go.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::EmbeddedError;
use super::guard::READY;
use super::plan::{self, GuardArgs};
use crate::config::{DatabaseUrl, EmbeddedSettings};

/// A running embedded Postgres. Dropping it stops Postgres and waits for that.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    url: DatabaseUrl,
    major: u32,
    guard: Child,
    /// The pipe whose end the guard waits for.
    lifeline: Option<ChildStdin>,
    stopping: Arc<AtomicBool>,
}

/// Starts Postgres on the data folder, which is made if it is not there. Returns when connections are accepted.
pub async fn start(settings: &EmbeddedSettings) -> Result<EmbeddedPostgres, EmbeddedError> {
    let settings = settings.clone();
    let started = tokio::task::spawn_blocking(move || start_blocking(&settings)).await;
    started.unwrap_or_else(|error| Err(EmbeddedError::Guard(format!("starting Postgres was broken off: {error}"))))
}

fn start_blocking(settings: &EmbeddedSettings) -> Result<EmbeddedPostgres, EmbeddedError> {
    super::prepare_data_dir(settings)?;
    let plan = plan::make(settings)?;
    let mut guard = spawn(&plan.args)?;
    let (lifeline, words) = (guard.stdin.take(), guard.stdout.take());
    let stopping = Arc::new(AtomicBool::new(false));
    // From here on the guard is owned: an early return below drops it, which waits for its end.
    let postgres = EmbeddedPostgres { url: plan.url, major: plan.major, guard, lifeline, stopping: Arc::clone(&stopping) };
    let mut words = BufReader::new(words.ok_or_else(|| EmbeddedError::Guard("the guard has no output".to_owned()))?);
    let mut first = String::new();
    words.read_line(&mut first).map_err(EmbeddedError::io("cannot hear the guard of", &settings.data_dir))?;
    if first.trim_end() != READY {
        // An error that cuts the text short leaves the part that there is.
        let _ = words.read_to_string(&mut first);
        let said = first.trim_end();
        return Err(EmbeddedError::Guard(if said.is_empty() { "the guard ended without a word".into() } else { said.into() }));
    }
    std::thread::spawn(move || pass_on(words, &stopping));
    Ok(postgres)
}

fn spawn(args: &GuardArgs) -> Result<Child, EmbeddedError> {
    let program = std::env::current_exe().map_err(EmbeddedError::io("cannot find this program below", &args.data_dir))?;
    let mut command = Command::new(&program);
    // A group of its own: Ctrl-C in a terminal goes to the whole group of the server.
    command.args(args.to_arguments()).env_clear().process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().map_err(EmbeddedError::io("cannot run", &program))
}

/// Passes on what the guard notices, until it ends.
fn pass_on(words: BufReader<ChildStdout>, stopping: &AtomicBool) {
    for line in words.lines().map_while(Result::ok) {
        tracing::warn!("embedded database: {line}");
    }
    if !stopping.load(Ordering::SeqCst) {
        tracing::error!("the guard of the embedded database ended; restart the server to get the database back");
    }
}

impl EmbeddedPostgres {
    /// How to reach it, over its socket.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub fn major_version(&self) -> u32 {
        self.major
    }

    /// Stops Postgres and waits until it has stopped.
    pub async fn stop(self) {
        // The drop waits, and must not hold up the runtime's threads.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        drop(self.lifeline.take());
        // The guard ends by itself within its own time limits; if it was killed, there is nothing to wait for.
        let _ = self.guard.wait();
    }
}
