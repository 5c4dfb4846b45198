//! What defaults depend on: who we are, where our folders are, how many cores there are.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use super::environment::Environment;

/// The facts about process and machine that defaults depend on. A value, so that tests can make them up.
#[derive(Clone, Debug)]
pub struct Surroundings {
    pub root: bool,
    pub cores: usize,
    /// Whether standard output is a terminal whose user does not mind colours.
    pub colour: bool,
    /// The user's own data folder; `None` if there is no home.
    pub data_home: Option<PathBuf>,
    /// Where sockets go: short-lived, not shared over the network.
    pub runtime_dir: PathBuf,
    /// `PATH`, split.
    pub search_path: Vec<PathBuf>,
}

impl Surroundings {
    pub fn of_the_process(environment: &Environment) -> Self {
        let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let root = effective_uid() == Some(0);
        // Root's sockets go where only root can make files; a folder that another user made in the temp folder is no danger
        // then. The launcher checks the owner in any case.
        let system = Some(PathBuf::from("/run")).filter(|run| root && run.is_dir());
        Self {
            root,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            colour: std::io::stdout().is_terminal() && environment.get("NO_COLOR").is_none(),
            data_home: absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share"))),
            runtime_dir: system.or_else(|| absolute("XDG_RUNTIME_DIR").filter(|_| !root)).unwrap_or_else(std::env::temp_dir),
            search_path: environment.get("PATH").map(|path| std::env::split_paths(path).collect()).unwrap_or_default(),
        }
    }

    /// Root's is a system folder, since the database runs as another user who may not enter root's home.
    pub(super) fn data_dir(&self) -> Option<PathBuf> {
        if self.root { Some(PathBuf::from("/var/lib/nightlatch")) } else { Some(self.data_home.as_ref()?.join("nightlatch")) }
    }
}

/// The user this process acts as. Linux shows it as the owner of the process's own folder; elsewhere it stays unknown.
fn effective_uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(Path::new("/proc/self").metadata().ok()?.uid())
}
