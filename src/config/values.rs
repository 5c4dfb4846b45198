//! From texts to values. Each error says what would have been right.

use std::time::Duration;

use url::Url;

use super::settings::{Hostname, LogFormat, ProxyHeaders};

pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("{text:?} is no port: take a number from 0 to 65535"))
}

pub(super) fn at_least_one(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| format!("{text:?} is no whole number above 0"))
}

/// `60`, `60s`, `5m`, `1h`, `1d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no duration, as in 60s, 5m or 1h");
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit: u64 = match &text[split..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..split].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).map(Duration::from_secs).ok_or_else(wrong)
}

pub(super) fn duration_above_zero(text: &str) -> Result<Duration, String> {
    duration(text)?.checked_sub(Duration::from_secs(1)).ok_or_else(|| "it must be longer than zero".to_owned())?;
    duration(text)
}

/// Without a slash at the end; empty for the root.
pub(super) fn relative_path(text: &str) -> Result<String, String> {
    let path = format!("/{}", text.trim_matches('/'));
    let sound = path == "/" || path[1..].split('/').all(is_path_part);
    if sound { Ok(path.trim_end_matches('/').to_owned()) } else { Err(format!("{text:?} is no path, as in /auth")) }
}

fn is_path_part(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    !part.is_empty() && part.chars().all(plain) && part.chars().any(|c| c != '.')
}

pub(super) fn hostname(text: &str) -> Result<Hostname, String> {
    if !text.contains("://") {
        let host = url::Host::parse(text).map_err(|_| {
            format!("{text:?} is neither a host name nor a URL; a port needs the URL form, as in https://id.example.org:8443")
        })?;
        return Ok(Hostname::Host(host.to_string()));
    }
    let mut url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(format!("{text:?} must begin with https:// or http://"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{text:?} must have no user, query or fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(Hostname::Url(url))
}

pub(super) fn proxy_headers(text: &str) -> Result<ProxyHeaders, String> {
    match text {
        "xforwarded" => Ok(ProxyHeaders::XForwarded),
        "forwarded" => Ok(ProxyHeaders::Forwarded),
        _ => Err(format!("{text:?} is not known: take xforwarded or forwarded")),
    }
}

pub(super) fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "default" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err(format!("{text:?} is not known: take default or json")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("60", 60), ("60s", 60), ("5m", 300), ("1h", 3_600), ("2d", 172_800), ("0", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "1w", "-1", "1.5h", "99999999999999999999", "18446744073709551615d"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(duration_above_zero("0s").is_err());
    }

    #[test]
    fn a_relative_path_is_brought_into_one_form() {
        for (text, path) in [("/", ""), ("", ""), ("auth", "/auth"), ("/auth/", "/auth"), ("/a/b", "/a/b")] {
            assert_eq!(relative_path(text).as_deref(), Ok(path), "{text}");
        }
        for text in ["/a//b", "/../x", "/a?b", "/a b", "/{realm}"] {
            assert!(relative_path(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_hostname_is_a_host_or_a_whole_url() {
        assert_eq!(hostname("ID.example.org"), Ok(Hostname::Host("id.example.org".into())));
        let url = hostname("https://id.example.org:8443/auth/").unwrap();
        assert!(matches!(url, Hostname::Url(url) if url.as_str() == "https://id.example.org:8443/auth"));
        for text in ["id.example.org:8443", "ftp://h", "https://h?x", "https://u@h", "https://", "a b"] {
            assert!(hostname(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        assert_eq!(port("0"), Ok(0));
        assert!(port("65536").is_err() && port("-1").is_err() && port("x").is_err());
        assert!(at_least_one("0").is_err() && at_least_one("").is_err());
        assert_eq!(at_least_one("7"), Ok(7));
    }
}
