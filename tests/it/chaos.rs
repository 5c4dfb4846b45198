//! Lost answers, crashes, races between nodes: no session is lost, and no token gets two successors.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use nightlatch::base::Entropy;
use nightlatch::oidc::token_id::generation_of;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::embedded::{Folder, Server, signal, start_dev};
use crate::rotation::futures;
use crate::support::{TestServer, claims, database_address, measured, rounds};

/// What a client with a secret does with its token: it asks until it is answered.
struct Holder {
    token: String,
    /// How often it was answered: as often its chain has moved.
    answered: i64,
}

/// What an attempt came to.
enum Attempt {
    Answered,
    /// Nobody answered, or the server asked to come back: the token is asked for again.
    Unanswered,
}

impl Holder {
    async fn new(http: &reqwest::Client, base: &str) -> Self {
        let form = [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];
        let answer = post(http, base, &form).await.unwrap();
        let body: Value = answer.json().await.unwrap();
        Self { token: body["refresh_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned(), answered: 0 }
    }

    /// Panics if the server says that the token is no good: then the session is lost.
    async fn refresh(&mut self, http: &reqwest::Client, base: &str) -> Attempt {
        let form = [("grant_type", "refresh_token"), ("refresh_token", self.token.as_str())];
        let Ok(answer) = post(http, base, &form).await else { return Attempt::Unanswered };
        let status = answer.status().as_u16();
        let Ok(body) = answer.json::<Value>().await else { return Attempt::Unanswered };
        match status {
            200 => {
                self.token = body["refresh_token"].as_str().unwrap().to_owned();
                self.answered += 1;
                Attempt::Answered
            }
            500.. => Attempt::Unanswered,
            _ => panic!("a session is lost after {} refreshes: {status} {body}", self.answered),
        }
    }

    /// Its chain has moved once for each answer, and for nothing else.
    fn check(&self) {
        let generation = generation_of(claims(&json!(self.token))["jti"].as_str().unwrap());
        assert_eq!(generation, self.answered, "a fork, or a step that nobody was told of");
    }
}

async fn post(http: &reqwest::Client, base: &str, form: &[(&str, &str)]) -> reqwest::Result<reqwest::Response> {
    let address = format!("{base}/realms/demo/protocol/openid-connect/token");
    http.post(address).basic_auth("demo-backup", Some("demo-backup-secret")).form(form).send().await
}

/// A way to a server on which some answers get lost: the request has come in, the connection is cut.
async fn lossy(target: std::net::SocketAddr, percent: u8) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let entropy = Entropy::seeded(5);
    tokio::spawn(async move {
        while let Ok((mut inner, _)) = listener.accept().await {
            let loses = entropy.bytes::<1>()[0] % 100 < percent;
            tokio::spawn(async move {
                let mut outer = TcpStream::connect(target).await.unwrap();
                let mut request = vec![0; 16_384];
                let length = inner.read(&mut request).await.unwrap_or(0);
                if outer.write_all(&request[..length]).await.is_err() {
                    return;
                }
                let mut answer = vec![0; 65_536];
                let mut read = 0;
                while let Ok(more @ 1..) = outer.read(&mut answer[read..]).await {
                    read += more;
                    if loses {
                        // The server has answered; nobody hears of it.
                        return;
                    }
                    if inner.write_all(&answer[read - more..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    base
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r3_of_answers_that_get_lost_no_session_is() {
    let server = TestServer::start().await;
    server
        .admin()
        .await
        .set(json!({"revokeRefreshToken": true, "attributes": {"nightlatch.refresh.token.rotation": "graceful"}}))
        .await;
    let base = lossy(server.base.strip_prefix("http://").unwrap().parse().unwrap(), 5).await;
    // The issuer is the address that is asked: all go the same way.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    let (workers, each) = (8, rounds(250, 2_500));
    let lost = AtomicUsize::new(0);
    let work = (0..workers).map(|_| async {
        let mut holder = loop {
            let form =
                [("grant_type", "password"), ("username", "alice"), ("password", "alice"), ("scope", "openid offline_access")];
            if let Ok(answer) = post(&http, &base, &form).await
                && let Ok(body) = answer.json::<Value>().await
            {
                break Holder { token: body["refresh_token"].as_str().unwrap().to_owned(), answered: 0 };
            }
        };
        let mut left = each;
        while left > 0 {
            match holder.refresh(&http, &base).await {
                Attempt::Answered => left -= 1,
                Attempt::Unanswered => _ = lost.fetch_add(1, Ordering::Relaxed),
            }
            // So that retries come within the grace and behind it.
            if left % 50 == 0 {
                server.advance(Duration::from_secs(31));
            }
        }
        holder.check();
    });
    futures(work).await;
    let lost = lost.into_inner();
    measured(format_args!("{} refreshes, {lost} answers lost, 0 sessions", workers * each));
    assert!(lost > workers * each / 40, "the way was not lossy: {lost}");
    server.finish().await;
}

/// The program, on a database that others use too. They call themselves by one name.
struct Node {
    process: Child,
    base: String,
    _output: std::thread::JoinHandle<()>,
}

impl Node {
    fn start(database: &str, folder: &Folder) -> Self {
        std::fs::create_dir_all(&folder.0).unwrap();
        let kek = folder.0.join("kek.txt");
        std::fs::write(&kek, "11".repeat(32)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_nightlatch"));
        command.args(["start-dev", "--http-port", "0", "--http-management-port", "0", "--log-level", "warn", "--hostname"]);
        command.arg("http://id.test").arg("--db-url").arg(database_address(database)).arg("--kek-file").arg(kek);
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let public = lines.find(|line| line.trim_start().starts_with("Server ")).expect("the node ended before it listened");
        let base = format!("http://127.0.0.1:{}", public.rsplit_once(':').unwrap().1.trim());
        Self { process, base, _output: std::thread::spawn(move || lines.for_each(drop)) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_sixty_four_identical_refreshes_at_two_nodes_are_one_rotation_and_63_repetitions() {
    let server = TestServer::start().await;
    server
        .admin()
        .await
        .set(json!({"revokeRefreshToken": true, "attributes": {"nightlatch.refresh.token.rotation": "graceful"}}))
        .await;
    let folder = Folder::new("nodes");
    let nodes = [Node::start(&server.database, &folder), Node::start(&server.database, &folder)];
    let http = reqwest::Client::new();
    let mut holder = Holder::new(&http, &nodes[0].base).await;
    let rounds = rounds(40, 1_000);
    for round in 0..rounds {
        let form = [("grant_type", "refresh_token"), ("refresh_token", holder.token.as_str())];
        let at_once = (0..64).map(|at| post(&http, &nodes[at % 2].base, &form));
        let mut successors = Vec::new();
        for answer in futures(at_once).await {
            let answer = answer.unwrap();
            assert_eq!(answer.status().as_u16(), 200, "round {round}: {:?}", answer.text().await);
            let body: Value = answer.json().await.unwrap();
            successors.push(body["refresh_token"].as_str().unwrap().to_owned());
        }
        successors.dedup();
        assert_eq!(successors.len(), 1, "round {round}: one successor, the same to the byte");
        holder.token = successors.remove(0);
        holder.answered += 1;
        holder.check();
    }
    measured(format_args!("{rounds} rounds of 64 at two nodes: {rounds} rotations, {} repetitions", rounds * 63));
    drop(nodes);
    server.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_r3_r4_crashes_of_server_and_database_lose_no_session_and_fork_none() {
    let folder = Folder::new("crashes");
    let named = || {
        let mut command = start_dev(&folder.0);
        command.args(["--hostname", "http://id.test"]);
        command
    };
    let mut server = Server::run(&mut named());
    let base = Arc::new(RwLock::new(format!("http://127.0.0.1:{}", server.port)));
    let at = |base: &RwLock<String>| base.read().unwrap().clone();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let mut holders = Vec::new();
    for _ in 0..16 {
        holders.push(Holder::new(&http, &at(&base)).await);
    }
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut work = tokio::task::JoinSet::new();
    for mut holder in holders {
        let (http, base, stop, answers) = (http.clone(), Arc::clone(&base), Arc::clone(&stop), Arc::clone(&answers));
        work.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let now = at(&base);
                match holder.refresh(&http, &now).await {
                    Attempt::Answered => _ = answers.fetch_add(1, Ordering::Relaxed),
                    // While the server is away a client waits a little.
                    Attempt::Unanswered => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
            holder
        });
    }
    let crashes = rounds(5, 200);
    for crash in 0..crashes {
        let enough = answers.load(Ordering::Relaxed) + 100;
        let begun = Instant::now();
        while answers.load(Ordering::Relaxed) < enough {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing is answered after crash {crash}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if crash % 2 == 0 {
            // As `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start.
            signal("QUIT", folder.postmaster());
        }
        server.kill();
        server = Server::run(&mut named());
        *base.write().unwrap() = format!("http://127.0.0.1:{}", server.port);
    }
    stop.store(true, Ordering::Relaxed);
    let http = reqwest::Client::new();
    for mut holder in work.join_all().await {
        // A last answer, in case the one before got lost.
        assert!(matches!(holder.refresh(&http, &at(&base)).await, Attempt::Answered));
        holder.check();
    }
    measured(format_args!(
        "{crashes} crashes under 16 clients, {} refreshes: 0 sessions lost, 0 forks",
        answers.load(Ordering::Relaxed)
    ));
    let chains = server.sql("select count(*), sum(generation) from chain where kind = 'offline'");
    assert!(chains.starts_with("16|"), "{chains}");
}
