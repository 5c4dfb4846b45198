//! The TOML file: the same flat keys.

use std::collections::BTreeMap;

use super::error::ConfigError;
use super::keys::{self, KEYS, Kind};
use super::nearest;

/// What the file says, by name of the key (or its `-file` form). Not `Debug`: it holds secrets.
#[derive(Clone, Default)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) values: BTreeMap<String, Vec<String>>,
}

/// Reads and parses the file at `path`.
pub(super) fn read(path: &str) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::one(format!("the configuration file {path} cannot be read: {error}")))?;
    parse(path, &text)
}

pub(super) fn parse(name: &str, text: &str) -> Result<File, ConfigError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| {
        // The parser's own display quotes the line, which may hold a secret.
        let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        ConfigError::one(format!("{name}, line {line}: {}", error.message()))
    })?;
    let (mut values, mut problems) = (BTreeMap::new(), Vec::new());
    for (key, value) in table {
        if !keys::names().any(|name| name == key) {
            let hint = nearest::hint(&key, keys::names());
            problems.push(format!("{name}: there is no key {key}.{hint}"));
            continue;
        }
        let list = KEYS.iter().any(|known| known.name == key && known.kind == Kind::List);
        match texts(value, list) {
            Some(texts) => drop(values.insert(key, texts)),
            None => problems
                .push(format!("{name}: {key} must be a text, a number or true/false{}", if list { ", or a list" } else { "" })),
        }
    }
    ConfigError::unless_empty(problems)?;
    Ok(File { name: name.to_owned(), values })
}

fn texts(value: toml::Value, list: bool) -> Option<Vec<String>> {
    match value {
        toml::Value::Array(items) if list => items.into_iter().map(text).collect(),
        other => Some(vec![text(other)?]),
    }
}

fn text(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_numbers_flags_and_lists_are_read() {
        let text = "http-port = 81\nhostname-strict = false\nhostname = \"h\"\nimport-realm = [\"a\", \"b\"]\nkek-file = \"k\"";
        let file = parse("n.toml", text).ok().unwrap();
        assert_eq!(file.values["http-port"], ["81"]);
        assert_eq!(file.values["hostname-strict"], ["false"]);
        assert_eq!(file.values["import-realm"], ["a", "b"]);
        assert_eq!(file.values["kek-file"], ["k"]);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_the_nearest() {
        let error = parse("n.toml", "http-prot = 1\nhttp-host = [\"a\"]").err().unwrap();
        assert_eq!(error.problems[0], "n.toml: http-host must be a text, a number or true/false");
        assert_eq!(error.problems[1], "n.toml: there is no key http-prot. Did you mean http-port?");
    }

    #[test]
    fn a_syntax_error_names_the_line_and_does_not_show_it() {
        let error = parse("n.toml", "http-port = 1\ndb-password = s3cret\n").err().unwrap();
        assert!(error.problems[0].starts_with("n.toml, line 2: "), "{error}");
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn the_example_names_every_key_and_is_a_valid_file_with_every_comment_sign_removed() {
        let example = include_str!("../../config/nightlatch.example.toml");
        assert!(parse("example", example).ok().unwrap().values.is_empty());
        let live: String = example
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .fold(String::new(), |text, line| text + line + "\n");
        let file = parse("example", &live).unwrap_or_else(|error| panic!("{error}"));
        for key in KEYS {
            let named = file.values.contains_key(key.name) || key.file_name.is_some_and(|name| file.values.contains_key(name));
            assert!(named, "{} is missing", key.name);
        }
    }
}
