//! A theme: a folder on disk that mirrors the product's `templates/` and `static/`. It is read once, at the start.

use std::io;
use std::path::{Path, PathBuf};

use super::ViewError;
use super::messages::Bundle;

/// Deeper folders are not looked into; this also ends a circle of links.
const DEPTH: usize = 4;

/// Every template of a page, and of a letter in plain text: its path below `templates/`, and its text.
pub(super) fn templates(theme: &Path) -> Result<Vec<(String, String)>, ViewError> {
    let files = files(theme, "templates")?.into_iter().filter(|(name, _)| name.ends_with(".html") || name.ends_with(".txt"));
    files.map(|(name, path)| Ok((name, std::fs::read_to_string(&path).map_err(at(&path))?))).collect()
}

/// Every `templates/messages/messages_{locale}.properties`.
pub(super) fn messages(theme: &Path) -> Result<Vec<(String, Bundle)>, ViewError> {
    let mut found = Vec::new();
    for (name, path) in files(theme, "templates")? {
        let locale = name.strip_prefix("messages/messages_").and_then(|n| n.strip_suffix(".properties"));
        if let Some(locale) = locale {
            found.push((locale.replace('_', "-"), Bundle::parse(&std::fs::read(&path).map_err(at(&path))?)));
        }
    }
    Ok(found)
}

/// Every file of `static/`: its path below that folder, and its bytes.
pub(super) fn assets(theme: &Path) -> Result<Vec<(String, Vec<u8>)>, ViewError> {
    let files = files(theme, "static")?.into_iter();
    files.map(|(name, path)| Ok((name, std::fs::read(&path).map_err(at(&path))?))).collect()
}

/// The files below a folder of the theme, by their names with `/`. The theme has to be there, its folders need not.
fn files(theme: &Path, folder: &str) -> Result<Vec<(String, PathBuf)>, ViewError> {
    std::fs::read_dir(theme).map_err(at(theme))?;
    let mut found = Vec::new();
    let root = theme.join(folder);
    if root.exists() {
        walk(&root, "", DEPTH, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn walk(dir: &Path, prefix: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) -> Result<(), ViewError> {
    for entry in std::fs::read_dir(dir).map_err(at(dir))? {
        let path = entry.map_err(at(dir))?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let name = format!("{prefix}{name}");
        if !path.is_dir() {
            found.push((name, path));
        } else if depth > 1 {
            walk(&path, &format!("{name}/"), depth - 1, found)?;
        }
    }
    Ok(())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> ViewError + use<> {
    let path = path.to_owned();
    move |source| ViewError::Theme { path, source }
}
