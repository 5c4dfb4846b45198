//! From the sources to the settings: every key is read here, and every problem collected.

use super::command_line::CommandLine;
use super::database_url::DatabaseUrl;
use super::environment::Environment;
use super::error::ConfigError;
use super::keys::{self, Key};
use super::layers::{self, Layers, Provenance};
use super::purpose::Purpose;
use super::secrets::KeyEncryptionKey;
use super::settings::{
    AdminLogin, BootstrapSettings, DatabaseSettings, EmbeddedSettings, HostnameSettings, HttpSettings, LogFormat, LogSettings,
    Mode, PasswordSettings, ProxySettings, Settings, SweeperSettings, ThemeSettings,
};
use super::surroundings::Surroundings;
use super::{LogFilter, rules, values};
use crate::base::Secret;

impl Purpose {
    pub fn mode(self) -> Mode {
        if self == Self::StartDev { Mode::Development } else { Mode::Production }
    }
}

/// Settings, and what there is to say about where they came from.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    pub provenance: Vec<Provenance>,
    /// Things that are odd but no errors; worth a warning in the log.
    pub notes: Vec<String>,
}

/// Reads all sources and checks the result. Every problem there is stands in the error.
pub fn load(
    command_line: &CommandLine,
    environment: &Environment,
    surroundings: &Surroundings,
    purpose: Purpose,
) -> Result<Loaded, ConfigError> {
    let (mut problems, notes) = environment.strangers();
    let layers = match layers::lay(command_line, environment) {
        Ok(layers) => layers,
        Err(error) => {
            problems.extend(error.problems);
            return Err(ConfigError { problems });
        }
    };
    let mut reader = Reader { layers: &layers, problems };
    let settings = reader.settings(surroundings, purpose.mode());
    let mut problems = reader.problems;
    // A rule about a value that could not be read would only repeat the problem.
    if problems.is_empty() {
        problems = rules::problems(&settings, purpose);
    }
    ConfigError::unless_empty(problems)?;
    Ok(Loaded { settings, provenance: layers.provenance(), notes })
}

/// Reads keys and collects what is wrong with them, so that one run names all mistakes.
struct Reader<'a> {
    layers: &'a Layers<'a>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn settings(&mut self, surroundings: &Surroundings, mode: Mode) -> Settings {
        let development = mode == Mode::Development;
        Settings {
            mode,
            http: self.http(development),
            hostname: HostnameSettings {
                hostname: self.one(&keys::HOSTNAME, values::hostname),
                strict: self.one(&keys::HOSTNAME_STRICT, values::flag).unwrap_or(!development),
            },
            proxy: ProxySettings {
                headers: self.one(&keys::PROXY_HEADERS, values::proxy_headers),
                trusted: self.list(&keys::PROXY_TRUSTED_ADDRESSES, |text| text.parse()),
            },
            database: self.database(surroundings),
            embedded: self.embedded(surroundings),
            kek: self.one(&keys::KEK, KeyEncryptionKey::parse),
            bootstrap: self.bootstrap(development),
            passwords: PasswordSettings {
                hash_concurrency: self
                    .one(&keys::PASSWORD_HASH_CONCURRENCY, values::at_least_one)
                    .and_then(|number| usize::try_from(number).ok())
                    .unwrap_or(surroundings.cores),
                lists: self.one(&keys::PASSWORD_LISTS_DIR, path),
            },
            sweeper: self.sweeper(),
            theme: ThemeSettings { dir: self.one(&keys::THEME_DIR, path) },
            logs: LogSettings {
                filter: self.one(&keys::LOG_LEVEL, str::parse).unwrap_or_else(LogFilter::info),
                format: self.one(&keys::LOG_CONSOLE_OUTPUT, values::log_format).unwrap_or(LogFormat::Human),
                colour: surroundings.colour,
            },
        }
    }

    fn http(&mut self, development: bool) -> HttpSettings {
        let default = if development { "127.0.0.1" } else { "0.0.0.0" };
        let host = self.one(&keys::HTTP_HOST, text).unwrap_or_else(|| default.to_owned());
        HttpSettings {
            port: self.one(&keys::HTTP_PORT, values::port).unwrap_or(8080),
            management_host: self.one(&keys::HTTP_MANAGEMENT_HOST, text).unwrap_or_else(|| host.clone()),
            management_port: self.one(&keys::HTTP_MANAGEMENT_PORT, values::port).unwrap_or(9000),
            relative_path: self.one(&keys::HTTP_RELATIVE_PATH, values::relative_path).unwrap_or_default(),
            host,
        }
    }

    fn database(&mut self, surroundings: &Surroundings) -> DatabaseSettings {
        let username = self.one(&keys::DB_USERNAME, text);
        let password = self.one(&keys::DB_PASSWORD, secret);
        let parse = |url: &str| DatabaseUrl::parse(url, username.as_deref(), password.as_ref());
        let per_core = u32::try_from(surroundings.cores).unwrap_or(u32::MAX).saturating_mul(4).max(8);
        DatabaseSettings {
            url: self.one(&keys::DB_URL, parse),
            pool_max_size: self.one(&keys::DB_POOL_MAX_SIZE, values::at_least_one).unwrap_or(per_core),
        }
    }

    fn embedded(&mut self, surroundings: &Surroundings) -> EmbeddedSettings {
        let data_dir = self.one(&keys::DATA_DIR, path).or_else(|| surroundings.data_dir());
        EmbeddedSettings {
            data_dir: data_dir.unwrap_or_else(|| std::path::PathBuf::from("nightlatch-data")),
            binaries: self.one(&keys::PG_BIN, path),
            search_path: surroundings.search_path.clone(),
            runtime_dir: surroundings.runtime_dir.clone(),
            root: surroundings.root,
        }
    }

    fn bootstrap(&mut self, development: bool) -> BootstrapSettings {
        let username = self.one(&keys::BOOTSTRAP_ADMIN_USERNAME, text);
        let password = self.one(&keys::BOOTSTRAP_ADMIN_PASSWORD, secret);
        let admin = match (username, password) {
            (None, None) if !development => None,
            (username, None) if !development => {
                let given = username.unwrap_or_default();
                self.problems.push(format!(
                    "bootstrap-admin-username is {given:?} but there is no password: set bootstrap-admin-password-file too"
                ));
                None
            }
            (username, password) => Some(AdminLogin {
                username: username.unwrap_or_else(|| "admin".to_owned()),
                password: password.unwrap_or_else(|| Secret::new("admin")),
            }),
        };
        BootstrapSettings { admin, import_realms: self.list(&keys::IMPORT_REALM, path) }
    }

    fn sweeper(&mut self) -> SweeperSettings {
        SweeperSettings {
            interval: self.one(&keys::SWEEP_INTERVAL, values::duration_above_zero).unwrap_or(SWEEP_INTERVAL),
            batch: self.one(&keys::SWEEP_BATCH, values::at_least_one).unwrap_or(512),
            margin: self.one(&keys::SWEEP_MARGIN, values::duration).unwrap_or(SWEEP_MARGIN),
        }
    }

    fn one<T>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        self.list(key, parse).into_iter().next()
    }

    fn list<T>(&mut self, key: &Key, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let given = match self.layers.get(key) {
            Ok(given) => given,
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        };
        let Some(given) = given else { return Vec::new() };
        let parsed: Result<Vec<T>, String> = given.values.iter().map(|value| parse(value)).collect();
        parsed.unwrap_or_else(|problem| {
            self.problems.push(format!("{}: {problem}", given.source));
            Vec::new()
        })
    }
}

const SWEEP_INTERVAL: std::time::Duration = std::time::Duration::from_secs(60);
const SWEEP_MARGIN: std::time::Duration = std::time::Duration::from_secs(180);

fn text(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("it must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn path(given: &str) -> Result<std::path::PathBuf, String> {
    text(given).map(Into::into)
}

fn secret(given: &str) -> Result<Secret, String> {
    text(given).map(Secret::new)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
