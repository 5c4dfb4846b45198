//! What an earlier run may have left: Postgres processes whose guard was killed too, and a stale `postmaster.pid`.
//!
//! Postgres refuses to start while its pid file names a process that lives, be it a stranger that got the number or a
//! zombie. We hold the folder's lock, so no server of ours uses the data; whatever still works in it is an orphan.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::EmbeddedError;
use super::process::{self, Signal};

const PAUSE: Duration = Duration::from_millis(20);
/// When which signal is sent to processes that do not end.
const STEPS: [(Duration, Signal); 3] =
    [(Duration::ZERO, Signal::Interrupt), (Duration::from_secs(20), Signal::Quit), (Duration::from_secs(25), Signal::Kill)];

/// Ends orphans and removes the pid file. Says in a line what it found.
pub(super) async fn clear(pgdata: &Path) -> Result<Option<String>, EmbeddedError> {
    let orphans = process::of_cluster(pgdata);
    let postmaster = recorded_pid(pgdata);
    let (mut waited, mut steps) = (Duration::ZERO, STEPS.iter().peekable());
    loop {
        let left = process::of_cluster(pgdata);
        if left.is_empty() {
            break;
        }
        if let Some((_, signal)) = steps.next_if(|(after, _)| waited >= *after) {
            // The postmaster ends its children; those of a dead one notice by themselves, and are told only if they do not.
            let whom = left.iter().filter(|pid| Some(**pid) == postmaster || !matches!(signal, Signal::Interrupt));
            for pid in whom {
                process::send(*signal, *pid).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
        waited += PAUSE;
    }
    let removed = remove_pid_file(pgdata)?;
    Ok(match (orphans.is_empty(), removed) {
        (false, _) => Some(format!("ended {} Postgres processes that an earlier run had left behind", orphans.len())),
        (true, true) => Some("removed the pid file of a Postgres that did not stop cleanly; it recovers now".to_owned()),
        (true, false) => None,
    })
}

fn recorded_pid(pgdata: &Path) -> Option<u32> {
    fs::read_to_string(pgdata.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Only where processes can be looked at: elsewhere the file is Postgres' own protection, and stays.
fn remove_pid_file(pgdata: &Path) -> Result<bool, EmbeddedError> {
    if !Path::new("/proc/self").exists() {
        return Ok(false);
    }
    let path = pgdata.join("postmaster.pid");
    match fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(EmbeddedError::io("cannot remove", &path)(error)),
    }
}
