//! What handlers share: the server's parts, the pages, and how the server is called from outside.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::HeaderMap;
use axum::http::header::HOST;

use crate::base::Timestamp;
use crate::config::{Cidr, Hostname, ProxyHeaders};
use crate::flow::Server;
use crate::telemetry::metrics::Metrics;
use crate::view::{Assets, Templates};

/// The parts of the HTTP side. Cloning shares them.
#[derive(Clone)]
pub struct App(Arc<AppParts>);

pub struct AppParts {
    pub server: Server,
    pub templates: Templates,
    pub assets: Assets,
    pub urls: Urls,
    pub metrics: Metrics,
    /// When this process began to serve.
    pub started_at: Timestamp,
    /// Set when the server is shutting down: it is not ready any more, and finishes what it has begun.
    pub draining: AtomicBool,
}

impl App {
    pub fn new(parts: AppParts) -> Self {
        Self(Arc::new(parts))
    }

    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::SeqCst);
    }
}

impl std::ops::Deref for App {
    type Target = AppParts;

    fn deref(&self) -> &AppParts {
        &self.0
    }
}

/// How the server's addresses are made: from the configured hostname, or from the request where there is none.
#[derive(Clone, Debug)]
pub struct Urls {
    pub hostname: Option<Hostname>,
    pub relative_path: String,
    pub proxy_headers: Option<ProxyHeaders>,
    pub trusted_proxies: Vec<Cidr>,
}

impl Urls {
    /// The address of the server without a slash at the end, e.g. `https://id.example.org`.
    ///
    /// A configured address is the same whatever the request says. Headers of proxies count only from trusted ones.
    pub fn base(&self, headers: &HeaderMap, peer: IpAddr) -> String {
        let path = &self.relative_path;
        match &self.hostname {
            Some(Hostname::Url(url)) => url.as_str().trim_end_matches('/').to_owned(),
            Some(Hostname::Host(host)) => {
                let (scheme, asked) = self.asked(headers, peer);
                let port = asked.rsplit_once(':').filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit())).map(|(_, p)| p);
                let port = port.map(|p| format!(":{p}")).unwrap_or_default();
                format!("{scheme}://{host}{port}{path}")
            }
            None => {
                let (scheme, host) = self.asked(headers, peer);
                format!("{scheme}://{host}{path}")
            }
        }
    }

    /// Whether an address that `base` gave may stand in a letter: it is configured, or nobody but this machine can be meant. A
    /// request may name any host, and who opens the link would carry its secret there (CVE-2017-12161, GHSA-2wmj-46rj-qm2w).
    pub fn vouch_for(&self, base: &str) -> bool {
        let is_loopback = |url: url::Url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        self.hostname.is_some() || url::Url::parse(base).is_ok_and(is_loopback)
    }

    /// Scheme and host that the request was made to.
    fn asked(&self, headers: &HeaderMap, peer: IpAddr) -> (String, String) {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
        let host = headers.get(HOST).and_then(|v| v.to_str().ok()).filter(|h| is_host(h)).unwrap_or("localhost");
        let direct = ("http".to_owned(), host.to_owned());
        if !self.is_trusted(peer) {
            return direct;
        }
        let (scheme, forwarded_host) = match self.proxy_headers {
            Some(ProxyHeaders::XForwarded) => (text("x-forwarded-proto"), text("x-forwarded-host")),
            Some(ProxyHeaders::Forwarded) => {
                let value = text("forwarded").unwrap_or_default();
                (parameter(value, "proto"), parameter(value, "host"))
            }
            None => (None, None),
        };
        let scheme = scheme.filter(|s| matches!(*s, "http" | "https")).unwrap_or("http");
        let host = forwarded_host.filter(|h| is_host(h)).unwrap_or(host);
        (scheme.to_owned(), host.to_owned())
    }

    /// The address of the browser or client: the peer, or whom a trusted proxy names.
    pub fn client_address(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.is_trusted(peer) {
            return peer;
        }
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let named = match self.proxy_headers {
            Some(ProxyHeaders::XForwarded) => text("x-forwarded-for").and_then(|v| v.split(',').next_back()),
            Some(ProxyHeaders::Forwarded) => text("forwarded").and_then(|v| parameter(v, "for")),
            None => None,
        };
        named.and_then(|n| n.trim().trim_matches(['[', ']', '"']).parse().ok()).unwrap_or(peer)
    }

    fn is_trusted(&self, peer: IpAddr) -> bool {
        self.proxy_headers.is_some() && self.trusted_proxies.iter().any(|cidr| cidr.contains(peer))
    }
}

/// One parameter of the first element of a `Forwarded` header (RFC 7239 §4).
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let first = header.split(',').next()?;
    first.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

/// A host with an optional port, and nothing that would make it something else in an address.
fn is_host(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(hostname: Option<Hostname>) -> Urls {
        Urls { hostname, relative_path: String::new(), proxy_headers: None, trusted_proxies: Vec::new() }
    }

    #[test]
    fn ghsa_2wmj_46rj_qm2w_a_configured_address_is_the_same_whatever_the_request_says() {
        let url = url::Url::parse("https://id.example.org/").unwrap();
        let mut headers = HeaderMap::new();
        for name in ["host", "x-forwarded-host", "x-forwarded-proto", "forwarded", "x-original-url"] {
            headers.insert(name, "evil.test".parse().unwrap());
            let base = urls(Some(Hostname::Url(url.clone()))).base(&headers, IpAddr::from([127, 0, 0, 1]));
            assert_eq!(base, "https://id.example.org");
        }
    }

    #[test]
    fn an_address_that_nobody_configured_stands_in_no_letter() {
        let configured = Hostname::Url(url::Url::parse("https://id.example.org/").unwrap());
        assert!(urls(Some(configured)).vouch_for("https://id.example.org"));
        for own in ["http://localhost:8080", "http://127.0.0.1:8080/path", "http://[::1]:8080"] {
            assert!(urls(None).vouch_for(own), "{own}");
        }
        for foreign in
            ["http://evil.test", "http://localhost.evil.test", "http://192.0.2.1", "http://127.0.0.1.evil.test", "", "x"]
        {
            assert!(!urls(None).vouch_for(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        let mut headers = HeaderMap::new();
        headers.insert("host", "a.example/\"><svg>".parse().unwrap());
        assert_eq!(urls(None).base(&headers, IpAddr::from([127, 0, 0, 1])), "http://localhost");
    }
}
