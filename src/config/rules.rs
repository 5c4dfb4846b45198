//! What must be configured for which purpose, and which settings do not go together. Each problem says what to do next.

use super::purpose::Purpose;
use super::settings::{Hostname, Settings};

pub(super) fn problems(settings: &Settings, purpose: Purpose) -> Vec<String> {
    let mut problems = Vec::new();
    if purpose == Purpose::Start {
        problems.extend(for_production(settings));
    }
    if matches!(purpose, Purpose::Migrate | Purpose::Sweep | Purpose::Files) && settings.database.url.is_none() {
        problems.push(no_database("this command works on a database"));
    }
    if matches!(purpose, Purpose::Start | Purpose::Sweep | Purpose::Files) && settings.kek.is_none() {
        problems.push(no_kek());
    }
    if matches!(purpose, Purpose::Start | Purpose::StartDev) {
        problems.extend(contradictions(settings));
    }
    problems
}

fn no_database(why: &str) -> String {
    format!(
        "no database: {why}; set --db-url, NIGHTLATCH_DB_URL or KC_DB_URL to postgres://user@host:5432/database, and the \
         password in NIGHTLATCH_DB_PASSWORD_FILE"
    )
}

fn no_kek() -> String {
    "no key-encryption key, which seals client secrets and private keys in the database: make one with `openssl rand -base64 32 \
     > kek`, keep a copy where the database's backups are not, and set --kek-file (or NIGHTLATCH_KEK_FILE)"
        .to_owned()
}

fn for_production(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    if settings.database.url.is_none() {
        problems.push(no_database("start runs on yours (start-dev brings its own)"));
    }
    if settings.hostname.strict && settings.hostname.hostname.is_none() {
        problems.push(
            "no host name: set --hostname (or NIGHTLATCH_HOSTNAME) to the URL that browsers use, as in \
             https://id.example.org; or set --hostname-strict=false if a proxy in front of this server lets only right Host \
             headers through"
                .to_owned(),
        );
    }
    problems
}

fn contradictions(settings: &Settings) -> Vec<String> {
    let mut problems = Vec::new();
    let http = &settings.http;
    if http.port != 0 && http.port == http.management_port && http.host == http.management_host {
        problems.push(format!("http-port and http-management-port are both {}: change one of them", http.port));
    }
    let proxy = &settings.proxy;
    if proxy.headers.is_some() && proxy.trusted.is_empty() {
        problems.push(
            "proxy-headers is set, but nobody's headers would be believed: set --proxy-trusted-addresses to the proxy's \
             address, as in 10.0.0.0/8"
                .to_owned(),
        );
    }
    if proxy.headers.is_none() && !proxy.trusted.is_empty() {
        problems.push(
            "proxy-trusted-addresses is set, but not which headers the proxies write: set --proxy-headers to xforwarded or \
             forwarded"
                .to_owned(),
        );
    }
    if let Some(Hostname::Url(url)) = &settings.hostname.hostname
        && !http.relative_path.is_empty()
        && url.path() == "/"
    {
        problems.push(format!(
            "hostname is {url} but everything is served under {path}: add the path to the host name ({url}{rest}), or give it \
             the path under which the proxy publishes the server",
            path = http.relative_path,
            rest = http.relative_path.trim_start_matches('/'),
        ));
    }
    problems
}
