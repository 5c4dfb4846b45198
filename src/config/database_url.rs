//! The address of the database, as Postgres programs or as Java programs spell it.

use url::Url;

use crate::base::Secret;

/// A `postgres://` URL with user and password in it. Its `Debug` and `Display` forms show neither.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl {
    url: Secret,
    shown: String,
}

impl DatabaseUrl {
    /// `username` and `password`, if given, replace those in `text`.
    pub fn parse(text: &str, username: Option<&str>, password: Option<&Secret>) -> Result<Self, String> {
        let mut url = match text.strip_prefix("jdbc:") {
            Some(rest) => from_jdbc(rest)?,
            None => Url::parse(text).map_err(|error| format!("this is no URL: {error}; {EXPECTED}"))?,
        };
        if !["postgres", "postgresql"].contains(&url.scheme()) {
            return Err(format!("the scheme {} is not known; {EXPECTED}", url.scheme()));
        }
        // As parameters, since a URL without a host (a socket) has no place for a user.
        for (name, value) in [("user", username), ("password", password.map(Secret::expose))] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        // What the URL does not say is read from PGPORT by the library; a port left over from a shell must not decide.
        if url.port().is_none() && !url.query_pairs().any(|(name, _)| name == "port") {
            url.query_pairs_mut().append_pair("port", DEFAULT_PORT);
        }
        Ok(Self { shown: shown(&url), url: Secret::new(url) })
    }

    /// A database reached through the socket in the folder `socket`. Nothing is left to PGPORT and PGSSLMODE.
    pub fn on_socket(socket: &str, username: &str, database: &str) -> Result<Self, String> {
        let mut url = Url::parse("postgres:///").map_err(|error| error.to_string())?;
        url.set_path(database);
        url.query_pairs_mut().append_pair("host", socket).append_pair("user", username);
        url.query_pairs_mut().append_pair("port", DEFAULT_PORT).append_pair("sslmode", "disable");
        Ok(Self { shown: shown(&url), url: Secret::new(url) })
    }

    /// The whole URL, password included. Every call is a place to review.
    pub fn expose(&self) -> &str {
        self.url.expose()
    }
}

const DEFAULT_PORT: &str = "5432";
const EXPECTED: &str = "expected postgres://user@host:5432/database or jdbc:postgresql://host:5432/database";

/// `rest` is what follows `jdbc:`. Java's parameters are turned into those that Postgres programs know.
fn from_jdbc(rest: &str) -> Result<Url, String> {
    let wrong = |why: &str| format!("this is no JDBC URL of Postgres: {why}; {EXPECTED}");
    let after = rest.strip_prefix("postgresql:").ok_or_else(|| wrong("it does not begin with jdbc:postgresql:"))?;
    // jdbc:postgresql:database is short for the database of that name on this machine.
    let text = if after.starts_with("//") { format!("postgres:{after}") } else { format!("postgres://localhost/{after}") };
    let authority = text["postgres://".len()..].split(['/', '?']).next().unwrap_or_default();
    if authority.contains(',') {
        return Err(wrong("several hosts are not supported, name the one that accepts writes"));
    }
    let given = Url::parse(&text).map_err(|error| wrong(&error.to_string()))?;
    let mut url = given.clone();
    url.set_query(None);
    let mut ssl = None;
    for (name, value) in given.query_pairs() {
        match (&*name, &*value) {
            ("ssl", "true" | "") => ssl = ssl.or(Some("verify-full".to_owned())),
            ("ssl", _) => {}
            ("sslmode", mode) => ssl = Some(mode.to_owned()),
            ("currentSchema", schema) => drop(url.query_pairs_mut().append_pair("options", &format!("-c search_path={schema}"))),
            ("ApplicationName", name) => drop(url.query_pairs_mut().append_pair("application_name", name)),
            ("user" | "password" | "sslrootcert" | "sslcert" | "sslkey" | "options", value) => {
                url.query_pairs_mut().append_pair(&name, value);
            }
            // The rest tunes the Java driver (prepareThreshold, tcpKeepAlive, …) and changes nothing here.
            _ => {}
        }
    }
    if let Some(mode) = ssl {
        url.query_pairs_mut().append_pair("sslmode", &mode);
    }
    Ok(url)
}

/// The URL without user, password and other parameters; the socket's folder stays.
fn shown(url: &Url) -> String {
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
    let host = host.or_else(|| url.query_pairs().find(|(name, _)| name == "host").map(|(_, value)| value.into_owned()));
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("postgres://{}{port}{}", host.as_deref().unwrap_or("localhost"), url.path())
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        DatabaseUrl::parse(text, None, None).unwrap().expose().to_owned()
    }

    #[test]
    fn postgres_urls_stay_as_they_are_and_always_have_a_port() {
        for url in ["postgres://u:p@db:5433/n?sslmode=require", "postgresql://db/n?port=1", "postgres:///n?host=/run/pg&port=1"] {
            assert_eq!(parsed(url), url);
        }
        assert_eq!(parsed("postgres://db/n"), "postgres://db/n?port=5432");
        assert_eq!(parsed("postgres:///n?host=/run/pg"), "postgres:///n?host=/run/pg&port=5432");
    }

    #[test]
    fn jdbc_urls_are_translated() {
        for (jdbc, expected) in [
            ("jdbc:postgresql://db:5433/keycloak", "postgres://db:5433/keycloak"),
            ("jdbc:postgresql:keycloak", "postgres://localhost/keycloak?port=5432"),
            ("jdbc:postgresql://db/k?user=u&password=p%26q", "postgres://db/k?user=u&password=p%26q&port=5432"),
            ("jdbc:postgresql://db/k?ssl=true&prepareThreshold=0", "postgres://db/k?sslmode=verify-full&port=5432"),
            ("jdbc:postgresql://db/k?ssl=true&sslmode=require", "postgres://db/k?sslmode=require&port=5432"),
            ("jdbc:postgresql://db/k?currentSchema=s", "postgres://db/k?options=-c+search_path%3Ds&port=5432"),
        ] {
            assert_eq!(parsed(jdbc), expected);
        }
    }

    #[test]
    fn user_and_password_given_apart_are_added() {
        let url = DatabaseUrl::parse("jdbc:postgresql://db/k", Some("me"), Some(&Secret::new("a&b"))).unwrap();
        assert_eq!(url.expose(), "postgres://db/k?user=me&password=a%26b&port=5432");
    }

    #[test]
    fn nobody_sees_the_password() {
        let url = DatabaseUrl::parse("postgres://u:s3cret@db:5433/n?password=s3cret", None, None).unwrap();
        assert_eq!(format!("{url} {url:?}"), "postgres://db:5433/n postgres://db:5433/n");
    }

    #[test]
    fn other_databases_and_several_hosts_are_refused() {
        for (text, why) in [
            ("jdbc:mysql://db/k", "jdbc:postgresql"),
            ("mysql://db/k", "scheme mysql"),
            ("jdbc:postgresql://a,b/k", "several hosts"),
            ("nonsense", "no URL"),
        ] {
            let error = DatabaseUrl::parse(text, None, None).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_socket_has_a_url_too() {
        let url = DatabaseUrl::on_socket("/run/a b", "me", "n").unwrap();
        assert_eq!(url.expose(), "postgres:///n?host=%2Frun%2Fa+b&user=me&port=5432&sslmode=disable");
        assert_eq!(url.to_string(), "postgres:///run/a b/n");
    }
}
