//! Making a database cluster and starting its server. Runs in the guard, which holds the folder's lock.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::data_dir;
use super::error::EmbeddedError;
use super::plan::{DATABASE, GuardArgs, SUPERUSER};

/// The log is begun anew above this size, at a start.
const LONGEST_LOG: u64 = 4 * 1024 * 1024;
const LAST_LINES: usize = 8;

/// Settings of the running server. Durable as in production; small as befits a guest on a developer's machine.
const SETTINGS: [&str; 9] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    // Containers often have a tiny /dev/shm.
    "dynamic_shared_memory_type=mmap",
    "max_parallel_workers_per_gather=0",
    "shared_buffers=64MB",
    "max_connections=100",
    "max_wal_size=256MB",
    "jit=off",
    "logging_collector=off",
];

/// Makes the cluster if there is none. What was begun and not finished is thrown away.
pub(super) async fn make(args: &GuardArgs) -> Result<bool, EmbeddedError> {
    let (pgdata, unfinished) = (data_dir::pgdata(&args.data_dir), data_dir::unfinished(&args.data_dir));
    if pgdata.join("PG_VERSION").is_file() {
        return Ok(false);
    }
    remove_dir(&unfinished)?;
    make_private(&unfinished, args)?;
    let mut initdb = program(args, "initdb");
    initdb.arg("-D").arg(&unfinished).args(["-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C"]);
    output("initdb", initdb, "").await?;
    // Single-user mode needs no socket and no client.
    let mut single = program(args, "postgres");
    single.arg("--single").arg("-D").arg(&unfinished).arg("postgres");
    output("postgres --single", single, &format!("CREATE DATABASE {DATABASE};\n")).await?;
    // An empty folder may stand there; anything else would make this fail rather than be lost.
    fs::rename(&unfinished, &pgdata).map_err(EmbeddedError::io("cannot put the new database in place as", &pgdata))?;
    Ok(true)
}

/// Starts the server and waits until it accepts connections, which after a crash takes as long as the recovery.
pub(super) async fn start(args: &GuardArgs) -> Result<Child, EmbeddedError> {
    prepare_socket_dir(args)?;
    let log_path = data_dir::log(&args.data_dir);
    let too_long = log_path.metadata().is_ok_and(|log| log.len() > LONGEST_LOG);
    let log = OpenOptions::new().create(true).append(!too_long).write(true).truncate(too_long).open(&log_path);
    let log = log.map_err(EmbeddedError::io("cannot write", &log_path))?;
    let errors = log.try_clone().map_err(EmbeddedError::io("cannot write", &log_path))?;
    let pgdata = data_dir::pgdata(&args.data_dir);
    let mut postgres = program(args, "postgres");
    postgres.arg("-D").arg(&pgdata).arg("-k").arg(&args.socket_dir).args(SETTINGS.iter().flat_map(|setting| ["-c", setting]));
    postgres.stdin(Stdio::null()).stdout(log).stderr(errors);
    let mut child = postgres.spawn().map_err(EmbeddedError::io("cannot run", &args.pg_bin.join("postgres")))?;
    while !is_ready(&pgdata, child.id()) {
        let pause = tokio::time::timeout(Duration::from_millis(10), child.wait());
        if pause.await.is_ok() {
            return Err(EmbeddedError::Program { program: "postgres", output: last_lines_of(&log_path) });
        }
    }
    Ok(child)
}

/// Postgres writes its state into the eighth line of its pid file.
fn is_ready(pgdata: &Path, pid: Option<u32>) -> bool {
    let text = fs::read_to_string(pgdata.join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines();
    let own = lines.next().and_then(|line| line.parse().ok()) == pid;
    own && lines.nth(6).is_some_and(|state| state.trim() == "ready")
}

/// A program of Postgres, as the user it may run as, with none of our environment: `PG…` variables would change what it
/// does, and secrets are none of its business.
fn program(args: &GuardArgs, name: &str) -> Command {
    let mut command = Command::new(args.pg_bin.join(name));
    command.current_dir(&args.data_dir).env_clear().env("LC_ALL", "C").env("PATH", &args.pg_bin);
    if let Some(user) = args.user() {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

async fn output(name: &'static str, mut command: Command, input: &str) -> Result<(), EmbeddedError> {
    let failed = |error: io::Error| EmbeddedError::Program { program: name, output: error.to_string() };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).await.map_err(failed)?;
    }
    let said = child.wait_with_output().await.map_err(failed)?;
    if said.status.success() {
        return Ok(());
    }
    let text = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    Err(EmbeddedError::Program { program: name, output: explained(last_lines(&text)) })
}

/// Adds the remedy where Postgres' own words do not help.
fn explained(output: String) -> String {
    if output.contains("could not look up effective user ID") {
        return format!("{output} (this user has no line in /etc/passwd: add one, or name another database with --db-url)");
    }
    output
}

fn last_lines_of(path: &Path) -> String {
    format!("{} (more in {})", last_lines(&fs::read_to_string(path).unwrap_or_default()), path.display())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n  ")
}

/// The folder for the socket, empty. One that somebody else made in a shared folder is not used.
fn prepare_socket_dir(args: &GuardArgs) -> Result<(), EmbeddedError> {
    let path = &args.socket_dir;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(EmbeddedError::io("cannot look at", path)(error)),
        Ok(facts) => {
            let own = fs::metadata(&args.data_dir).map_err(EmbeddedError::io("cannot look at", &args.data_dir))?.uid();
            if !facts.is_dir() || (facts.uid() != own && Some(facts.uid()) != args.uid) {
                return Err(EmbeddedError::ForeignSocketDir { path: path.clone() });
            }
            remove_dir(path)?;
        }
    }
    make_private(path, args)
}

fn make_private(path: &Path, args: &GuardArgs) -> Result<(), EmbeddedError> {
    DirBuilder::new().mode(0o700).create(path).map_err(EmbeddedError::io("cannot make the folder", path))?;
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(EmbeddedError::io("cannot set permissions of", path))?;
    let Some(user) = args.user() else { return Ok(()) };
    std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid)).map_err(EmbeddedError::io("cannot give away", path))
}

/// Removes a folder that may not be there.
pub(super) fn remove_dir(path: &Path) -> Result<(), EmbeddedError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EmbeddedError::io("cannot remove", path)(error)),
        _ => Ok(()),
    }
}
