//! Java's properties format (java.util.Properties.load), read as UTF-8.

use std::str::Chars;

const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// The entries of a file in their order.
pub(super) fn read(file: &[u8]) -> impl Iterator<Item = (String, String)> {
    let text = String::from_utf8_lossy(file);
    logical_lines(text.trim_start_matches('\u{feff}')).into_iter().map(|line| entry(&line))
}

/// Lines without comments and blank ones; one that ends in an odd number of backslashes goes on in the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.split(['\n', '\r']) {
        let line = line.trim_start_matches(BLANKS);
        if open.is_none() && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let mut whole = open.take().unwrap_or_default();
        let goes_on = line.len() - line.trim_end_matches('\\').len();
        if goes_on % 2 == 1 {
            whole.push_str(&line[..line.len() - 1]);
            open = Some(whole);
        } else {
            whole.push_str(line);
            lines.push(whole);
        }
    }
    lines.extend(open);
    lines
}

/// Key and text of a line: they are parted by the first `=`, `:` or blank that no backslash stands before.
fn entry(line: &str) -> (String, String) {
    let mut escaped = false;
    let end = line.find(|c| match (escaped, c) {
        (true, _) => {
            escaped = false;
            false
        }
        (false, '\\') => {
            escaped = true;
            false
        }
        (false, c) => matches!(c, '=' | ':' | ' ' | '\t' | '\u{c}'),
    });
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    let rest = rest.trim_start_matches(BLANKS);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(BLANKS);
    (unescape(key), unescape(rest))
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(code_unit(&mut chars)),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// The character of `\uXXXX`; half a pair of surrogates, and what are no four digits, is the replacement character.
fn code_unit(chars: &mut Chars<'_>) -> char {
    let digits = chars.as_str().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
    let Some(unit) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else { return char::REPLACEMENT_CHARACTER };
    *chars = chars.as_str()[4..].chars();
    if let Some(low) = low_surrogate(chars.as_str()).filter(|_| (0xD800..0xDC00).contains(&unit)) {
        *chars = chars.as_str()[6..].chars();
        return char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)).unwrap_or(char::REPLACEMENT_CHARACTER);
    }
    char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn low_surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok().filter(|unit| (0xDC00..0xE000).contains(unit))
}
