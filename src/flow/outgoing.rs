//! Requests that this server makes to others: to clients, at addresses that an administrator has entered.
//!
//! Nothing of a request from outside gets into such an address (CVE-2026-4874). Redirects are not followed, an answer's body is
//! read only where a client's keys are asked for, and then up to a limit, and what takes longer than a few seconds has failed.
//! Addresses of the local network are an administrator's to choose; link-local ones are not asked: clouds answer there with
//! secrets of the machine (CVE-2026-1180).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use url::{Host, Url};

use super::key_sets::KeySets;

/// How long an attempt may take, from the name's resolution to the answer's head.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A client for such requests. Cloning shares its connections, and the key sets that were fetched.
#[derive(Clone, Debug)]
pub struct Outgoing {
    http: reqwest::Client,
    key_sets: KeySets,
}

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
            let builder = reqwest::Client::builder().redirect(none).timeout(TIMEOUT).no_proxy().user_agent("nightlatch");
            builder.dns_resolver(NoLinkLocal)
        };
        let client = builder().build().unwrap_or_else(|error| {
            tracing::warn!(%error, "no certificate authorities were found: clients with https addresses cannot be told of a logout. Debian's package is ca-certificates");
            builder().tls_certs_only([]).build().unwrap_or_default()
        });
        Self { http: client, key_sets: KeySets::default() }
    }

    pub(super) fn key_sets(&self) -> &KeySets {
        &self.key_sets
    }

    /// Gets a text of at most `limit` bytes.
    pub async fn get_text(&self, url: &str, limit: usize) -> Result<String, OutgoingError> {
        let refused = |why: &str| OutgoingError(why.to_owned());
        let mut response = self.http.get(address(url)?).header("accept", "application/json").send().await?;
        if response.status().as_u16() != 200 {
            return Err(OutgoingError(format!("the answer was {}", response.status().as_u16())));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Err(refused("the answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| refused("the answer is no text"))
    }

    /// Posts a form; the status of the answer.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<u16, OutgoingError> {
        Ok(self.http.post(address(url)?).form(fields).send().await?.status().as_u16())
    }

    /// Posts plain text; the status of the answer.
    pub async fn post_text(&self, url: &str, text: String) -> Result<u16, OutgoingError> {
        let request = self.http.post(address(url)?).header("content-type", "text/plain").body(text);
        Ok(request.send().await?.status().as_u16())
    }
}

/// An address that may be asked. Names are looked at where they are looked up.
fn address(url: &str) -> Result<Url, OutgoingError> {
    let url = Url::parse(url).map_err(|_| OutgoingError("the address is none".to_owned()))?;
    let is_literal_link = match url.host() {
        Some(Host::Ipv4(ip)) => is_link_local(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_link_local(IpAddr::V6(ip)),
        _ => false,
    };
    if is_literal_link || !matches!(url.scheme(), "http" | "https") {
        return Err(OutgoingError("the address is not one to ask".to_owned()));
    }
    Ok(url)
}

/// Looks names up, and leaves link-local addresses out.
struct NoLinkLocal;

impl Resolve for NoLinkLocal {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|address| !is_link_local(address.ip())).collect();
            if allowed.is_empty() {
                Err("the name has no address to ask".into())
            } else {
                Ok(Box::new(allowed.into_iter()) as Addrs)
            }
        })
    }
}

/// `169.254.0.0/16` and `fe80::/10`, the former also as IPv6 writes it.
fn is_link_local(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cve_2026_1180_link_local_addresses_are_known_in_each_spelling() {
        for text in ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "febf::1"] {
            assert!(is_link_local(text.parse().unwrap()), "{text}");
        }
        for text in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "::1", "2001:db8::1"] {
            assert!(!is_link_local(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn cve_2026_1180_what_is_no_address_to_ask_is_not_asked() {
        let outgoing = Outgoing::new();
        let addresses = [
            "http://169.254.169.254/latest/meta-data",
            "http://[::ffff:a9fe:a9fe]/",
            "http://0xa9fea9fe/",
            "file:///etc/passwd",
            "ftp://example.org/",
            "nonsense",
        ];
        for address in addresses {
            let error = outgoing.get_text(address, 100).await.unwrap_err().to_string();
            assert!(error.contains("address"), "{address}: {error}");
            let error = outgoing.post_form(address, &[("a", "b")]).await.unwrap_err().to_string();
            assert!(error.contains("address"), "{address}: {error}");
            let error = outgoing.post_text(address, String::new()).await.unwrap_err().to_string();
            assert!(error.contains("address"), "{address}: {error}");
        }
    }
}
