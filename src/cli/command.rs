//! The verbs and their options.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use super::embedded::GuardArgs;
use crate::config::{CommandLine, Purpose};

/// An OpenID Connect authorization server that speaks Keycloak's protocol.
#[derive(Parser)]
#[command(name = "nightlatch", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the configuration cannot be used.";

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Run the server in production: database, host name and key-encryption key must be given
    Start(CommandLine),
    /// Run the server for development: needs nothing, brings its own database and a demo realm
    StartDev(CommandLine),
    /// Bring the database to this version's schema and end
    Migrate(CommandLine),
    /// Remove what has lapsed, as the running server does by itself
    Sweep {
        /// Run once and end; the only way so far
        #[arg(long, required = true)]
        once: bool,
        /// Count what would be removed and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        options: CommandLine,
    },
    /// Write a realm to a file, as Keycloak writes one: with its users, its keys and all secrets
    Export {
        /// The name of the realm
        #[arg(long)]
        realm: String,
        /// Where to; a file that is there is left alone
        #[arg(long)]
        file: PathBuf,
        /// Whether the users are among it
        #[arg(long, value_enum, default_value = "same_file")]
        users: ExportedUsers,
        #[command(flatten)]
        options: CommandLine,
    },
    /// Make a realm from a file, as the server does at its start; a realm that is there is left as it is
    Import {
        /// A realm file of this server or of Keycloak
        #[arg(long)]
        file: PathBuf,
        /// Say what would come of it, or how the realm that is there differs from the file, and write nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        options: CommandLine,
    },
    /// Ask the server on this machine whether it is ready; for containers
    Healthcheck(CommandLine),
    /// Print the version
    Version,
    /// Look at the configuration without starting anything
    #[command(subcommand)]
    Config(ConfigVerb),
    /// The companion that keeps the embedded database; started by the server itself
    #[command(hide = true)]
    EmbeddedGuard(GuardArgs),
}

#[derive(Subcommand)]
pub(super) enum ConfigVerb {
    /// Say what is in force, where it came from, and what is missing
    Check {
        /// The verb to check for
        #[arg(value_enum, default_value = "start")]
        verb: CheckedVerb,
        #[command(flatten)]
        options: CommandLine,
    },
}

/// Keycloak's words, as far as there is one file.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum ExportedUsers {
    SameFile,
    Skip,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum CheckedVerb {
    Start,
    StartDev,
    Migrate,
    Sweep,
}

impl CheckedVerb {
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::Start => Purpose::Start,
            Self::StartDev => Purpose::StartDev,
            Self::Migrate => Purpose::Migrate,
            Self::Sweep => Purpose::Sweep,
        }
    }
}

/// The whole command line, for whoever needs to know whether a verb or an option exists.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn a_sweep_must_be_told_to_run_once() {
        assert!(Cli::try_parse_from(["nightlatch", "sweep"]).is_err());
        let cli = Cli::try_parse_from(["nightlatch", "sweep", "--once", "--dry-run", "--db-url", "postgres://h/n"]).ok().unwrap();
        assert!(matches!(cli.verb, Verb::Sweep { once: true, dry_run: true, .. }));
    }

    #[test]
    fn an_unknown_option_is_an_error_that_names_the_nearest() {
        let error = Cli::try_parse_from(["nightlatch", "start-dev", "--http-prot", "1"]).err().unwrap();
        assert!(error.to_string().contains("--http-port"), "{error}");
    }
}
