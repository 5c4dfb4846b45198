//! Looking at other processes and sending them signals, without a call that the compiler cannot check.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    /// For Postgres: a fast shutdown.
    Interrupt,
    /// For Postgres: stop at once and recover at the next start.
    Quit,
    Kill,
}

/// Sends a signal. A process that is gone is no error: then there is nothing left to end.
pub(super) async fn send(signal: Signal, pid: u32) {
    let name = match signal {
        Signal::Interrupt => "INT",
        Signal::Quit => "QUIT",
        Signal::Kill => "KILL",
    };
    // The shell's own `kill`: the system call is not to be had in safe Rust, and every system has a shell.
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", r#"kill -s "$1" "$2""#, "sh", name, &pid.to_string()]);
    let _ = shell.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().await;
}

/// Whether a process runs. A zombie does not. Where processes cannot be looked at, the answer is yes.
pub(super) fn is_alive(pid: u32) -> bool {
    if !Path::new("/proc/self").exists() {
        return true;
    }
    // The state follows the name, which stands in parentheses and may hold some itself.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// All running processes of Postgres that work in the folder `pgdata`: every one of them changes into it.
pub(super) fn of_cluster(pgdata: &Path) -> Vec<u32> {
    let Ok(pgdata) = pgdata.canonicalize() else { return Vec::new() };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid: &u32| {
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == pgdata)
            && fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "postgres")
            && is_alive(*pid)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_are_alive_and_nobody_is_not() {
        assert!(is_alive(std::process::id()));
        assert!(!is_alive(99_999_999));
    }

    #[tokio::test]
    async fn a_child_that_was_killed_and_not_waited_for_is_not_alive() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id().unwrap();
        assert!(is_alive(pid));
        send(Signal::Kill, pid).await;
        while is_alive(pid) {
            tokio::task::yield_now().await;
        }
        child.wait().await.unwrap();
    }
}
