//! The cookies of a browser. A cookie that stands twice counts as it stands first, as browsers send the narrower path first.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use crate::flow::browser::Browser;
use crate::http::login::cookies;

/// Longer values are not ours.
const MAX_VALUE: usize = 512;

/// The handles that this browser holds.
pub(crate) fn browser(headers: &HeaderMap) -> Browser {
    let remembered = value(headers, cookies::REMEMBER_ME).and_then(|v| {
        let name = v.strip_prefix("username:")?;
        percent_encoding::percent_decode_str(name).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    });
    Browser {
        tabs: value(headers, cookies::AUTH_SESSION_ID).map(str::to_owned),
        identity: value(headers, cookies::IDENTITY).map(str::to_owned),
        remembered_name: remembered,
    }
}

/// The value of one cookie (RFC 6265 §4.2), without quotes.
pub(crate) fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(n, _)| *n == name)?;
    Some(value.trim_matches('"')).filter(|v| !v.is_empty() && v.len() <= MAX_VALUE)
}
