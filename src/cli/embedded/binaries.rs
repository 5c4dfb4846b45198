//! Where `initdb` and `postgres` are.
//!
//! Order: the folder that was configured and no other; the folders of the distributions, one per version; `PATH`. Data that
//! is there already decides the version, since Postgres does not read another's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::data_dir;
use super::error::{EmbeddedError, OLDEST};
use crate::config::EmbeddedSettings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

/// Parent folder, beginning of the version's folder, way from there to the programs.
const DISTRIBUTIONS: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
];

pub(super) fn find(settings: &EmbeddedSettings) -> Result<Binaries, EmbeddedError> {
    let wanted = data_dir::major_version(&settings.data_dir);
    if let Some(data) = wanted.filter(|data| *data < OLDEST) {
        return Err(EmbeddedError::TooOld { path: data_dir::pgdata(&settings.data_dir), data });
    }
    let found: Vec<Binaries> = match &settings.binaries {
        Some(folder) => vec![inspect(folder).ok_or_else(|| {
            let folder = folder.display();
            EmbeddedError::NotInstalled(format!("pg-bin is {folder}, but there are no programs initdb and postgres that run"))
        })?],
        None => distribution_folders().iter().chain(&settings.search_path).filter_map(|folder| inspect(folder)).collect(),
    };
    choose(&found, wanted).ok_or_else(|| match (wanted, found.is_empty()) {
        (Some(data), false) => {
            let installed = found.iter().map(|found| found.major.to_string()).collect::<Vec<_>>().join(" and ");
            EmbeddedError::OtherVersion { path: data_dir::pgdata(&settings.data_dir), data, installed }
        }
        (None, false) if settings.binaries.is_some() => {
            EmbeddedError::NotInstalled(format!("pg-bin names Postgres {}, and {OLDEST} or newer is needed", found[0].major))
        }
        _ => EmbeddedError::NotInstalled(how_to_install(settings.root, wanted)),
    })
}

/// The first of the wanted version; else, for new data, the newest.
fn choose(found: &[Binaries], wanted: Option<u32>) -> Option<Binaries> {
    match wanted {
        Some(major) => found.iter().find(|found| found.major == major).cloned(),
        // `rev`, since the last of equals would win and the first was meant.
        None => found.iter().rev().filter(|found| found.major >= OLDEST).max_by_key(|found| found.major).cloned(),
    }
}

fn distribution_folders() -> Vec<PathBuf> {
    let versions = |(parent, prefix, rest): &(&str, &str, &str)| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let versioned = entries.filter(|entry| {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            version.is_some_and(|version| version.parse::<u32>().is_ok())
        });
        versioned.map(|entry| entry.path().join(rest)).collect::<Vec<_>>()
    };
    DISTRIBUTIONS.iter().flat_map(versions).collect()
}

/// The version of the programs in `folder`, if both are there and run.
fn inspect(folder: &Path) -> Option<Binaries> {
    let postgres = folder.join("postgres");
    if !postgres.is_file() || !folder.join("initdb").is_file() {
        return None;
    }
    let said = Command::new(&postgres).arg("--version").env_clear().output().ok()?;
    let major = major_of(&String::from_utf8_lossy(&said.stdout))?;
    Some(Binaries { folder: folder.to_owned(), major })
}

/// From "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"; betas are "18beta1".
fn major_of(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(2)?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn how_to_install(root: bool, wanted: Option<u32>) -> String {
    let os_release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    format!(
        "there is no Postgres {} on this machine, and no database was named. Do one of these:\n    {}{}\n    set --pg-bin to the \
         folder with initdb and postgres, if it is installed elsewhere\n    docker run -d -p 127.0.0.1:5432:5432 -e \
         POSTGRES_PASSWORD=nightlatch postgres:17, and start with --db-url \
         postgres://postgres:nightlatch@127.0.0.1:5432/postgres",
        wanted.map_or_else(|| format!("{OLDEST} or newer"), |major| major.to_string()),
        if root { "" } else { "sudo " },
        install_command(&os_release, wanted),
    )
}

fn install_command(os_release: &str, wanted: Option<u32>) -> String {
    let field = |name: &str| os_release.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().replace('"', "");
    let family = format!("{} {}", field("ID="), field("ID_LIKE="));
    let is = |names: &[&str]| family.split_whitespace().any(|word| names.contains(&word));
    let dashed = wanted.map(|major| format!("-{major}")).unwrap_or_default();
    let plain = wanted.map(|major| major.to_string()).unwrap_or_default();
    if is(&["debian", "ubuntu"]) {
        format!("apt-get install postgresql{dashed}")
    } else if is(&["alpine"]) {
        format!("apk add postgresql{plain}")
    } else if is(&["fedora", "rhel", "centos"]) {
        "dnf install postgresql-server".to_owned()
    } else if is(&["suse", "opensuse"]) {
        format!("zypper install postgresql{plain}-server")
    } else if is(&["arch"]) {
        "pacman -S postgresql".to_owned()
    } else {
        "install the package postgresql of this system (macOS: brew install postgresql@17)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binaries(folder: &str, major: u32) -> Binaries {
        Binaries { folder: folder.into(), major }
    }

    #[test]
    fn versions_are_read_from_what_the_program_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major_of("something else"), None);
    }

    #[test]
    fn data_decides_the_version_and_new_data_gets_the_newest() {
        let found = [binaries("a", 15), binaries("b", 17), binaries("c", 17), binaries("d", 14)];
        assert_eq!(choose(&found, None), Some(binaries("b", 17)));
        assert_eq!(choose(&found, Some(15)), Some(binaries("a", 15)));
        assert_eq!(choose(&found, Some(16)), None);
        assert_eq!(choose(&found[3..], None), None);
    }

    #[test]
    fn what_the_schema_needs_is_said_where_there_is_nothing() {
        assert!(how_to_install(false, None).starts_with("there is no Postgres 15 or newer on this machine"));
        assert!(how_to_install(false, Some(16)).starts_with("there is no Postgres 16 on this machine"));
    }

    #[test]
    fn the_command_to_install_is_that_of_the_system() {
        for (os, wanted, command) in [
            ("ID=debian\n", None, "apt-get install postgresql"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Some(15), "apt-get install postgresql-15"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", None, "dnf install postgresql-server"),
            ("ID=alpine\n", Some(16), "apk add postgresql16"),
        ] {
            assert_eq!(install_command(os, wanted), command);
        }
    }
}
