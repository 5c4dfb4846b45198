//! How an answer goes back to the client (OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode).

/// Where the parameters of an answer stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "query" => Some(Self::Query),
            "fragment" => Some(Self::Fragment),
            "form_post" => Some(Self::FormPost),
            _ => None,
        }
    }
}

/// An answer on its way: where to, how, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub redirect_uri: String,
    pub mode: ResponseMode,
    pub fields: Vec<(&'static str, String)>,
}

impl Response {
    /// The address for `query` and `fragment`. A query of the redirect URI is kept (RFC 6749 §3.1.2).
    pub fn location(&self) -> String {
        let mut encoded = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.fields {
            encoded.append_pair(name, value);
        }
        let encoded = encoded.finish();
        let (address, fragment) = match self.redirect_uri.split_once('#') {
            Some((address, fragment)) => (address, Some(fragment)),
            None => (self.redirect_uri.as_str(), None),
        };
        match self.mode {
            ResponseMode::Fragment => format!("{address}#{encoded}"),
            ResponseMode::Query | ResponseMode::FormPost => {
                let glue = if address.contains('?') { '&' } else { '?' };
                let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
                format!("{address}{glue}{encoded}{fragment}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(uri: &str, mode: ResponseMode) -> String {
        Response { redirect_uri: uri.to_owned(), mode, fields: vec![("code", "a b&c".to_owned())] }.location()
    }

    #[test]
    fn a_query_is_kept_and_values_are_encoded() {
        assert_eq!(location("https://a/cb", ResponseMode::Query), "https://a/cb?code=a+b%26c");
        assert_eq!(location("https://a/cb?x=1", ResponseMode::Query), "https://a/cb?x=1&code=a+b%26c");
        assert_eq!(location("https://a/cb", ResponseMode::Fragment), "https://a/cb#code=a+b%26c");
    }
}
