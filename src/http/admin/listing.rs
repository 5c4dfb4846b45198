//! The query of a list: which part of it, how much of each entry. A bound that is no number is a path that is not there (Keycloak).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::http::error::AdminError;

/// The parameters of the address, decoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let text = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect()))
    }
}

impl Query {
    /// A parameter that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.text(name).map_or(default, |v| v.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, AdminError> {
        let not_found = || AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned());
        self.text(name).map(|v| v.parse().map_err(|_| not_found())).transpose()
    }

    /// The part of a list from `first` on, at most `max` long; negative and missing bounds are none.
    pub(crate) fn page<T>(&self, list: Vec<T>) -> Result<Vec<T>, AdminError> {
        let bound = |n: i64| usize::try_from(n).ok();
        let first = self.number("first")?.and_then(bound).unwrap_or(0);
        let max = self.number("max")?.and_then(bound).unwrap_or(usize::MAX);
        Ok(list.into_iter().skip(first).take(max).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    #[test]
    fn a_list_is_cut_to_its_bounds() {
        let page = |text: &str| query(text).page(vec![1, 2, 3, 4]).ok();
        assert_eq!(page("first=1&max=2"), Some(vec![2, 3]));
        assert_eq!(page("max=-1"), Some(vec![1, 2, 3, 4]));
        assert_eq!(page("max=0"), Some(vec![]));
        assert_eq!(page("first=9"), Some(vec![]));
        assert_eq!(page("max=many"), None);
    }
}
