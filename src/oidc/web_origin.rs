//! Which origins may read a client's answers in a browser (Fetch: CORS), by the client's web origins.
//!
//! An `Origin` that is neither the server's own nor one of the client's is refused and nothing is done (CVE-2026-37977: the
//! origin is never taken from an unverified token).

use url::Url;

use crate::model::Client;

/// The client's web origins with `+` resolved to the origins of its redirect URIs.
pub fn of_client(client: &Client) -> Vec<String> {
    let mut origins: Vec<String> = Vec::new();
    for entry in &client.settings.web_origins {
        if entry == "+" {
            origins.extend(client.settings.redirect_uris.iter().filter_map(|uri| origin_of(uri, client)));
        } else {
            origins.push(entry.trim_end_matches('/').to_owned());
        }
    }
    origins.sort();
    origins.dedup();
    origins
}

fn origin_of(redirect_uri: &str, client: &Client) -> Option<String> {
    let absolute = match client.settings.root_url.as_deref() {
        Some(root) if redirect_uri.starts_with('/') => format!("{}{redirect_uri}", root.trim_end_matches('/')),
        _ => redirect_uri.to_owned(),
    };
    let parsed = Url::parse(absolute.trim_end_matches('*')).ok()?;
    matches!(parsed.scheme(), "http" | "https").then(|| parsed.origin().ascii_serialization())
}

/// Whether a page of this origin may call. `null`, which sandboxed and local pages send, is nobody's origin.
pub fn allows(origins: &[String], origin: &str) -> bool {
    origin != "null" && origins.iter().any(|allowed| allowed == "*" || allowed == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_allows_every_origin_but_null() {
        let star = ["*".to_owned()];
        assert!(allows(&star, "https://a.example"));
        assert!(!allows(&star, "null"));
        assert!(!allows(&["https://a.example".to_owned()], "https://b.example"));
    }
}
