//! Log lines, for people or as JSON.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::config::{LogFormat, LogSettings};

/// Where the lines go. A server's are its output; a command that answers on standard output logs beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

#[derive(Debug, thiserror::Error)]
pub enum LogError {
    #[error("log-level is not understood: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("logs are set up already")]
    Twice,
}

/// Sends the log lines of the whole process to `stream`. Once per process.
pub fn install(settings: &LogSettings, stream: Stream) -> Result<(), LogError> {
    let filter = EnvFilter::builder().parse(settings.filter.directives())?;
    let writer = match stream {
        Stream::Output => BoxMakeWriter::new(std::io::stdout),
        Stream::Error => BoxMakeWriter::new(std::io::stderr),
    };
    let colour = settings.colour && stream == Stream::Output;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colour);
    let installed = match settings.format {
        LogFormat::Human => lines.try_init(),
        // Fields beside `level` and `target` rather than below `fields`: collectors search flat names.
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    installed.map_err(|_| LogError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_of_the_configuration_is_one_of_the_library() {
        for text in ["info", "off", "FATAL", "warn,nightlatch::store:debug,sqlx=all"] {
            let filter: crate::config::LogFilter = text.parse().unwrap();
            EnvFilter::builder().parse(filter.directives()).unwrap();
        }
    }
}
