//! The message files: Java properties with texts in Java's MessageFormat, as Keycloak's themes have them.
//!
//! Nothing in here fails: a faulty line is read as Java would read it, or as it stands. A theme may bring any file.

mod format;
mod properties;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

/// The texts of one language by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bundle(HashMap<String, String>);

impl Bundle {
    /// Reads a properties file. A later line wins over an earlier one with the same key.
    pub(super) fn parse(file: &[u8]) -> Self {
        Self(properties::read(file).collect())
    }

    /// Takes over what the other has.
    pub(super) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    #[cfg(test)]
    pub(super) fn pattern(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// The text with its arguments filled in; an unknown key is its own text.
    pub(super) fn format(&self, key: &str, arguments: &[String]) -> String {
        self.0.get(key).map_or_else(|| key.to_owned(), |pattern| format::fill_in(pattern, arguments))
    }

    /// The text that `${key}` stands for. What is no such thing, or unknown, is the answer itself.
    pub(super) fn resolve<'a>(&'a self, text: &'a str) -> &'a str {
        let key = text.strip_prefix("${").and_then(|t| t.strip_suffix('}'));
        key.and_then(|key| self.0.get(key)).map_or(text, String::as_str)
    }

    /// Seconds in words, the two largest units that are needed: "30 days", "1 day 12 hours". Less is never rounded up.
    pub(super) fn duration(&self, seconds: i64) -> String {
        const UNITS: [(i64, &str, &str); 4] = [
            (86_400, "durationDay", "durationDays"),
            (3_600, "durationHour", "durationHours"),
            (60, "durationMinute", "durationMinutes"),
            (1, "durationSecond", "durationSeconds"),
        ];
        let words = |count: i64, (_, one, many): (i64, &str, &str)| match count {
            1 => self.format(one, &[]),
            _ => self.format(many, &[count.to_string()]),
        };
        let seconds = seconds.max(0);
        let largest = UNITS.iter().position(|(length, ..)| seconds >= *length).unwrap_or(UNITS.len() - 1);
        let first = words(seconds / UNITS[largest].0, UNITS[largest]);
        match UNITS.get(largest + 1).map(|unit| (seconds % UNITS[largest].0 / unit.0, *unit)) {
            Some((count, unit)) if count > 0 => self.format("durationTwo", &[first, words(count, unit)]),
            _ => first,
        }
    }
}
