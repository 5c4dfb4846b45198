//! HTTP: addresses, parameters, headers and the shapes of answers. Nothing here decides who may have what.

pub mod admin;
mod cors;
pub mod error;
mod extract;
mod login;
pub mod representation;
mod state;

pub use state::{App, AppParts, Urls};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be encoded in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as a segment of a path.
pub(crate) fn path_segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}
