//! Realms to files and from files, for whoever moves a realm, keeps a copy of it, or wants to know what a file would do.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use super::difference::difference;
use super::output;
use super::server::server;
use crate::config::Settings;
use crate::flow::Server;
use crate::flow::export_realm::{self, Piece};
use crate::flow::import_realm::{self, ImportError};
use crate::http::{UsersOfFile, read_realm_file, realm_file};
use crate::model::realm_import::RealmImport;

const MASTER: &str = "master";

/// Writes the realm to a new file that nobody else may read.
pub(super) async fn export(settings: &Settings, realm: &str, path: &Path, with_users: bool) -> anyhow::Result<()> {
    let server = server(settings)?;
    let place = || path.display();
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("{} cannot be made", place()))?;
    let mut writer = FileWriter { out: BufWriter::new(file), of_realm: None, users: 0 };
    let written = export_realm::run(&server, realm, with_users, |piece| writer.write(piece)).await;
    let finished = match written {
        Ok(true) => writer.finish(),
        Ok(false) => Err(anyhow::anyhow!("there is no realm {realm}")),
        Err(error) => Err(error),
    };
    server.store.close().await;
    match finished {
        Ok(users) => {
            output::line(format!("{realm} is in {}, with {users} users", place()));
            Ok(())
        }
        Err(error) => {
            // Half a realm is no copy of it.
            std::fs::remove_file(path).with_context(|| format!("{} cannot be taken away", place()))?;
            Err(error)
        }
    }
}

/// The realm's object is closed last, so that users can be added one by one.
struct FileWriter {
    out: BufWriter<File>,
    of_realm: Option<UsersOfFile>,
    users: u64,
}

impl FileWriter {
    fn write(&mut self, piece: Piece) -> anyhow::Result<()> {
        match piece {
            Piece::Realm(whole) => {
                let text = serde_json::to_string_pretty(&realm_file(&whole))?;
                let open = text.strip_suffix("\n}").context("a realm is an object")?;
                write!(self.out, "{open},\n  \"users\": [")?;
                self.of_realm = Some(UsersOfFile::of(whole.snapshot));
            }
            Piece::Users(users) => {
                let of_realm = self.of_realm.as_ref().context("the realm comes first")?;
                for user in &users {
                    let comma = if self.users == 0 { "" } else { "," };
                    write!(self.out, "{comma}\n    {}", Value::from(of_realm.user(user)))?;
                    self.users += 1;
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<u64> {
        writeln!(self.out, "\n  ]\n}}")?;
        self.out.into_inner()?.sync_all()?;
        Ok(self.users)
    }
}

/// Makes the realm of the file, or says what would come of it.
pub(super) async fn import(settings: &Settings, path: &Path, dry_run: bool) -> anyhow::Result<()> {
    let text = tokio::fs::read(path).await.with_context(|| format!("{} cannot be read", path.display()))?;
    let server = server(settings)?;
    let done = read_and_import(&server, &text, dry_run).await;
    server.store.close().await;
    done.with_context(|| format!("{} cannot be imported", path.display()))
}

async fn read_and_import(server: &Server, text: &[u8], dry_run: bool) -> anyhow::Result<()> {
    let import = read_realm_file(text, server).map_err(anyhow::Error::msg)?;
    if import.name != MASTER && server.realms.current(&server.store, MASTER).await?.is_none() {
        bail!("there is no realm master yet, from which it could be administered: start the server once before");
    }
    match dry_run {
        true => rehearse(server, import, text).await,
        false => make(server, import).await,
    }
}

async fn make(server: &Server, import: RealmImport) -> anyhow::Result<()> {
    let name = import.name.clone();
    match import_realm::run(server, import, None).await {
        Ok(imported) => {
            output::line(format!("{name} is made"));
            tell_lost(&imported.not_taken_over);
            Ok(())
        }
        Err(error) if is_there(server, &name, &error).await? => {
            bail!("the realm {name} is there already; --dry-run says how it differs")
        }
        Err(error) => Err(explain(error)),
    }
}

async fn rehearse(server: &Server, import: RealmImport, text: &[u8]) -> anyhow::Result<()> {
    let name = import.name.clone();
    let counts = [
        (import.clients.len(), "clients"),
        (import.roles.len(), "roles"),
        (import.groups.len(), "groups at the top"),
        (import.users.len(), "users"),
    ];
    match import_realm::rehearse(server, import).await {
        Ok(imported) => {
            let counts: Vec<String> = counts.iter().map(|(count, what)| format!("{count} {what}")).collect();
            output::line(format!("{name} would be made: {}", counts.join(", ")));
            tell_lost(&imported.not_taken_over);
            Ok(())
        }
        Err(error) if is_there(server, &name, &error).await? => {
            let file: Map<String, Value> = serde_json::from_slice(text)?;
            let lines = difference(&file, &as_a_file(server, &name).await?);
            output::line(format!("{name} is there already and would be left as it is; {} differences to the file", lines.len()));
            lines.into_iter().for_each(output::line);
            Ok(())
        }
        Err(error) => Err(explain(error)),
    }
}

/// Whether the import failed for a realm of that name. It has the file's id as well if it was made from the file.
async fn is_there(server: &Server, name: &str, error: &ImportError) -> anyhow::Result<bool> {
    Ok(match error {
        ImportError::Exists(_) => true,
        ImportError::SameId => server.realms.current(&server.store, name).await?.is_some(),
        _ => false,
    })
}

fn explain(error: ImportError) -> anyhow::Error {
    match error {
        ImportError::SameId => anyhow::anyhow!("a realm of another name has the file's id: it was imported before, and renamed"),
        error => error.into(),
    }
}

fn tell_lost(paths: &[String]) {
    for path in paths {
        output::line(format!("nothing here acts on {path}"));
    }
}

/// The realm that is there, as its own export would have it.
async fn as_a_file(server: &Server, name: &str) -> anyhow::Result<Map<String, Value>> {
    let (mut file, mut users, mut of_realm) = (Map::new(), Vec::new(), None);
    export_realm::run(server, name, true, |piece| -> anyhow::Result<()> {
        match piece {
            Piece::Realm(whole) => {
                file = realm_file(&whole);
                of_realm = Some(UsersOfFile::of(whole.snapshot));
            }
            Piece::Users(page) => {
                let of_realm = of_realm.as_ref().context("the realm comes first")?;
                users.extend(page.iter().map(|user| Value::from(of_realm.user(user))));
            }
        }
        Ok(())
    })
    .await?;
    file.insert("users".to_owned(), Value::from(users));
    Ok(file)
}
