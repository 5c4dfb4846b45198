//! A text to be shown, before it is known in which language.

use serde::Serialize;

/// The key of a text in the message files, and what stands in its `{0}`, `{1}` …
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    key: &'static str,
    args: Vec<String>,
}

impl Message {
    pub const fn new(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// Adds the next argument.
    pub fn with(mut self, argument: impl Into<String>) -> Self {
        self.args.push(argument.into());
        self
    }

    pub(super) fn args(&self) -> &[String] {
        &self.args
    }

    pub fn key(&self) -> &'static str {
        self.key
    }
}

impl From<&'static str> for Message {
    fn from(key: &'static str) -> Self {
        Self::new(key)
    }
}
