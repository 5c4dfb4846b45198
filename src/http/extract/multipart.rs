//! Small uploads: `multipart/form-data` (RFC 7578), or the same fields as a plain form.

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

use super::body::{BodyError, read};
use crate::oidc::form::Parameters;

/// Keys and certificates are some kilobytes.
const MAX_BYTES: usize = 256 * 1024;
/// More parts than any form here has.
const MAX_PARTS: usize = 20;
/// RFC 2046 §5.1.1.
const MAX_BOUNDARY: usize = 70;

/// The fields of a form, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Multipart(Vec<(String, Vec<u8>)>);

impl Multipart {
    /// The first value of a field, if it is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(n, _)| n == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// The fields that a request brings. A body of another media type has none.
pub(crate) async fn read_multipart(headers: &HeaderMap, body: Body) -> Result<Multipart, BodyError> {
    let bytes = read(body, MAX_BYTES).await?;
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default().trim();
    if media.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = parameter(kind, "boundary").filter(|b| (1..=MAX_BOUNDARY).contains(&b.len()));
        return parse(&bytes, boundary.ok_or(BodyError::Malformed)?).ok_or(BodyError::Malformed);
    }
    if media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let form = Parameters::parse(&bytes).map_err(|_| BodyError::Malformed)?;
        let named = ["keystoreFormat", "file"].into_iter().filter_map(|name| Some((name, form.get(name)?)));
        return Ok(Multipart(named.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).collect()));
    }
    Ok(Multipart::default())
}

/// A parameter of a header, without its quotes.
fn parameter<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
    })
}

/// Cuts a body at its boundaries. What comes before the first and after the last is nobody's.
fn parse(body: &[u8], boundary: &str) -> Option<Multipart> {
    let delimiter = format!("\r\n--{boundary}");
    let body = [b"\r\n", body].concat();
    let mut parts = Vec::new();
    let (_preamble, mut rest) = cut(&body, delimiter.as_bytes())?;
    while !rest.starts_with(b"--") {
        let (part, after) = cut(rest, delimiter.as_bytes())?;
        if parts.len() >= MAX_PARTS {
            return None;
        }
        let part = without_blanks(part).strip_prefix(b"\r\n")?;
        // A part without headers begins with the empty line.
        let (headers, value) = cut(part, b"\r\n\r\n").or_else(|| Some((&[][..], part.strip_prefix(b"\r\n")?)))?;
        parts.extend(name_of(headers).map(|name| (name, value.to_vec())));
        rest = after;
    }
    Some(Multipart(parts))
}

/// Without the white space that a transport may have put behind a boundary.
fn without_blanks(part: &[u8]) -> &[u8] {
    let blanks = part.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    &part[blanks..]
}

fn cut<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = text.windows(at.len()).position(|window| window == at)?;
    Some((&text[..start], &text[start + at.len()..]))
}

fn name_of(headers: &[u8]) -> Option<String> {
    let headers = std::str::from_utf8(headers).ok()?;
    let line = headers.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    parameter(line, "name").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"keystoreFormat\"\r\n\r\nCertificate PEM\r\n\
        --b \r\ncontent-disposition: form-data; filename=\"a;b.pem\"; name=file\r\nContent-Type: text/plain\r\n\r\nline\r\nline\r\n\r\n--b--\r\n";

    #[test]
    fn the_fields_of_a_form_are_read() {
        let read = parse(BODY.as_bytes(), "b").unwrap();
        assert_eq!((read.text("keystoreFormat"), read.text("file")), (Some("Certificate PEM"), Some("line\r\nline\r\n")));
        assert_eq!(read.text("other"), None);
        assert_eq!(parameter("multipart/form-data; charset=x; boundary=\"a b\"", "Boundary"), Some("a b"));
    }

    #[test]
    fn a_form_that_is_cut_short_is_none() {
        assert_eq!(parse(&BODY.as_bytes()[..BODY.len() - 8], "b"), None);
        assert_eq!(parse(b"", "b"), None);
        assert_eq!(parse(BODY.as_bytes(), "c"), None);
        assert_eq!(parse(b"--b--", "b"), Some(Multipart::default()));
        let many = format!("{}--b--", "--b\r\nx: y\r\n\r\nv\r\n".repeat(MAX_PARTS + 1));
        assert!(parse(many.as_bytes(), "b").is_some_and(|m| m.0.is_empty()), "parts without a name are nobody's");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..200) {
            let _ = parse(&bytes, "b");
            let _ = parse(&BODY.as_bytes()[..cut.min(BODY.len())], "b");
        }
    }
}
