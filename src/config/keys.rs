//! The list of keys. Names are Keycloak's where Keycloak has the key; everything else about a key follows from its line.

/// One setting: its name and what `--help`, the environment and the file make of it.
#[derive(Debug)]
pub struct Key {
    /// As on the command line, without the dashes in front: `http-port`.
    pub name: &'static str,
    pub kind: Kind,
    /// Whether Keycloak has the key, so that `KC_…` is understood.
    pub keycloak: bool,
    pub group: &'static str,
    pub placeholder: &'static str,
    pub help: &'static str,
    /// The default as `--help` shows it; empty if there is none.
    pub default: &'static str,
    /// The name under which a file with the value may be given; secrets only.
    pub file_name: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// `true` or `false`; the option alone means `true`.
    Flag,
    /// Several values: the option repeated, or one value with commas.
    List,
    /// A text that is never shown, and may be given as a file by the name with `-file`.
    Secret,
}

impl Key {
    pub fn environment_name(&self) -> String {
        environment_name("NIGHTLATCH", self.name)
    }

    pub fn keycloak_name(&self) -> Option<String> {
        self.keycloak.then(|| environment_name("KC", self.name))
    }
}

fn environment_name(prefix: &str, name: &str) -> String {
    format!("{prefix}_{}", name.replace('-', "_").to_ascii_uppercase())
}

macro_rules! file_name {
    (Secret $name:literal) => {
        Some(concat!($name, "-file"))
    };
    ($kind:ident $name:literal) => {
        None
    };
}

macro_rules! keys {
    ($($group:literal { $($ident:ident = $kind:ident $name:literal $placeholder:literal $(keycloak $kc:literal)?
        $(default $default:literal)?, $help:literal;)+ })+) => {
        $($(pub(super) const $ident: Key = Key {
            name: $name,
            kind: Kind::$kind,
            keycloak: false $(|| $kc)?,
            group: $group,
            placeholder: $placeholder,
            help: $help,
            default: concat!($($default)?),
            file_name: file_name!($kind $name),
        };)+)+
        /// Every key, in the order in which `--help` and the example file show them.
        pub const KEYS: &[&Key] = &[$($(&$ident,)+)+];
    };
}

keys! {
    "Listening" {
        HTTP_HOST = Text "http-host" "HOST" keycloak true default "0.0.0.0; start-dev: 127.0.0.1", "Address to listen on";
        HTTP_PORT = Text "http-port" "PORT" keycloak true default "8080", "Port to listen on; 0 takes a free one";
        HTTP_RELATIVE_PATH = Text "http-relative-path" "PATH" keycloak true default "/", "Path under which everything is served";
        HTTP_MANAGEMENT_HOST = Text "http-management-host" "HOST" default "as http-host", "Address of health and metrics";
        HTTP_MANAGEMENT_PORT = Text "http-management-port" "PORT" keycloak true default "9000",
            "Port of health and metrics; 0 takes a free one";
    }
    "Hostname and proxy" {
        HOSTNAME = Text "hostname" "URL" keycloak true,
            "Where browsers and clients reach the server: a URL, or a host name (scheme and port then come from the request)";
        HOSTNAME_STRICT = Flag "hostname-strict" "BOOL" keycloak true default "true; start-dev: false",
            "Whether the host name must be configured rather than taken from the request";
        PROXY_HEADERS = Text "proxy-headers" "xforwarded|forwarded" keycloak true,
            "Headers in which a reverse proxy names the client";
        PROXY_TRUSTED_ADDRESSES = List "proxy-trusted-addresses" "CIDR,…" keycloak true,
            "Proxies whose headers are believed, as addresses or networks; needed with proxy-headers";
    }
    "Database" {
        DB_URL = Secret "db-url" "URL" keycloak true, "Postgres, as postgres://… or jdbc:postgresql://…";
        DB_USERNAME = Text "db-username" "NAME" keycloak true, "User, instead of the one in db-url";
        DB_PASSWORD = Secret "db-password" "TEXT" keycloak true, "Password, instead of the one in db-url";
        DB_POOL_MAX_SIZE = Text "db-pool-max-size" "N" keycloak true default "4 per core, at least 8",
            "Connections that the server holds at most";
    }
    "Embedded Postgres (start-dev without db-url)" {
        DATA_DIR = Text "data-dir" "FOLDER" default "XDG data folder; root: under the system's state folder",
            "Where the embedded database and the development key live";
        PG_BIN = Text "pg-bin" "FOLDER" default "searched for", "Folder with the programs initdb and postgres";
    }
    "Secrets and first start" {
        KEK = Secret "kek" "BASE64",
            "Key that seals client secrets and private keys: 32 bytes in base64 or hex; several one per line, newest first";
        BOOTSTRAP_ADMIN_USERNAME = Text "bootstrap-admin-username" "NAME" keycloak true default "start-dev: admin",
            "Administrator made with the master realm";
        BOOTSTRAP_ADMIN_PASSWORD = Secret "bootstrap-admin-password" "TEXT" keycloak true default "start-dev: admin",
            "Password of that administrator";
        IMPORT_REALM = List "import-realm" "FILE", "Realm file of Keycloak to import if the realm is not there; repeatable";
    }
    "Behaviour" {
        PASSWORD_HASH_CONCURRENCY = Text "password-hash-concurrency" "N" default "the number of cores",
            "Password hashes computed at the same time";
        PASSWORD_LISTS_DIR = Text "password-lists-dir" "FOLDER",
            "Folder of the lists that the policy passwordBlacklist(FILE) names";
        SWEEP_INTERVAL = Text "sweep-interval" "DURATION" default "60s", "Pause between two runs of the sweeper (60, 60s, 5m, 1h)";
        SWEEP_BATCH = Text "sweep-batch" "N" default "512", "Rows that the sweeper removes in one transaction";
        SWEEP_MARGIN = Text "sweep-margin" "DURATION" default "180s", "How long after its lapse a row is kept at least";
        THEME_DIR = Text "theme-dir" "FOLDER", "Folder with templates that take the place of the built-in ones";
    }
    "Logs" {
        LOG_LEVEL = Text "log-level" "LEVEL" keycloak true default "info", "Level, and levels of parts: info,nightlatch::store:debug";
        LOG_CONSOLE_OUTPUT = Text "log-console-output" "default|json" keycloak true default "default",
            "Lines for people, or JSON for collectors";
    }
}

/// Every name that the command line and the file understand, the `-file` forms included.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    KEYS.iter().flat_map(|key| [Some(key.name), key.file_name]).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_spelled_the_same_everywhere() {
        assert_eq!(HTTP_MANAGEMENT_PORT.environment_name(), "NIGHTLATCH_HTTP_MANAGEMENT_PORT");
        assert_eq!(HTTP_MANAGEMENT_PORT.keycloak_name().as_deref(), Some("KC_HTTP_MANAGEMENT_PORT"));
        assert_eq!(KEK.keycloak_name(), None);
        assert_eq!(KEK.file_name, Some("kek-file"));
        assert_eq!(HTTP_PORT.file_name, None);
    }

    #[test]
    fn no_two_keys_share_a_name() {
        let mut names: Vec<_> = names().collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
