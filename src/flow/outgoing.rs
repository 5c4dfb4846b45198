//! Requests that this server makes to others: to clients, at addresses that an administrator has entered.
//!
//! Nothing of a request from outside gets into such an address (CVE-2026-4874). Redirects are not followed, an answer's body is
//! not read, and what takes longer than a few seconds has failed.

use std::time::Duration;

use thiserror::Error;

/// How long an attempt may take, from the name's resolution to the answer's head.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client for such requests. Cloning shares its connections.
#[derive(Clone, Debug)]
pub struct Outgoing(reqwest::Client);

/// Why nobody answered.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct OutgoingError(String);

impl From<reqwest::Error> for OutgoingError {
    /// Without the address: it may hold a secret.
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            cause = inner.source();
        }
        Self(text)
    }
}

impl Outgoing {
    /// Trusts the certificate authorities of the machine. Where there are none, only plain addresses can be reached.
    pub fn new() -> Self {
        let builder = || {
            let none = reqwest::redirect::Policy::none();
            reqwest::Client::builder().redirect(none).timeout(TIMEOUT).no_proxy().user_agent("nightlatch")
        };
        let client = builder().build().unwrap_or_else(|error| {
            tracing::warn!(%error, "no certificate authorities were found: clients with https addresses cannot be told of a logout. Debian's package is ca-certificates");
            builder().tls_certs_only([]).build().unwrap_or_default()
        });
        Self(client)
    }

    /// Posts a form; the status of the answer.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<u16, OutgoingError> {
        Ok(self.0.post(url).form(fields).send().await?.status().as_u16())
    }

    /// Posts plain text; the status of the answer.
    pub async fn post_text(&self, url: &str, text: String) -> Result<u16, OutgoingError> {
        let request = self.0.post(url).header("content-type", "text/plain").body(text);
        Ok(request.send().await?.status().as_u16())
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new()
    }
}
