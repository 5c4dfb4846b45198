//! A client's own addresses, as an administrator entered them.

use url::Url;

use crate::model::Client;

/// An address on the web; one that starts with a slash is below the client's root.
pub fn resolve(client: &Client, text: &str, server: &str) -> Option<Url> {
    let absolute = match text.strip_prefix('/') {
        Some(path) => format!("{}/{path}", client.root_url(server).trim_end_matches('/')),
        None => text.to_owned(),
    };
    Url::parse(&absolute).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
}
