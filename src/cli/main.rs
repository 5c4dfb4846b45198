//! From the command line to an exit code.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use super::command::{Cli, ConfigVerb, ExportedUsers, Verb};
use super::signals::Shutdown;
use super::{config_check, dev_key, embedded, healthcheck, output, realm_file, server};
use crate::base::Entropy;
use crate::config::{self, CommandLine, ConfigError, Environment, Loaded, Mode, Purpose, Settings, Surroundings};
use crate::telemetry::{Stream, install_logs};

const BAD_CONFIGURATION: u8 = 3;

/// The whole program.
pub fn main() -> ExitCode {
    // Wrong usage ends here, with clap's message and code 2.
    match run(Cli::parse().verb) {
        Ok(code) => code,
        Err(error) => {
            output::error(format!("error: {error:#}"));
            let code = if error.is::<ConfigError>() { BAD_CONFIGURATION } else { 1 };
            ExitCode::from(code)
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Start(options) => serve(load(&options, Purpose::Start)?)?,
        Verb::StartDev(options) => serve(load(&options, Purpose::StartDev)?)?,
        Verb::Migrate(options) => {
            let settings = command_settings(&options, Purpose::Migrate)?;
            runtime()?.block_on(server::migrate(&settings))?;
        }
        Verb::Sweep { once: _, dry_run, options } => {
            let settings = command_settings(&options, Purpose::Sweep)?;
            runtime()?.block_on(server::sweep_once(&settings, dry_run))?;
        }
        Verb::Export { realm, file, users, options } => {
            let settings = command_settings(&options, Purpose::Files)?;
            let with_users = users == ExportedUsers::SameFile;
            runtime()?.block_on(realm_file::export(&settings, &realm, &file, with_users))?;
        }
        Verb::Import { file, dry_run, options } => {
            let settings = command_settings(&options, Purpose::Files)?;
            runtime()?.block_on(realm_file::import(&settings, &file, dry_run))?;
        }
        Verb::Healthcheck(options) => {
            let settings = load(&options, Purpose::Probe)?.settings;
            let answer = runtime()?.block_on(healthcheck::ask(&settings.http));
            output::line(answer.map_err(anyhow::Error::msg)?);
        }
        Verb::Version => output::line(concat!("nightlatch ", env!("CARGO_PKG_VERSION"))),
        Verb::Config(ConfigVerb::Check { verb, options }) => config_check::report(&load(&options, verb.purpose())?),
        Verb::EmbeddedGuard(args) => return Ok(embedded::guard(&args)),
    }
    Ok(ExitCode::SUCCESS)
}

fn load(options: &CommandLine, purpose: Purpose) -> Result<Loaded, ConfigError> {
    let environment = Environment::of_the_process();
    config::load(options, &environment, &Surroundings::of_the_process(&environment), purpose)
}

/// For verbs that answer on standard output and log beside it.
fn command_settings(options: &CommandLine, purpose: Purpose) -> anyhow::Result<Settings> {
    let settings = load(options, purpose)?.settings;
    install_logs(&settings.logs, Stream::Error)?;
    Ok(settings)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime cannot be started")
}

fn serve(loaded: Loaded) -> anyhow::Result<()> {
    install_logs(&loaded.settings.logs, Stream::Output)?;
    for note in &loaded.notes {
        tracing::warn!("{note}");
    }
    runtime()?.block_on(async {
        let shutdown = Shutdown::on_signals()?;
        if loaded.settings.mode == Mode::Production {
            return server::run(&loaded.settings, Mode::Production, shutdown.requested()).await;
        }
        serve_development(loaded.settings, shutdown).await
    })
}

/// Makes up what is missing, and puts the database away again however the server ended.
async fn serve_development(mut settings: Settings, shutdown: Shutdown) -> anyhow::Result<()> {
    if settings.kek.is_none() {
        embedded::prepare_data_dir(&settings.embedded)?;
        let data_dir = &settings.embedded.data_dir;
        let kek = dev_key::load_or_make(data_dir, &Entropy::Os)
            .with_context(|| format!("the key-encryption key in {} cannot be used", data_dir.display()))?;
        settings = settings.with_kek(kek);
    }
    let mut postgres = None;
    if settings.database.url.is_none() {
        let started = embedded::start(&settings.embedded).await?;
        tracing::info!(
            data_dir = %settings.embedded.data_dir.display(), database = %started.url(),
            "embedded Postgres {} runs; for development, not for clusters", started.major_version()
        );
        settings = settings.with_database(started.url().clone());
        postgres = Some(started);
    }
    let outcome = server::run(&settings, Mode::Development, shutdown.requested()).await;
    if let Some(postgres) = postgres {
        postgres.stop().await;
    }
    outcome
}
