//! One server per data folder.
//!
//! The lock is the kernel's, on an open file: it goes with the process that holds it, whatever ends that. The guard holds it,
//! not the server, so that it is free only when Postgres has stopped. The file's text says which server it was for.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use super::error::EmbeddedError;
use super::process;

/// Held as long as this value lives.
#[derive(Debug)]
pub(super) struct DataDirLock {
    _file: File,
}

/// How long a guard may take to put away the database of a server that is gone.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Takes the lock. Waits while it is held for a server that has ended; fails at once if that server runs.
pub(super) async fn take(data_dir: &Path, server_pid: u32) -> Result<DataDirLock, EmbeddedError> {
    let path = data_dir.join("nightlatch.lock");
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.map_err(EmbeddedError::io("cannot open", &path))?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(EmbeddedError::io("cannot lock", &path)(error)),
            Err(TryLockError::WouldBlock) => {
                let holder = read(&mut file);
                // An empty file: the holder has the lock and is about to write.
                let ended = holder.parse().is_ok_and(|pid| !process::is_alive(pid));
                if (!ended && !holder.is_empty()) || waited >= PATIENCE {
                    return Err(EmbeddedError::InUse { path: data_dir.to_owned(), pid: holder });
                }
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
        }
    }
    write(&mut file, server_pid).map_err(EmbeddedError::io("cannot write", &path))?;
    Ok(DataDirLock { _file: file })
}

fn read(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.map(|_| text.trim().to_owned()).unwrap_or_default()
}

fn write(file: &mut File, server_pid: u32) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{server_pid}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let path = std::env::temp_dir().join(format!("nightlatch-lock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    #[tokio::test]
    async fn a_running_servers_folder_is_refused_with_its_process_id() {
        let (folder, own) = (folder("held"), std::process::id());
        let held = take(&folder, own).await.unwrap();
        let error = take(&folder, 1).await.unwrap_err().to_string();
        assert!(error.contains(&format!("process id {own}")) && error.contains("--data-dir"), "{error}");
        drop(held);
        take(&folder, own).await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn the_folder_of_a_server_that_ended_is_waited_for() {
        // No process has this id: the kernel's largest is 2^22.
        let (folder, ended) = (folder("ended"), 99_999_999);
        let held = take(&folder, ended).await.unwrap();
        // The first look finds it held; it is let go before the second.
        let (next, ()) = tokio::join!(take(&folder, 1), async { drop(held) });
        next.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }
}
