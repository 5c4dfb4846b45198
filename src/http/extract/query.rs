//! The query of an Admin REST request, read as Keycloak reads it: a parameter that stands twice counts as it stands first.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;

use crate::http::error::AdminError;
use crate::http::state::App;

#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// A page of a list, as `first` and `max` ask for it. Negative numbers count as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub first: i64,
    pub max: Option<i64>,
}

impl FromRequestParts<App> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

impl Query {
    fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The value, where an empty one counts as absent.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.clone()).collect()
    }

    /// Anything but `true` is false.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.text(name).map(|v| v.eq_ignore_ascii_case("true"))
    }

    /// A whole number of 32 bits; what is none makes the address one that is not there (JAX-RS).
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, AdminError> {
        let not_found = || AdminError::Plain(StatusCode::NOT_FOUND, "HTTP 404 Not Found".to_owned());
        self.text(name).map(|v| v.parse::<i32>().map(i64::from).map_err(|_| not_found())).transpose()
    }

    /// `default_max`: how long a page is that names no length.
    pub(crate) fn page(&self, default_max: Option<i64>) -> Result<Page, AdminError> {
        let first = self.number("first")?.unwrap_or(0).max(0);
        let max = self.number("max")?.or(default_max).filter(|m| *m >= 0);
        Ok(Page { first, max })
    }
}

impl Page {
    /// The part of a list that is in memory.
    pub(crate) fn of<T>(self, list: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        let bound = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        list.into_iter().skip(bound(self.first)).take(self.max.map_or(usize::MAX, bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_to_its_page() {
        let cut = |text: &str| Query::parse(text).page(None).ok().map(|p| p.of([1, 2, 3, 4]).collect::<Vec<_>>());
        assert_eq!(cut("first=1&max=2"), Some(vec![2, 3]));
        assert_eq!(cut("max=-1"), Some(vec![1, 2, 3, 4]));
        assert_eq!(cut("max=0"), Some(vec![]));
        assert_eq!(cut("first=9"), Some(vec![]));
        assert_eq!(cut("max=many"), None);
    }

    #[test]
    fn a_page_has_its_default_length_and_negative_numbers_mean_none() {
        let page = |text: &str| Query::parse(text).page(Some(100)).map(|p| (p.first, p.max)).ok();
        assert_eq!(page(""), Some((0, Some(100))));
        assert_eq!(page("first=3&max=0"), Some((3, Some(0))));
        assert_eq!(page("first=-1&max=-1"), Some((0, None)));
        assert_eq!(page("max=%2B1&max=7"), Some((0, Some(1))));
        assert_eq!(page("max=99999999999"), None);
        assert_eq!(page("first=x"), None);
    }
}
