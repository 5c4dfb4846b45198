use super::super::keys::KEYS;
use super::super::{Hostname, ProxyHeaders};
use super::*;
use std::path::PathBuf;
use std::time::Duration;

fn surroundings() -> Surroundings {
    Surroundings {
        root: false,
        cores: 3,
        colour: false,
        data_home: Some(PathBuf::from("/home/u/.local/share")),
        runtime_dir: PathBuf::from("/run/user/1"),
        search_path: vec![],
    }
}

fn load_with(purpose: Purpose, command: &[(&str, &str)], env: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    let (command, env) = (CommandLine::from_pairs(command.iter().copied()), Environment::from_pairs(env.iter().copied()));
    load(&command, &env, &surroundings(), purpose)
}

fn settings(purpose: Purpose, command: &[(&str, &str)]) -> Settings {
    load_with(purpose, command, &[]).unwrap_or_else(|error| panic!("{error}")).settings
}

fn problems(purpose: Purpose, command: &[(&str, &str)], env: &[(&str, &str)]) -> Vec<String> {
    load_with(purpose, command, env).unwrap_err().problems
}

const PRODUCTION: [(&str, &str); 3] = [
    ("db-url", "postgres://db/n"),
    ("hostname", "https://id.example.org"),
    ("kek", "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s="),
];

#[test]
fn development_needs_nothing() {
    let settings = settings(Purpose::StartDev, &[]);
    assert_eq!(settings.mode, Mode::Development);
    assert_eq!((settings.http.host.as_str(), settings.http.port), ("127.0.0.1", 8080));
    assert_eq!((settings.http.management_host.as_str(), settings.http.management_port), ("127.0.0.1", 9000));
    assert_eq!(settings.http.relative_path, "");
    assert_eq!(settings.hostname, HostnameSettings { hostname: None, strict: false });
    assert_eq!(settings.database, DatabaseSettings { url: None, pool_max_size: 12 });
    assert_eq!(settings.embedded.data_dir, PathBuf::from("/home/u/.local/share/nightlatch"));
    let admin = settings.bootstrap.admin.unwrap();
    assert_eq!((admin.username.as_str(), admin.password.expose()), ("admin", "admin"));
    let (interval, margin) = (Duration::from_secs(60), Duration::from_secs(180));
    assert_eq!(settings.sweeper, SweeperSettings { interval, batch: 512, margin });
    assert_eq!(settings.passwords.hash_concurrency, 3);
    assert_eq!(settings.logs.filter.directives(), "info");
}

#[test]
fn production_says_everything_that_is_missing_at_once_and_what_to_do() {
    let problems = problems(Purpose::Start, &[], &[]);
    assert_eq!(problems.len(), 3);
    for (problem, remedy) in problems.iter().zip(["NIGHTLATCH_DB_URL", "--hostname", "--kek-file"]) {
        assert!(problem.contains(remedy), "{problem}");
    }
}

#[test]
fn production_starts_with_database_hostname_and_key() {
    let settings = settings(Purpose::Start, &PRODUCTION);
    assert_eq!(settings.http.host, "0.0.0.0");
    assert!(settings.hostname.strict && matches!(settings.hostname.hostname, Some(Hostname::Url(_))));
    assert_eq!(settings.bootstrap.admin, None);
}

#[test]
fn a_lax_hostname_stands_in_for_a_configured_one() {
    let mut given = PRODUCTION;
    given[1] = ("hostname-strict", "false");
    assert_eq!(settings(Purpose::Start, &given).hostname, HostnameSettings { hostname: None, strict: false });
}

#[test]
fn migration_needs_the_database_the_sweep_the_key_too_and_the_probe_nothing() {
    for purpose in [Purpose::Migrate, Purpose::Sweep] {
        assert!(problems(purpose, &[], &[])[0].starts_with("no database"));
    }
    assert!(settings(Purpose::Migrate, &PRODUCTION[..1]).database.url.is_some());
    let sweep = problems(Purpose::Sweep, &PRODUCTION[..1], &[]);
    assert!(sweep.len() == 1 && sweep[0].starts_with("no key-encryption key"), "{sweep:?}");
    assert!(settings(Purpose::Sweep, &[PRODUCTION[0], PRODUCTION[2]]).kek.is_some());
    assert_eq!(settings(Purpose::Probe, &[("http-management-port", "9")]).http.management_port, 9);
}

#[test]
fn an_administrator_has_a_name_and_a_password() {
    let mut given = PRODUCTION.to_vec();
    given.push(("bootstrap-admin-username", "root"));
    assert!(problems(Purpose::Start, &given, &[])[0].contains("bootstrap-admin-password-file"));
    given.push(("bootstrap-admin-password", "x"));
    let admin = settings(Purpose::Start, &given).bootstrap.admin.unwrap();
    assert_eq!((admin.username.as_str(), admin.password.expose()), ("root", "x"));
    let mut only_password = PRODUCTION.to_vec();
    only_password.push(("bootstrap-admin-password", "x"));
    assert_eq!(settings(Purpose::Start, &only_password).bootstrap.admin.unwrap().username, "admin");
}

#[test]
fn proxies_need_both_their_addresses_and_their_headers() {
    let (headers, trusted) = (("proxy-headers", "xforwarded"), ("proxy-trusted-addresses", "10.0.0.0/8, ::1"));
    let proxy = settings(Purpose::StartDev, &[headers, trusted]).proxy;
    assert_eq!((proxy.headers, proxy.trusted.len()), (Some(ProxyHeaders::XForwarded), 2));
    assert!(problems(Purpose::StartDev, &[headers], &[])[0].contains("--proxy-trusted-addresses"));
    assert!(problems(Purpose::StartDev, &[trusted], &[])[0].contains("--proxy-headers"));
}

#[test]
fn the_two_listeners_may_not_share_a_port_unless_both_are_free_ones() {
    let both = |port| [("http-port", port), ("http-management-port", port)];
    assert!(problems(Purpose::StartDev, &both("81"), &[])[0].contains("both 81"));
    assert_eq!(settings(Purpose::StartDev, &both("0")).http.port, 0);
}

#[test]
fn a_relative_path_belongs_into_the_hostname_too() {
    let path = ("http-relative-path", "/auth");
    assert!(problems(Purpose::StartDev, &[path, ("hostname", "https://h")], &[])[0].contains("(https://h/auth)"));
    assert_eq!(settings(Purpose::StartDev, &[path, ("hostname", "https://h/id")]).http.relative_path, "/auth");
}

#[test]
fn every_mistake_is_named_with_its_source() {
    let env = [("KC_HTTP_PORT", "eighty"), ("NIGHTLATCH_LOG_LEVEL", "loud"), ("NIGHTLATCH_NO_SUCH", "x")];
    let problems = problems(Purpose::StartDev, &[("hostname-strict", "maybe")], &env);
    for start in ["environment variable NIGHTLATCH_NO_SUCH", "KC_HTTP_PORT: ", "--hostname-strict: ", "NIGHTLATCH_LOG_LEVEL: "] {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "{start}: {problems:?}");
    }
}

#[test]
fn no_secret_shows_in_settings_provenance_or_errors() {
    let mut given = PRODUCTION.to_vec();
    given[0] = ("db-url", "postgres://u:s3cret@db/n");
    given.extend([("db-password", "s3cret"), ("bootstrap-admin-password", "s3cret")]);
    let loaded = load_with(Purpose::Start, &given, &[]).unwrap_or_else(|error| panic!("{error}"));
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("s3cret") && !shown.contains("+/v7"), "{shown}");
    assert!(loaded.provenance.iter().any(|line| line.key == "kek" && line.shown == "•••" && line.source == "--kek"));
    let wrong = problems(Purpose::StartDev, &[("kek", "s3cret"), ("db-url", "mysql://u:s3cret@h")], &[]);
    assert!(wrong.len() == 2 && !wrong.concat().contains("s3cret"), "{wrong:?}");
}

/// A key that is listed but never read would be accepted and do nothing.
#[test]
fn every_key_is_read() {
    for key in KEYS {
        let settings =
            |value: &str| load_with(Purpose::StartDev, &[(key.name, value)], &[]).map(|it| format!("{:?}", it.settings));
        // A value that shows in the settings, or one that is refused: either way somebody looked at it.
        let refused = ["", "?", "mysql://h"].into_iter().any(|value| settings(value).is_err());
        let shows = settings("warn").is_ok_and(|shown| shown.contains("warn"));
        assert!(refused || shows, "{} is not read", key.name);
    }
}
