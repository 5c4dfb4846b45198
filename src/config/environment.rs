//! The environment, read once.

use std::collections::BTreeMap;

use super::keys::{KEYS, Key};
use super::nearest;

/// The variables of the process. Not `Debug`: it holds secrets.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

const OWN: &str = "NIGHTLATCH_";
const KEYCLOAK: &str = "KC_";
pub(super) const CONFIG_FILE: &str = "NIGHTLATCH_CONFIG_FILE";

impl Environment {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn of_the_process() -> Self {
        let text =
            |(name, value): (std::ffi::OsString, std::ffi::OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self { variables: std::env::vars_os().filter_map(text).collect() }
    }

    /// A made-up environment.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { variables: pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    /// The value, unless it is empty: compose files pass empty texts for what was not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a key and the variable it came from: ours before Keycloak's.
    pub(super) fn value(&self, key: &Key, suffix: &str) -> Option<(String, &str)> {
        let names = [Some(key.environment_name()), key.keycloak_name()];
        names.into_iter().flatten().map(|name| name + suffix).find_map(|name| {
            let value = self.get(&name)?;
            Some((name, value))
        })
    }

    /// Variables that look like ours and are not: problems. Keycloak's that mean nothing here: notes, since a compose file
    /// for Keycloak sets many.
    pub(super) fn strangers(&self) -> (Vec<String>, Vec<String>) {
        let (mut problems, mut notes) = (Vec::new(), Vec::new());
        let known = known_names();
        for (name, value) in &self.variables {
            if known.contains(name) || is_service_link(name, value) {
                continue;
            }
            if name.starts_with(OWN) {
                let hint = nearest::hint(name, known.iter().map(String::as_str));
                problems.push(format!("environment variable {name}: there is no such key.{hint}"));
            } else if name.starts_with(KEYCLOAK) {
                notes.push(format!("environment variable {name} means nothing here and is ignored"));
            }
        }
        (problems, notes)
    }
}

fn known_names() -> Vec<String> {
    let mut names = vec![CONFIG_FILE.to_owned()];
    for key in KEYS {
        for name in [Some(key.environment_name()), key.keycloak_name()].into_iter().flatten() {
            names.extend(key.file_name.map(|_| format!("{name}_FILE")));
            names.push(name);
        }
    }
    names
}

/// Whether the variable is one that Kubernetes sets for a Service named `nightlatch…`: `NIGHTLATCH_SERVICE_HOST`,
/// `NIGHTLATCH_PORT=tcp://…`, `NIGHTLATCH_PORT_8080_TCP_ADDR`. Nobody chose those, so they cannot be mistakes.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let after_port = |rest: &str| {
        let mut parts = rest.split('_');
        parts.next().is_some_and(|port| port.parse::<u16>().is_ok())
            && parts.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || (name.ends_with("_PORT") && value.contains("://"))
        || name.match_indices("_PORT_").any(|(at, separator)| after_port(&name[at + separator.len()..]))
}

#[cfg(test)]
mod tests {
    use super::super::keys::{DB_PASSWORD, HTTP_PORT};
    use super::*;

    #[test]
    fn our_name_wins_over_keycloaks() {
        let both = Environment::from_pairs([("KC_HTTP_PORT", "1"), ("NIGHTLATCH_HTTP_PORT", "2")]);
        assert_eq!(both.value(&HTTP_PORT, ""), Some(("NIGHTLATCH_HTTP_PORT".to_owned(), "2")));
        let keycloak = Environment::from_pairs([("KC_HTTP_PORT", "1"), ("NIGHTLATCH_HTTP_PORT", "")]);
        assert_eq!(keycloak.value(&HTTP_PORT, ""), Some(("KC_HTTP_PORT".to_owned(), "1")));
        let file = Environment::from_pairs([("KC_DB_PASSWORD_FILE", "f")]);
        assert_eq!(file.value(&DB_PASSWORD, "_FILE"), Some(("KC_DB_PASSWORD_FILE".to_owned(), "f")));
    }

    #[test]
    fn a_stranger_is_a_problem_under_our_prefix_and_a_note_under_keycloaks() {
        let given = Environment::from_pairs([("NIGHTLATCH_HTTP_PROT", "1"), ("KC_FEATURES", "x"), ("HOME", "/h")]);
        let (problems, notes) = given.strangers();
        assert_eq!(
            problems,
            ["environment variable NIGHTLATCH_HTTP_PROT: there is no such key. Did you mean NIGHTLATCH_HTTP_PORT?"]
        );
        assert_eq!(notes, ["environment variable KC_FEATURES means nothing here and is ignored"]);
    }

    #[test]
    fn what_kubernetes_sets_for_a_service_of_our_name_is_no_mistake() {
        let given = Environment::from_pairs([
            ("NIGHTLATCH_SERVICE_HOST", "10.0.0.1"),
            ("NIGHTLATCH_SERVICE_PORT_HTTP", "8080"),
            ("NIGHTLATCH_PORT", "tcp://10.0.0.1:8080"),
            ("NIGHTLATCH_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("NIGHTLATCH_DB_PORT_5432_TCP", "tcp://10.0.0.1:5432"),
        ]);
        assert_eq!(given.strangers(), (vec![], vec![]));
        assert!(!is_service_link("NIGHTLATCH_HTTP_PROT", "8080"));
    }
}
