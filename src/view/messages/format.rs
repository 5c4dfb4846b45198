//! The part of Java's MessageFormat that message files use.
//!
//! There is `{0}` (a format after a comma is passed over) and the apostrophe: `''` is one, and one in front of a brace begins
//! literal text. Any other apostrophe is just that, where Java would swallow it.

use std::iter::Peekable;
use std::str::Chars;

/// MessageFormat. An argument that is not there leaves its `{0}` standing, as in Java.
pub(super) fn fill_in(pattern: &str, arguments: &[String]) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if chars.next_if_eq(&'\'').is_some() => out.push('\''),
            '\'' if matches!(chars.peek(), Some('{' | '}')) => literal(&mut chars, &mut out),
            '{' => argument(&mut chars, arguments, &mut out),
            other => out.push(other),
        }
    }
    out
}

/// Copies up to the next single apostrophe.
fn literal(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(c) = chars.next() {
        if c == '\'' && chars.next_if_eq(&'\'').is_none() {
            return;
        }
        out.push(c);
    }
}

fn argument(chars: &mut Peekable<Chars<'_>>, arguments: &[String], out: &mut String) {
    let mut inner = String::new();
    for c in chars.by_ref() {
        if c == '}' {
            let index = inner.split(',').next().and_then(|number| number.trim().parse::<usize>().ok());
            match index.and_then(|i| arguments.get(i)) {
                Some(value) => out.push_str(value),
                None => out.extend(["{", &inner, "}"]),
            }
            return;
        }
        inner.push(c);
    }
    out.push('{');
    out.push_str(&inner);
}
