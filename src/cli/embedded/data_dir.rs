//! The data folder: who may enter it, and where its parts are.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::EmbeddedError;
use crate::config::EmbeddedSettings;

/// Makes the folder if it is not there, and closes it to others.
pub fn prepare(settings: &EmbeddedSettings) -> Result<(), EmbeddedError> {
    let path = &settings.data_dir;
    // Root's must be passed through, though not read, by the user that Postgres runs as.
    let mode = if settings.root { 0o711 } else { 0o700 };
    DirBuilder::new().recursive(true).mode(mode).create(path).map_err(EmbeddedError::io("cannot make the data folder", path))?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(EmbeddedError::io("cannot set permissions of", path))
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
