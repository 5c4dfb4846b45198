//! Which redirect URIs fit which registered ones (RFC 9700 §2.1, RFC 8252 §7.3, and Keycloak's patterns).
//!
//! The URI that is accepted is the URI that is redirected to, byte for byte. It is compared as text with exact entries. A
//! pattern (an entry that ends in `*`) matches a prefix only of a URI that every parser reads alike: no user info, no `..` in
//! any encoding, no backslash, no control or foreign character, no `;` segment, and a host in its registered form.

use percent_encoding::percent_decode_str;
use url::Url;

/// Longer ones are refused before anything is looked at.
const MAX_LENGTH: usize = 2_048;

/// Schemes that run or read something in the browser instead of going somewhere (CVE-2020-10776, CVE-2022-4361).
const FORBIDDEN_SCHEMES: [&str; 7] = ["javascript", "data", "vbscript", "file", "blob", "about", "view-source"];

/// Whether `uri` fits one of the registered entries. Relative entries stand below `root_url`.
pub fn matches(uri: &str, registered: &[String], root_url: &str) -> bool {
    is_acceptable(uri) && registered.iter().any(|entry| fits(uri, &absolute(entry, root_url)))
}

/// A relative entry made absolute.
fn absolute(entry: &str, root_url: &str) -> String {
    if entry.starts_with('/') { format!("{}{entry}", root_url.trim_end_matches('/')) } else { entry.to_owned() }
}

/// What no redirect may ever look like, whatever is registered.
fn is_acceptable(uri: &str) -> bool {
    let visible = uri.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'\\' | b'"' | b'<' | b'>' | b'`'));
    !uri.is_empty() && uri.len() <= MAX_LENGTH && visible && scheme(uri).is_some_and(|s| !is_forbidden_scheme(&s))
}

/// Whether something with this scheme may be registered at all.
pub fn is_forbidden_scheme(scheme: &str) -> bool {
    FORBIDDEN_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
}

/// The scheme in lower case, if the text has one (RFC 3986 §3.1).
pub fn scheme(uri: &str) -> Option<String> {
    let (scheme, _) = uri.split_once(':')?;
    let mut bytes = scheme.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphabetic());
    (first && bytes.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))).then(|| scheme.to_ascii_lowercase())
}

fn fits(uri: &str, entry: &str) -> bool {
    if entry == "*" {
        return is_plain(uri) && matches!(scheme(uri).as_deref(), Some("http" | "https"));
    }
    match entry.strip_suffix('*') {
        Some(prefix) => is_plain(uri) && fits_prefix(uri, prefix),
        None => uri == entry || is_same_but_for_the_port(uri, entry),
    }
}

/// The part before query and fragment begins with the prefix; a prefix that ends in `/` also matches without it.
fn fits_prefix(uri: &str, prefix: &str) -> bool {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let begins = path.starts_with(prefix) || prefix.strip_suffix('/').is_some_and(|p| path == p);
    begins && keeps_authority(uri, prefix)
}

/// For web addresses, the prefix must hold the whole authority: `https://app*` does not reach `https://app.evil`.
fn keeps_authority(uri: &str, prefix: &str) -> bool {
    let Ok(asked) = Url::parse(uri) else { return false };
    if !matches!(asked.scheme(), "http" | "https") {
        return true;
    }
    let Ok(registered) = Url::parse(prefix) else { return false };
    asked.origin() == registered.origin()
}

/// Whether all parsers agree on what the URI says: nothing in it is hidden by encoding, user info or dots.
fn is_plain(uri: &str) -> bool {
    let Ok(parsed) = Url::parse(uri) else { return false };
    let has_authority = uri.get(parsed.scheme().len()..).is_some_and(|rest| rest.starts_with("://"));
    let authority = if has_authority { uri.split('/').nth(2).unwrap_or_default() } else { "" };
    let authority = authority.split(['?', '#']).next().unwrap_or_default();
    let written_host_is_parsed_host = parsed.host_str().is_none_or(|host| {
        let port = parsed.port().map(|p| format!(":{p}")).unwrap_or_default();
        authority == format!("{host}{port}")
    });
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    !authority.contains('@') && written_host_is_parsed_host && !climbs(path)
}

/// Whether a path holds `..` or a path parameter, plainly or encoded up to three times (CVE-2024-1132, CVE-2026-3872).
fn climbs(path: &str) -> bool {
    let mut text = path.to_owned();
    for _ in 0..4 {
        if text.split(['/', '\\']).any(|segment| segment == ".." || segment == "." || segment.contains(';'))
            || text.contains('\\')
        {
            return true;
        }
        let Ok(decoded) = percent_decode_str(&text).decode_utf8() else { return true };
        if decoded == text {
            return false;
        }
        text = decoded.into_owned();
    }
    true
}

/// RFC 8252 §7.3: a native client registers a loopback address without a port, and any port fits. Only the port may differ.
fn is_same_but_for_the_port(uri: &str, entry: &str) -> bool {
    for host in ["http://127.0.0.1", "http://localhost", "http://[::1]"] {
        let Some(entry_rest) = entry.strip_prefix(host) else { continue };
        let Some(rest) = uri.strip_prefix(host) else { continue };
        if entry_rest.starts_with(':') {
            return false;
        }
        let Some(ported) = rest.strip_prefix(':') else { continue };
        let digits = ported.bytes().take_while(u8::is_ascii_digit).count();
        let (port, tail) = ported.split_at(digits);
        return port.parse::<u16>().is_ok_and(|p| p > 0) && tail == entry_rest;
    }
    false
}

#[cfg(test)]
#[path = "redirect_uri_tests.rs"]
mod tests;
