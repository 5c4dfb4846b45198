//! What the operator asked for: one flat list of keys, four spellings of each, immutable typed settings as the result.
//!
//! `--http-port`, `NIGHTLATCH_HTTP_PORT` (`KC_HTTP_PORT` where Keycloak has the key), `http-port` in the TOML file: the
//! command line wins over the environment, that over the file, that over the default. Secrets may be given as `…-file`.
//! A key nobody knows is an error that names the nearest one. This is the only layer that reads the environment; it knows
//! nothing of what the settings are used for.

mod cidr;
mod command_line;
mod database_url;
mod environment;
mod error;
mod file;
mod keys;
mod layers;
mod log_filter;
mod nearest;
mod purpose;
mod read;
mod rules;
mod secrets;
mod settings;
mod surroundings;
mod values;

pub use cidr::Cidr;
pub use command_line::CommandLine;
pub use database_url::DatabaseUrl;
pub use environment::Environment;
pub use error::ConfigError;
pub use keys::{KEYS, Key};
pub use layers::Provenance;
pub use log_filter::LogFilter;
pub use purpose::Purpose;
pub use read::{Loaded, load};
pub use secrets::KeyEncryptionKey;
pub use settings::{
    AdminLogin, BootstrapSettings, DatabaseSettings, EmbeddedSettings, Hostname, HostnameSettings, HttpSettings, LogFormat,
    LogSettings, Mode, PasswordSettings, ProxyHeaders, ProxySettings, Settings, SweeperSettings, ThemeSettings,
};
pub use surroundings::Surroundings;
