//! What the guard is to do, worked out by the server and handed over as arguments.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::binaries::{self, Binaries};
use super::error::EmbeddedError;
use super::{data_dir, os_user};
use crate::base::sha256;
use crate::config::{DatabaseUrl, EmbeddedSettings};

pub(super) const SUPERUSER: &str = "nightlatch";
pub(super) const DATABASE: &str = "nightlatch";

/// What `sun_path` holds, less its closing zero.
const LONGEST_SOCKET: usize = 107;
const SOCKET_NAME: &str = ".s.PGSQL.5432";

/// The arguments of the hidden verb.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(in crate::cli) struct GuardArgs {
    #[arg(long)]
    pub(super) data_dir: PathBuf,
    #[arg(long)]
    pub(super) pg_bin: PathBuf,
    #[arg(long)]
    pub(super) socket_dir: PathBuf,
    /// The server that the database is for.
    #[arg(long)]
    pub(super) server_pid: u32,
    /// Whom Postgres runs as, if not as the guard.
    #[arg(long, requires = "gid")]
    pub(super) uid: Option<u32>,
    #[arg(long, requires = "uid")]
    pub(super) gid: Option<u32>,
}

impl GuardArgs {
    pub(super) fn to_arguments(&self) -> Vec<std::ffi::OsString> {
        let mut arguments: Vec<std::ffi::OsString> = vec!["embedded-guard".into()];
        for (name, path) in [("--data-dir", &self.data_dir), ("--pg-bin", &self.pg_bin), ("--socket-dir", &self.socket_dir)] {
            arguments.extend([name.into(), path.into()]);
        }
        let numbers = [("--server-pid", Some(self.server_pid)), ("--uid", self.uid), ("--gid", self.gid)];
        for (name, number) in numbers {
            arguments.extend(number.into_iter().flat_map(|number| [name.into(), number.to_string().into()]));
        }
        arguments
    }

    pub(super) fn user(&self) -> Option<os_user::OsUser> {
        Some(os_user::OsUser { uid: self.uid?, gid: self.gid? })
    }
}

pub(super) struct Plan {
    pub(super) args: GuardArgs,
    pub(super) url: DatabaseUrl,
    pub(super) major: u32,
}

/// Works out the plan. The data folder must be there.
pub(super) fn make(settings: &EmbeddedSettings) -> Result<Plan, EmbeddedError> {
    let data_dir = &settings.data_dir;
    let data_dir = data_dir.canonicalize().map_err(EmbeddedError::io("cannot find", data_dir))?;
    let Binaries { folder: pg_bin, major } = binaries::find(settings)?;
    let pgdata = data_dir::pgdata(&data_dir);
    let user = os_user::for_postgres(settings.root, &pgdata)?;
    if let Some(user) = user {
        os_user::check_way_to(&pgdata, user)?;
    }
    let socket_dir = socket_dir(&settings.runtime_dir, &data_dir);
    let shown = socket_dir.to_string_lossy();
    let url = DatabaseUrl::on_socket(&shown, SUPERUSER, DATABASE).map_err(EmbeddedError::Guard)?;
    let (uid, gid) = (user.map(|user| user.uid), user.map(|user| user.gid));
    let args = GuardArgs { data_dir, pg_bin, socket_dir, server_pid: std::process::id(), uid, gid };
    Ok(Plan { args, url, major })
}

/// A short name made from the data folder's, since the path of a socket may not be long.
fn socket_dir(runtime_dir: &Path, data_dir: &Path) -> PathBuf {
    let hash = sha256(data_dir.as_os_str().as_bytes());
    let name = hash[..6].iter().fold("nightlatch-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
    let preferred = runtime_dir.join(&name);
    let fits = preferred.join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET && preferred.to_str().is_some();
    if fits { preferred } else { Path::new("/tmp").join(name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn the_socket_path_is_short_and_of_its_own_for_every_folder() {
        let of = |runtime: &str, data: &str| socket_dir(Path::new(runtime), Path::new(data));
        assert_ne!(of("/run", "/data/a"), of("/run", "/data/b"));
        assert_eq!(of("/run", "/data/a"), of("/run", "/data/a"));
        let long = format!("/{}", "x".repeat(100));
        assert!(of(&long, "/data/a").starts_with("/tmp"));
        assert!(of("/run", &long).join(SOCKET_NAME).as_os_str().len() <= LONGEST_SOCKET);
    }

    #[test]
    fn the_guard_reads_what_the_server_wrote() {
        #[derive(Parser)]
        struct Line {
            #[command(flatten)]
            args: GuardArgs,
        }
        for user in [None, Some(7)] {
            let path = PathBuf::from("/a b");
            let (data_dir, pg_bin, socket_dir) = (path.clone(), path.clone(), path);
            let args = GuardArgs { data_dir, pg_bin, socket_dir, server_pid: 5, uid: user, gid: user };
            // The verb stands where a program's name would.
            assert_eq!(Line::try_parse_from(args.to_arguments()).ok().unwrap().args, args);
        }
    }
}
