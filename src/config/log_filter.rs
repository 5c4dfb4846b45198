//! Log levels in Keycloak's spelling: `info`, or `info,nightlatch::store:debug`.

use std::str::FromStr;

/// The level of everything, and of parts by the beginning of their module path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    root: &'static str,
    parts: Vec<(String, &'static str)>,
}

impl LogFilter {
    /// The default: everything at `info`.
    pub fn info() -> Self {
        Self { root: "info", parts: Vec::new() }
    }

    /// The same in the spelling of `tracing-subscriber`: `info,nightlatch::store=debug`.
    pub fn directives(&self) -> String {
        self.parts.iter().fold(self.root.to_owned(), |text, (part, level)| format!("{text},{part}={level}"))
    }
}

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self::info();
        for piece in text.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
            // The last sign, since module paths have colons themselves.
            match piece.rsplit_once(['=', ':']) {
                Some((part, word)) if is_module_path(part) => filter.parts.push((part.to_owned(), level(word)?)),
                Some((part, _)) => return Err(format!("{part:?} is no module path, as in nightlatch::store")),
                None => filter.root = level(piece)?,
            }
        }
        Ok(filter)
    }
}

fn is_module_path(part: &str) -> bool {
    !part.is_empty()
        && part.split("::").all(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// `fatal` and `all` are Keycloak's.
fn level(word: &str) -> Result<&'static str, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "off" => "off",
        "error" | "fatal" => "error",
        "warn" => "warn",
        "info" => "info",
        "debug" => "debug",
        "trace" | "all" => "trace",
        _ => return Err(format!("{word:?} is no level: take off, error, warn, info, debug or trace")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keycloaks_spelling_is_understood() {
        for (text, directives) in [
            ("INFO", "info"),
            ("", "info"),
            ("warn,nightlatch::store:debug, sqlx=ALL", "warn,nightlatch::store=debug,sqlx=trace"),
            ("nightlatch:FATAL", "info,nightlatch=error"),
        ] {
            assert_eq!(text.parse::<LogFilter>().unwrap().directives(), directives, "{text}");
        }
    }

    #[test]
    fn what_is_no_level_is_named() {
        assert!("loud".parse::<LogFilter>().unwrap_err().contains("\"loud\" is no level"));
        assert!("org.keycloak:debug".parse::<LogFilter>().unwrap_err().contains("no module path"));
    }
}
