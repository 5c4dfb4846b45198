//! The keys as options of the command line.
//!
//! The options are made from the list of keys, so a key cannot be in one place and not in the other. Values stay texts
//! here; whether they are numbers is decided once for all sources, with the source in the message.

use std::collections::BTreeMap;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::keys::{self, KEYS, Key, Kind};

/// The file option stands outside the list of keys: it cannot stand in the file.
pub(super) const CONFIG_FILE: &str = "config-file";

/// What was given on the command line, by name of the key (or its `-file` form). Not `Debug`: it holds secrets.
#[derive(Clone, Default)]
pub struct CommandLine {
    values: BTreeMap<String, Vec<String>>,
}

impl CommandLine {
    /// Options as if they had been typed; for programs that start a server in their own process.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut values = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in pairs {
            values.entry(name.to_owned()).or_default().push(value.to_owned());
        }
        Self { values }
    }

    pub(super) fn values(&self, name: &str) -> Option<&[String]> {
        self.values.get(name).map(Vec::as_slice)
    }

    pub(super) fn config_file(&self) -> Option<&str> {
        self.values(CONFIG_FILE)?.first().map(String::as_str)
    }
}

impl Args for CommandLine {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(CONFIG_FILE)
            .long(CONFIG_FILE)
            .value_name("FILE")
            .help("TOML file with the keys below, without the dashes in front [env: NIGHTLATCH_CONFIG_FILE]");
        let command = command.arg(file);
        KEYS.iter().fold(command, |command, key| {
            let command = command.arg(option(key));
            match key.file_name {
                Some(name) => command.arg(file_option(key, name)),
                None => command,
            }
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn option(key: &'static Key) -> Arg {
    let mut names = key.environment_name();
    if let Some(keycloak) = key.keycloak_name() {
        names = format!("{names}, {keycloak}");
    }
    let default = if key.default.is_empty() { String::new() } else { format!(" [default: {}]", key.default) };
    let arg = Arg::new(key.name)
        .long(key.name)
        .value_name(key.placeholder)
        .value_parser(ValueParser::string())
        .help_heading(key.group)
        .help(format!("{} [env: {names}]{default}", key.help));
    match key.kind {
        Kind::Flag => arg.num_args(0..=1).default_missing_value("true"),
        Kind::List => arg.action(ArgAction::Append),
        Kind::Text | Kind::Secret => arg,
    }
}

fn file_option(key: &'static Key, name: &'static str) -> Arg {
    let help = format!("File that holds {} [env: {}_FILE]", key.name, key.environment_name());
    Arg::new(name).long(name).value_name("FILE").help_heading(key.group).help(help)
}

impl FromArgMatches for CommandLine {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name: &str| {
            let values = matches.get_many::<String>(name)?.cloned().collect();
            Some((name.to_owned(), values))
        };
        let values = keys::names().chain([CONFIG_FILE]).filter_map(given).collect();
        Ok(Self { values })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.values.extend(Self::from_arg_matches(matches)?.values);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> CommandLine {
        let command = CommandLine::augment_args(Command::new("nightlatch").no_binary_name(true));
        CommandLine::from_arg_matches(&command.try_get_matches_from(args).unwrap()).unwrap()
    }

    #[test]
    fn values_are_kept_under_their_key() {
        let given = parse(&["--http-port", "1", "--import-realm=a.json", "--import-realm", "b.json", "--kek-file", "k"]);
        assert_eq!(given.values("http-port"), Some(&["1".to_owned()][..]));
        assert_eq!(given.values("import-realm"), Some(&["a.json".to_owned(), "b.json".to_owned()][..]));
        assert_eq!(given.values("kek-file"), Some(&["k".to_owned()][..]));
        assert_eq!(given.values("db-url"), None);
    }

    #[test]
    fn a_flag_alone_means_true() {
        for (args, value) in [(&["--hostname-strict"][..], "true"), (&["--hostname-strict=false"], "false")] {
            assert_eq!(parse(args).values("hostname-strict"), Some(&[value.to_owned()][..]));
        }
    }
}
