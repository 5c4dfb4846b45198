//! The embedded Postgres of `start-dev`, with the real program, real signals and real crashes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_nightlatch");
/// For what takes milliseconds on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A data folder of its own, removed at the end. Not below the home folder: Postgres runs as another user than root.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nightlatch-it-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    /// The processes of Postgres that work in this folder.
    fn postgres(&self) -> Vec<u32> {
        pids().filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == self.0.join("postgres"))).collect()
    }

    fn guard(&self) -> Option<u32> {
        let folder = self.0.to_str().unwrap();
        pids().find(|pid| {
            let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let arguments: Vec<&str> = line.split('\0').collect();
            arguments.contains(&"embedded-guard") && arguments.contains(&folder)
        })
    }

    pub fn postmaster(&self) -> u32 {
        let text = fs::read_to_string(self.0.join("postgres/postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub fn signal(name: &str, pid: u32) {
    assert!(Command::new("sh").args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &pid.to_string()]).status().unwrap().success());
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn start_dev(data_dir: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["start-dev", "--http-port", "0", "--http-management-port", "0", "--log-console-output", "json", "--data-dir"]);
    command.arg(data_dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub struct Server {
    process: Child,
    socket_dir: String,
    /// Of the public listener.
    pub port: u16,
    /// Read on, so that the server never waits for a full pipe.
    _output: std::thread::JoinHandle<()>,
}

impl Server {
    /// Returns when the database runs.
    fn start(folder: &Folder) -> Self {
        Self::run(&mut start_dev(&folder.0))
    }

    pub fn run(command: &mut Command) -> Self {
        let mut process = command.stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("embedded Postgres")).expect("the server ended before its database ran");
        let line: serde_json::Value = serde_json::from_str(&line).unwrap();
        let shown = line["database"].as_str().unwrap();
        let socket_dir = shown.strip_prefix("postgres://").unwrap().strip_suffix("/nightlatch").unwrap().to_owned();
        // The banner comes when the server listens: its tables are there then.
        let public = lines.find(|line| line.trim_start().starts_with("Server ")).expect("the server ended before it listened");
        let port = public.rsplit_once(':').unwrap().1.trim().parse().unwrap();
        let banner = lines.find(|line| line.contains("Health, metrics")).expect("the server ended before it listened");
        assert!(
            banner.contains("/health") && !banner.contains(":0/"),
            "the port that was taken, not the one asked for: {banner}"
        );
        Self { process, socket_dir, port, _output: std::thread::spawn(move || lines.for_each(drop)) }
    }

    fn try_sql(&self, sql: &str) -> Output {
        let mut psql = Command::new("psql");
        psql.args(["-h", &self.socket_dir, "-U", "nightlatch", "-d", "nightlatch", "-XAtqc", sql]);
        psql.output().expect("psql comes with the package postgresql")
    }

    pub fn sql(&self, sql: &str) -> String {
        let output = self.try_sql(sql);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn stop(mut self) {
        signal("TERM", self.process.id());
        assert_eq!(self.process.wait().unwrap().code(), Some(0));
        assert!(!Path::new(&self.socket_dir).exists(), "the socket folder is put away");
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A test that fails leaves nothing running: the guard stops Postgres when the server is gone.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const MARK: &str = "create table public.mark as select 42 as answer";
const READ_MARK: &str = "select answer from public.mark";

#[test]
fn data_survives_a_restart_and_nothing_runs_in_between() {
    let folder = Folder::new("restart");
    let server = Server::start(&folder);
    server.sql(MARK);
    server.stop();
    assert!(folder.postgres().is_empty() && folder.guard().is_none());
    let server = Server::start(&folder);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[test]
fn a_folder_in_use_is_refused_with_the_other_servers_process_id() {
    let folder = Folder::new("in-use");
    let server = Server::start(&folder);
    let second = start_dev(&folder.0).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1));
    assert!(said.contains(&format!("process id {}", server.process.id())) && said.contains("--data-dir"), "{said}");
    assert_eq!(server.sql("select 1"), "1");
    server.stop();
}

#[test]
fn two_servers_with_two_folders_run_side_by_side() {
    let folders = [Folder::new("left"), Folder::new("right")];
    let [left, right] = [Server::start(&folders[0]), Server::start(&folders[1])];
    left.sql(MARK);
    assert_eq!(right.sql("select to_regclass('public.mark') is null"), "t");
    left.stop();
    assert_eq!(right.sql("select 1"), "1");
    right.stop();
}

#[tokio::test]
async fn nothing_stays_behind_when_the_server_is_killed() {
    let folder = Folder::new("killed");
    let mut server = Server::start(&folder);
    server.sql(MARK);
    server.kill();
    eventually("guard and Postgres end", || folder.postgres().is_empty() && folder.guard().is_none()).await;
    let server = Server::start(&folder);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[test]
fn the_next_start_need_not_wait_for_the_end_of_a_killed_one() {
    let folder = Folder::new("at-once");
    let mut server = Server::start(&folder);
    server.sql(MARK);
    server.kill();
    let server = Server::start(&folder);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[tokio::test]
async fn the_first_start_after_everything_was_killed_recovers() {
    let folder = Folder::new("everything");
    let mut server = Server::start(&folder);
    server.sql(MARK);
    signal("STOP", folder.guard().unwrap());
    server.kill();
    let (guard, postmaster) = (folder.guard().unwrap(), folder.postmaster());
    signal("KILL", postmaster);
    signal("KILL", guard);
    assert!(folder.0.join("postgres/postmaster.pid").exists(), "a killed Postgres leaves its pid file");
    let server = Server::start(&folder);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[tokio::test]
async fn an_orphaned_postgres_is_ended_by_the_next_start() {
    let folder = Folder::new("orphan");
    let mut server = Server::start(&folder);
    server.sql(MARK);
    let (guard, orphan) = (folder.guard().unwrap(), folder.postmaster());
    signal("STOP", guard);
    server.kill();
    signal("KILL", guard);
    assert!(folder.postgres().contains(&orphan));
    let server = Server::start(&folder);
    assert_ne!(folder.postmaster(), orphan);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
    assert!(folder.postgres().is_empty());
}

#[tokio::test]
async fn a_postgres_that_crashes_is_started_again() {
    let folder = Folder::new("crash");
    let server = Server::start(&folder);
    server.sql(MARK);
    signal("KILL", folder.postmaster());
    eventually("Postgres answers again", || server.try_sql(READ_MARK).status.success()).await;
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[test]
fn signals_of_the_terminal_do_not_reach_the_database_before_the_server() {
    let folder = Folder::new("terminal");
    let server = Server::start(&folder);
    let guard = folder.guard().unwrap();
    let group = |pid: u32| {
        fs::read_to_string(format!("/proc/{pid}/stat"))
            .unwrap()
            .rsplit_once(") ")
            .unwrap()
            .1
            .split(' ')
            .nth(2)
            .unwrap()
            .to_owned()
    };
    assert_ne!(group(server.process.id()), group(guard));
    for name in ["INT", "HUP"] {
        signal(name, guard);
    }
    assert_eq!(server.sql("select 1"), "1");
    server.stop();
}

#[test]
fn data_of_another_major_version_is_refused_and_left_alone() {
    let folder = Folder::new("version");
    let server = Server::start(&folder);
    server.sql(MARK);
    server.stop();
    let file = folder.0.join("postgres/PG_VERSION");
    let version = fs::read_to_string(&file).unwrap();
    for (other, remedy) in [("14", "15 or newer is needed"), ("99", "install Postgres 99")] {
        fs::write(&file, format!("{other}\n")).unwrap();
        let refused = start_dev(&folder.0).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1));
        assert!(said.contains(&format!("written by Postgres {other}")) && said.contains(remedy), "{said}");
    }
    fs::write(&file, version).unwrap();
    let server = Server::start(&folder);
    assert_eq!(server.sql(READ_MARK), "42");
    server.stop();
}

#[test]
fn the_database_can_be_reached_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new("private");
    let server = Server::start(&folder);
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&server.socket_dir)), 0o700);
    assert_eq!(mode(&folder.0.join("postgres")), 0o700);
    assert_eq!(mode(&folder.0.join("kek")), 0o600);
    assert_eq!(server.sql("show listen_addresses"), "");
    assert_eq!(
        server.sql("select pg_encoding_to_char(encoding), datcollate from pg_database where datname = 'nightlatch'"),
        "UTF8|C"
    );
    server.stop();
}

#[test]
fn variables_of_the_programs_of_postgres_do_not_lead_the_server_astray() {
    let folder = Folder::new("variables");
    let server = Server::run(start_dev(&folder.0).env("PGPORT", "1").env("PGSSLMODE", "require").env("PGHOST", "nowhere"));
    assert_eq!(server.sql("select 1"), "1");
    server.stop();
}
