//! The sources laid over each other: which value of a key is in force, and where it came from.

use super::command_line::CommandLine;
use super::environment::{self, Environment};
use super::error::ConfigError;
use super::file::File;
use super::keys::{KEYS, Key, Kind};

/// Where a key's value came from, and how it may be shown. For `config check` and the start's log line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    pub key: &'static str,
    /// The value; a secret shows as dots.
    pub shown: String,
    pub source: String,
}

/// A value that somebody gave. Not `Debug`: it may be a secret.
pub(super) struct Given {
    pub(super) values: Vec<String>,
    pub(super) source: String,
}

/// All sources. Later ones are asked only where earlier ones are silent.
pub(super) struct Layers<'a> {
    command_line: &'a CommandLine,
    environment: &'a Environment,
    file: File,
}

impl<'a> Layers<'a> {
    pub(super) fn new(command_line: &'a CommandLine, environment: &'a Environment, file: File) -> Self {
        Self { command_line, environment, file }
    }

    /// The value of a key in force, if anybody gave one. For a secret the plain and the file form stand on one level, and
    /// giving both there is an error.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Given>, String> {
        let levels = [Self::on_the_command_line, Self::in_the_environment, Self::in_the_file];
        for level in levels {
            let (plain, in_file) = (level(self, key, false), key.file_name.and_then(|_| level(self, key, true)));
            match (plain, in_file) {
                (Some(plain), Some(file)) => {
                    return Err(format!("{} and {} are both given: keep one of them", plain.source, file.source));
                }
                (Some(plain), None) => return Ok(Some(split_lists(key, plain))),
                (None, Some(file)) => return read_secret(file).map(Some),
                (None, None) => {}
            }
        }
        Ok(None)
    }

    fn on_the_command_line(&self, key: &Key, as_file: bool) -> Option<Given> {
        let name = spelling(key, as_file);
        let values = self.command_line.values(&name)?.to_vec();
        Some(Given { values, source: format!("--{name}") })
    }

    fn in_the_environment(&self, key: &Key, as_file: bool) -> Option<Given> {
        let (name, value) = self.environment.value(key, if as_file { "_FILE" } else { "" })?;
        (!environment::is_service_link(&name, value)).then(|| Given { values: vec![value.to_owned()], source: name.clone() })
    }

    fn in_the_file(&self, key: &Key, as_file: bool) -> Option<Given> {
        let name = spelling(key, as_file);
        let values = self.file.values.get(&name)?.clone();
        Some(Given { values, source: format!("{name} in {}", self.file.name) })
    }

    /// Every key that was given, in the order of the list.
    pub(super) fn provenance(&self) -> Vec<Provenance> {
        let line = |key: &&'static Key| {
            let given = self.get(key).ok()??;
            let shown = if key.kind == Kind::Secret { "•••".to_owned() } else { given.values.join(",") };
            Some(Provenance { key: key.name, shown, source: given.source })
        };
        KEYS.iter().filter_map(line).collect()
    }
}

/// The file named on the command line or in the environment; none is no error.
pub(super) fn config_file<'a>(command_line: &'a CommandLine, environment: &'a Environment) -> Option<&'a str> {
    command_line.config_file().or_else(|| environment.get(environment::CONFIG_FILE))
}

fn spelling(key: &Key, as_file: bool) -> String {
    if as_file { format!("{}-file", key.name) } else { key.name.to_owned() }
}

fn split_lists(key: &Key, given: Given) -> Given {
    if key.kind != Kind::List {
        return given;
    }
    let parts = given.values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|part| !part.is_empty());
    Given { values: parts.map(str::to_owned).collect(), source: given.source }
}

fn read_secret(given: Given) -> Result<Given, String> {
    let path = given.values.first().map(String::as_str).unwrap_or_default();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {path} cannot be read: {error}", given.source))?;
    // Editors and `echo` end a file with a newline that is no part of the secret.
    let text = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    if text.is_empty() {
        return Err(format!("{}: {path} is empty", given.source));
    }
    Ok(Given { values: vec![text.to_owned()], source: given.source })
}

/// The layers of a configuration with problems in `problems`.
pub(super) fn lay<'a>(command_line: &'a CommandLine, environment: &'a Environment) -> Result<Layers<'a>, ConfigError> {
    let file = config_file(command_line, environment).map(super::file::read).transpose()?.unwrap_or_default();
    Ok(Layers::new(command_line, environment, file))
}

#[cfg(test)]
mod tests {
    use super::super::{file, keys};
    use super::*;

    fn given(key: &Key, command: &[(&str, &str)], env: &[(&str, &str)], toml: &str) -> Result<Option<(String, String)>, String> {
        let (command, env) = (CommandLine::from_pairs(command.iter().copied()), Environment::from_pairs(env.iter().copied()));
        let layers = Layers::new(&command, &env, file::parse("n.toml", toml).ok().unwrap());
        Ok(layers.get(key)?.map(|given| (given.values.join("|"), given.source)))
    }

    #[test]
    fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
        let (command, env, toml) = ([("http-port", "1")], [("KC_HTTP_PORT", "2")], "http-port = 3");
        let source = |command: &[_], env: &[_], toml| given(&keys::HTTP_PORT, command, env, toml).unwrap();
        assert_eq!(source(&command, &env, toml), Some(("1".into(), "--http-port".into())));
        assert_eq!(source(&[], &env, toml), Some(("2".into(), "KC_HTTP_PORT".into())));
        assert_eq!(source(&[], &[], toml), Some(("3".into(), "http-port in n.toml".into())));
        assert_eq!(source(&[], &[], ""), None);
    }

    #[test]
    fn lists_are_repeated_or_have_commas() {
        let env = [("NIGHTLATCH_IMPORT_REALM", "a.json, b.json")];
        assert_eq!(given(&keys::IMPORT_REALM, &[], &env, "").unwrap().unwrap().0, "a.json|b.json");
        let command = [("import-realm", "a.json"), ("import-realm", "b.json")];
        assert_eq!(given(&keys::IMPORT_REALM, &command, &[], "").unwrap().unwrap().0, "a.json|b.json");
    }

    #[test]
    fn a_secret_comes_from_a_file_without_its_last_newline() {
        let path = std::env::temp_dir().join(format!("nightlatch-secret-{}", std::process::id()));
        std::fs::write(&path, "s3 cret \n").unwrap();
        let env = [("NIGHTLATCH_DB_PASSWORD_FILE", path.to_str().unwrap())];
        assert_eq!(given(&keys::DB_PASSWORD, &[], &env, "").unwrap().unwrap().0, "s3 cret ");
        std::fs::remove_file(&path).unwrap();
        assert!(given(&keys::DB_PASSWORD, &[], &env, "").unwrap_err().contains("cannot be read"));
    }

    #[test]
    fn a_secret_given_twice_on_one_level_is_an_error() {
        let env = [("KC_DB_PASSWORD", "a"), ("NIGHTLATCH_DB_PASSWORD_FILE", "b")];
        let error = given(&keys::DB_PASSWORD, &[], &env, "").unwrap_err();
        assert_eq!(error, "KC_DB_PASSWORD and NIGHTLATCH_DB_PASSWORD_FILE are both given: keep one of them");
        let command = [("db-password", "c")];
        assert_eq!(given(&keys::DB_PASSWORD, &command, &env, "").unwrap().unwrap().0, "c");
    }
}
