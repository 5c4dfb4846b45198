//! The parameters of a request: `application/x-www-form-urlencoded`, from a body or a query.
//!
//! A parameter may stand once (RFC 6749 §3.1, §3.2); one that stands twice makes the whole request invalid, also where it is
//! not known. Parameters keep their order. What is not UTF-8 is refused: replacing characters would change meanings.

use percent_encoding::percent_decode_str;

/// More pairs than any client sends; beyond, parsing costs the server and helps nobody.
const MAX_PAIRS: usize = 200;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not UTF-8, or with a NUL, which no parameter needs and no database keeps.
    Unreadable,
    TooMany,
}

impl Parameters {
    pub fn parse(encoded: &[u8]) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(encoded).map_err(|_| Malformed::Unreadable)?;
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|p| !p.is_empty()) {
            if pairs.len() == MAX_PAIRS {
                return Err(Malformed::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self { pairs })
    }

    /// The first value of a parameter, the empty one included.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The value, where an empty one counts as absent (RFC 6749 §3.1).
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|v| !v.is_empty())
    }

    /// Every value of a parameter, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn has_duplicates(&self) -> bool {
        let mut names: Vec<&str> = self.pairs.iter().map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    }

    pub fn occurrences(&self, name: &str) -> usize {
        self.pairs.iter().filter(|(n, _)| n == name).count()
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect() }
    }
}

/// Decodes one name or value: `+` is a blank, `%xx` a byte, a `%` without two digits stands for itself.
pub fn decode(text: &str) -> Result<String, Malformed> {
    let spaced = text.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| Malformed::Unreadable)?;
    if text.contains('\0') { Err(Malformed::Unreadable) } else { Ok(text.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_form_of_rfc_6749_appendix_b_is_read() {
        let form = Parameters::parse("+%25%26%2B%C2%A3%E2%82%AC=%20x&b".as_bytes()).unwrap();
        assert_eq!(form.get(" %&+£€"), Some(" x"));
        assert_eq!(form.get("b"), Some(""));
        assert_eq!(form.filled("b"), None);
    }

    #[test]
    fn a_parameter_that_stands_twice_is_noticed_even_with_one_value() {
        assert!(Parameters::parse(b"a=1&b=2&a=1").unwrap().has_duplicates());
        assert!(!Parameters::parse(b"a=1&b=2").unwrap().has_duplicates());
    }

    #[test]
    fn a_nul_is_refused_wherever_it_stands() {
        for text in ["a%00=1", "a=%00", "a=1&b=x%00y", "a=\0"] {
            assert_eq!(Parameters::parse(text.as_bytes()), Err(Malformed::Unreadable), "{text}");
        }
    }

    #[test]
    fn more_pairs_than_any_client_sends_are_refused() {
        assert_eq!(Parameters::parse("a=1&".repeat(201).as_bytes()), Err(Malformed::TooMany));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Parameters::parse(&bytes);
        }

        #[test]
        fn what_is_encoded_is_read_back(name in "\\PC{1,20}", value in "\\PC{0,20}") {
            let encoded = form_urlencoded::Serializer::new(String::new()).append_pair(&name, &value).finish();
            let form = Parameters::parse(encoded.as_bytes()).unwrap();
            prop_assert_eq!(form.get(&name), Some(value.as_str()));
        }
    }
}
