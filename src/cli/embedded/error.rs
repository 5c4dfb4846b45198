//! Why the embedded Postgres does not run, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// The schema says `unique nulls not distinct`.
pub(super) const OLDEST: u32 = 15;

#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    #[error("{doing} {path}: {source}", path = path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    /// Another server holds the folder.
    #[error(
        "the data folder {path} is in use by the server with process id {pid}: stop that one, or give this one a folder of its \
         own with --data-dir (and ports with --http-port and --http-management-port)",
        path = path.display()
    )]
    InUse { path: PathBuf, pid: String },
    #[error("{0}")]
    NotInstalled(String),
    #[error(
        "the data in {path} was written by Postgres {data}, and this machine has {installed}: install Postgres {data} beside it, \
         or move the folder away to begin anew. To carry the data over, start with Postgres {data} once and use its pg_dump",
        path = path.display()
    )]
    OtherVersion { path: PathBuf, data: u32, installed: String },
    #[error(
        "the data in {path} was written by Postgres {data}, and {OLDEST} or newer is needed: move the folder away to begin anew",
        path = path.display()
    )]
    TooOld { path: PathBuf, data: u32 },
    #[error(
        "Postgres does not run as root, and its user {user} may not enter {closed}: choose a folder elsewhere with --data-dir, \
         or do not run this server as root",
        closed = closed.display()
    )]
    Closed { closed: PathBuf, user: u32 },
    #[error("Postgres does not run as root, and there is no user postgres or nobody: make one, or do not run as root")]
    NoUser,
    #[error(
        "the socket folder {path} belongs to somebody else or is no folder: remove it, or set XDG_RUNTIME_DIR to a folder that \
         only you may write to",
        path = path.display()
    )]
    ForeignSocketDir { path: PathBuf },
    #[error("{program} failed: {output}")]
    Program { program: &'static str, output: String },
    /// What the guard said before it ended.
    #[error("{0}")]
    Guard(String),
}

impl EmbeddedError {
    /// For `map_err`: what was being done to which path.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
