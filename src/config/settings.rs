//! The settings: typed, complete, and never changed after they are made.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::{Cidr, DatabaseUrl, KeyEncryptionKey, LogFilter};
use crate::base::Secret;

/// Everything that was configured, by who needs it.
#[derive(Clone, Debug)]
pub struct Settings {
    pub mode: Mode,
    pub http: HttpSettings,
    pub hostname: HostnameSettings,
    pub proxy: ProxySettings,
    pub database: DatabaseSettings,
    pub embedded: EmbeddedSettings,
    pub kek: Option<KeyEncryptionKey>,
    pub bootstrap: BootstrapSettings,
    pub passwords: PasswordSettings,
    pub sweeper: SweeperSettings,
    pub theme: ThemeSettings,
    pub logs: LogSettings,
}

impl Settings {
    /// The same settings with the database that was started for them.
    #[must_use]
    pub fn with_database(mut self, url: DatabaseUrl) -> Self {
        self.database.url = Some(url);
        self
    }

    #[must_use]
    pub fn with_kek(mut self, kek: KeyEncryptionKey) -> Self {
        self.kek = Some(kek);
        self
    }
}

/// `start` or `start-dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Production,
    Development,
}

/// Where the two listeners bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// An address or a name to be resolved.
    pub host: String,
    /// 0 takes a free port.
    pub port: u16,
    pub management_host: String,
    /// 0 takes a free port.
    pub management_port: u16,
    /// Begins with a slash and ends without one; empty for the root.
    pub relative_path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostnameSettings {
    pub hostname: Option<Hostname>,
    /// Whether the host in a request may not decide the URLs in the answer.
    pub strict: bool,
}

/// How browsers and clients reach the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hostname {
    /// Scheme, host, port and path are fixed. The path has no slash at its end.
    Url(Url),
    /// The host is fixed; scheme and port come from the request.
    Host(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    pub headers: Option<ProxyHeaders>,
    /// Whose headers are believed. Nobody's, if this is empty.
    pub trusted: Vec<Cidr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `-Prefix`.
    XForwarded,
    /// RFC 7239.
    Forwarded,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseSettings {
    /// `None` only in development, where an embedded database is started then.
    pub url: Option<DatabaseUrl>,
    pub pool_max_size: u32,
}

/// For the embedded Postgres of development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedSettings {
    pub data_dir: PathBuf,
    /// The only folder to look for the programs in, if given.
    pub binaries: Option<PathBuf>,
    pub search_path: Vec<PathBuf>,
    pub runtime_dir: PathBuf,
    pub root: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapSettings {
    /// Made with the realm `master`; means nothing once that is there.
    pub admin: Option<AdminLogin>,
    /// Realm files, in the order given.
    pub import_realms: Vec<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminLogin {
    pub username: String,
    pub password: Secret,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordSettings {
    /// How many slow hashes run at the same time; at least 1.
    pub hash_concurrency: usize,
    /// The folder of lists of forbidden passwords.
    pub lists: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweeperSettings {
    pub interval: Duration,
    /// Rows per transaction; at least 1.
    pub batch: u32,
    /// Nothing is removed earlier than this after its lapse.
    pub margin: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeSettings {
    pub dir: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    pub filter: LogFilter,
    pub format: LogFormat,
    pub colour: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Human,
    Json,
}
