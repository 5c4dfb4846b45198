//! `nightlatch config check`: what is in force and where it came from.

use super::output;
use crate::config::{Loaded, Mode};

/// Prints the keys that were given; those that were not have the defaults that `--help` shows.
pub(super) fn report(loaded: &Loaded) {
    let width = loaded.provenance.iter().map(|line| line.key.len()).max().unwrap_or(0);
    for line in &loaded.provenance {
        output::line(format!("{:width$}  {}  ({})", line.key, line.shown, line.source));
    }
    for note in &loaded.notes {
        output::line(format!("note: {note}"));
    }
    let settings = &loaded.settings;
    if let Some(url) = &settings.database.url {
        output::line(format!("database: {url}"));
    } else if settings.mode == Mode::Development {
        output::line(format!("database: embedded Postgres, data in {}", settings.embedded.data_dir.display()));
    }
    output::line("the configuration is complete");
}
