//! The data folder: who may enter it, and where its parts are.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use crate::config::EmbeddedSettings;

/// Makes the folder if it is not there, closed to others. One that is there keeps its mode: somebody else may need it as it is.
pub fn prepare(settings: &EmbeddedSettings) -> Result<(), EmbeddedError> {
    let path = &settings.data_dir;
    // Root's must be passed through, though not read, by the user that Postgres runs as.
    let mode = if settings.root { 0o711 } else { 0o700 };
    if let Some(parent) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(mode).create(parent);
        made.map_err(EmbeddedError::io("cannot make the data folder's parent", parent))?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        // Again, since the process's mask may have taken bits away.
        Ok(()) => {
            fs::set_permissions(path, Permissions::from_mode(mode)).map_err(EmbeddedError::io("cannot set permissions of", path))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(EmbeddedError::io("cannot make the data folder", path)(error)),
    }
}

pub(super) fn pgdata(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres")
}

/// Where a database is made; it gets its name when it is complete.
pub(super) fn unfinished(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.new")
}

pub(super) fn log(data_dir: &Path) -> PathBuf {
    data_dir.join("postgres.log")
}

/// The major version that wrote the data, if there is any.
pub(super) fn major_version(data_dir: &Path) -> Option<u32> {
    fs::read_to_string(pgdata(data_dir).join("PG_VERSION")).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_was_there_keeps_its_mode_and_a_new_one_is_closed() {
        let parent = std::env::temp_dir().join(format!("nightlatch-data-dir-{}", std::process::id()));
        fs::create_dir_all(&parent).unwrap();
        fs::set_permissions(&parent, Permissions::from_mode(0o755)).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        for (root, path, expected) in
            [(false, parent.clone(), 0o755), (false, parent.join("a/own"), 0o700), (true, parent.join("roots"), 0o711)]
        {
            let (runtime_dir, data_dir) = (parent.clone(), path.clone());
            let settings = EmbeddedSettings { data_dir, binaries: None, search_path: Vec::new(), runtime_dir, root };
            // Twice, as a start does: for the key, and for the database.
            for _ in 0..2 {
                prepare(&settings).unwrap();
                assert_eq!(mode(&path), expected, "{}", path.display());
            }
        }
        fs::write(parent.join("file"), "").unwrap();
        let (runtime_dir, data_dir) = (parent.clone(), parent.join("file"));
        let settings = EmbeddedSettings { data_dir, binaries: None, search_path: Vec::new(), runtime_dir, root: false };
        assert!(prepare(&settings).is_err());
        fs::remove_dir_all(&parent).unwrap();
    }
}
