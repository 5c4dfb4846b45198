//! How templates are read: strictly, and with everything escaped that a page prints.
//!
//! Templates have words of ours: `msg(key, arguments…)` for a text of the page's language, and the filters `resolve`
//! (a name that may be a text's key), `duration` (seconds as words), `moment` (seconds since 1970 as date and time) and `href` (an
//! address that a page may link to).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use time::OffsetDateTime;

use super::messages::Bundle;

/// All templates for one language. The error names the template whose syntax is wrong.
pub(super) fn environment(
    sources: &BTreeMap<String, String>,
    messages: &Arc<Bundle>,
) -> Result<Environment<'static>, (String, Error)> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.map_err(|error| (String::new(), error))?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(write_value);

    let bundle = Arc::clone(messages);
    environment.add_function("msg", move |key: Value, arguments: Rest<Value>| message(&bundle, &key, &arguments));
    let bundle = Arc::clone(messages);
    environment.add_filter("resolve", move |text: &str| bundle.resolve(text).to_owned());
    let bundle = Arc::clone(messages);
    environment.add_filter("duration", move |seconds: i64| bundle.duration(seconds));
    environment.add_filter("moment", moment);
    environment.add_filter("href", |address: &str| href(address).to_owned());

    for (name, source) in sources {
        environment.add_template_owned(name.clone(), source.clone()).map_err(|error| (name.clone(), error))?;
    }
    Ok(environment)
}

/// Date and time, readable in every language: `2026-11-24 19:54 UTC`.
fn moment(seconds: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (date, time) = (moment.date(), moment.time());
    format!("{date} {:02}:{:02} UTC", time.hour(), time.minute())
}

/// `key` is a key, or a `Message` that brings its arguments along.
fn message(bundle: &Bundle, key: &Value, arguments: &[Value]) -> Result<String, Error> {
    if let Some(key) = key.as_str() {
        return Ok(bundle.format(key, &texts(arguments.iter().cloned())?));
    }
    let name = key.get_attr("key")?;
    let name = name.as_str().ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "msg needs a key or a message"))?;
    Ok(bundle.format(name, &texts(key.get_attr("args")?.try_iter()?)?))
}

fn texts(values: impl Iterator<Item = Value>) -> Result<Vec<String>, Error> {
    values
        .map(|value| match value.is_none() || value.is_undefined() {
            true => Err(Error::new(ErrorKind::UndefinedError, "an argument of msg is missing")),
            false => Ok(value.to_string()),
        })
        .collect()
}

/// Escapes as HTML wants it in text and in quoted attributes. The engine's own way also escapes `/`, which makes addresses
/// illegible to people and to programs that search a page for them; and it would print "none".
fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    if value.is_none() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value that is not there was printed"));
    }
    match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => escape(out, text).map_err(Error::from),
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn escape(out: &mut impl Write, text: &str) -> std::fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
        out.write_str(&rest[..at])?;
        out.write_str(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            _ => "&#x27;",
        })?;
        rest = &rest[at + 1..];
    }
    out.write_str(rest)
}

/// The address, or `#` where a browser would run it as a script (CVE-2026-9086). Browsers skip blanks and control characters
/// in front of and within the scheme, so this does too. Schemes of apps pass: they are redirect URIs.
fn href(address: &str) -> &str {
    let scheme: String = address
        .chars()
        .filter(|c| !c.is_ascii_control() && !c.is_whitespace())
        .take_while(|c| !matches!(c, '/' | '?' | '#'))
        .take("javascript:".len())
        .collect::<String>()
        .to_ascii_lowercase();
    match ["javascript:", "vbscript:", "data:"].iter().any(|s| scheme.starts_with(s)) {
        true => "#",
        false => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_browser_would_run_is_not_linked_to() {
        for bad in
            ["javascript:alert(1)", "  JavaScript:alert(1)", "java\nscript:alert(1)", "\u{1}vbscript:x", "data:text/html,x"]
        {
            assert_eq!(href(bad), "#", "{bad:?}");
        }
        for good in
            ["https://client.example/cb", "/realms/x?a=javascript:b", "com.example.client:/cb", "urn:ietf:wg:oauth:2.0:oob", ""]
        {
            assert_eq!(href(good), good);
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_and_not_the_word_none() {
        let sources = BTreeMap::from([("x.html".to_owned(), "{{ page.gone }}".to_owned())]);
        let environment = environment(&sources, &Arc::new(Bundle::default())).unwrap();
        let render = |page: Value| environment.get_template("x.html").unwrap().render(minijinja::context! { page });
        assert!(render(minijinja::context! { gone => () }).is_err());
        assert!(render(minijinja::context! { other => 1 }).is_err());
        assert_eq!(render(minijinja::context! { gone => "<a href='/'>&" }).unwrap(), "&lt;a href=&#x27;/&#x27;&gt;&amp;");
    }
}
