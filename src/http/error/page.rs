//! Pages, and errors as pages: with the realm's security headers and a policy under which nothing foreign runs.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::log;
use crate::flow::Cx;
use crate::http::state::App;
use crate::model::Realm;
use crate::oidc::authorization_request::PageError;
use crate::store::StoreError;
use crate::view::{self, Message, Page, Shell};

/// What every page of this server adds to the realm's own policy: nothing runs or loads that is not this server's.
const OWN_POLICY: &str =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'";

/// The realm's header settings, and the headers that they become.
const REALM_HEADERS: [(&str, &str); 6] = [
    ("xFrameOptions", "x-frame-options"),
    ("contentSecurityPolicy", "content-security-policy"),
    ("xContentTypeOptions", "x-content-type-options"),
    ("xRobotsTag", "x-robots-tag"),
    ("strictTransportSecurity", "strict-transport-security"),
    ("referrerPolicy", "referrer-policy"),
];

/// Shows pages for one request.
#[derive(Clone)]
pub(crate) struct Pages {
    app: App,
    realm: Option<PageRealm>,
    locale: String,
}

#[derive(Clone)]
struct PageRealm {
    title: String,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Pages {
    /// Pages of a realm, in the language that the request asks for.
    pub(crate) fn of(app: &App, cx: &Cx, headers: &HeaderMap, ui_locales: Option<&str>) -> Self {
        let realm = &cx.snapshot().realm;
        let page_realm = PageRealm { title: realm.display_name().to_owned(), headers: realm_headers(realm) };
        Self { app: app.clone(), realm: Some(page_realm), locale: locale(app, headers, ui_locales) }
    }

    /// Pages where no realm is known.
    pub(crate) fn without_realm(app: &App, headers: &HeaderMap) -> Self {
        Self { app: app.clone(), realm: None, locale: locale(app, headers, None) }
    }

    /// The language of the request.
    pub(crate) fn locale(&self) -> &str {
        &self.locale
    }

    /// The text that a name stands for in the language of the request: `${profileScopeConsentText}`.
    pub(crate) fn resolve(&self, text: &str) -> String {
        self.app.templates.resolve(&self.locale, text)
    }

    pub(crate) fn render<P: Page>(&self, status: StatusCode, page: &P) -> Response {
        let shell = Shell {
            realm: self.realm.as_ref().map_or_else(|| "Nightlatch".to_owned(), |r| r.title.clone()),
            locale: self.locale.clone(),
            resources: format!("{}/resources/{}", self.app.urls.relative_path, self.app.assets.fingerprint()),
        };
        match self.app.templates.render(&shell, page) {
            Ok(html) => self.html(status, html),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn html(&self, status: StatusCode, html: String) -> Response {
        let mut response = (status, html).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html;charset=utf-8"));
        for (name, value) in self.realm.iter().flat_map(|r| &r.headers) {
            headers.insert(name.clone(), value.clone());
        }
        if self.realm.is_none() {
            headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
        }
        // A second policy: both hold, so a realm's own can only forbid more.
        headers.append(CONTENT_SECURITY_POLICY, HeaderValue::from_static(OWN_POLICY));
        response
    }

    /// A page with a form that works once: nobody keeps it.
    pub(crate) fn form<P: Page>(&self, page: &P) -> Response {
        let mut response = self.render(StatusCode::OK, page);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store, must-revalidate, max-age=0"));
        response
    }

    /// A page with frames of others: these origins and no more. The realm's own policy would forbid them.
    pub(crate) fn framing<P: Page>(&self, page: &P, origins: &[String]) -> Response {
        let mut response = self.render(StatusCode::OK, page);
        let policy = format!("{OWN_POLICY}; frame-ancestors 'none'; frame-src {}", origins.join(" "));
        match HeaderValue::from_str(&policy) {
            Ok(policy) => response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy),
            Err(_) => None,
        };
        response
    }

    /// A page of the account: whatever a realm allows for its sign-in pages, nobody frames it and its forms go nowhere else.
    pub(crate) fn own_form<P: Page>(&self, page: &P) -> Response {
        let mut response = self.form(page);
        let policy = HeaderValue::from_static("frame-ancestors 'none'; form-action 'self'");
        response.headers_mut().append(CONTENT_SECURITY_POLICY, policy);
        response
    }

    pub(crate) fn error(&self, error: &PageError) -> Response {
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::BAD_REQUEST);
        let message = match error.argument {
            Some(argument) => Message::new(error.message).with(argument),
            None => Message::new(error.message),
        };
        self.render(status, &view::Error { message, client_url: None })
    }

    pub(crate) fn not_found(&self) -> Response {
        self.render(StatusCode::NOT_FOUND, &view::Error { message: Message::new("pageNotFound"), client_url: None })
    }

    pub(crate) fn trouble(&self, error: &StoreError) -> Response {
        if matches!(error, StoreError::Refused(_)) {
            return self.error(&PageError::new("invalidRequestMessage"));
        }
        let status = if log(error) { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::INTERNAL_SERVER_ERROR };
        let key = if status == StatusCode::SERVICE_UNAVAILABLE { "temporarilyUnavailableMessage" } else { "internalServerError" };
        self.render(status, &view::Error { message: Message::new(key), client_url: None })
    }
}

fn locale(app: &App, headers: &HeaderMap, ui_locales: Option<&str>) -> String {
    let accepted = headers.get(axum::http::header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok());
    let supported: Vec<&str> = app.templates.locales().collect();
    view::choose_locale(ui_locales, accepted, &supported, "en").to_owned()
}

/// The realm's security headers; a value that is no header value is left out, one that is empty is not sent.
pub(crate) fn realm_headers(realm: &Realm) -> Vec<(HeaderName, HeaderValue)> {
    REALM_HEADERS
        .iter()
        .filter_map(|(setting, name)| {
            let value = realm.settings.security_headers.get(*setting).filter(|v| !v.is_empty())?;
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        })
        .collect()
}

/// Why a page is not shown.
pub(crate) enum PageFailure {
    RealmNotFound(Box<Pages>),
    Malformed(Box<Pages>),
    Store(Box<Pages>, StoreError),
}

impl IntoResponse for PageFailure {
    fn into_response(self) -> Response {
        match self {
            Self::RealmNotFound(pages) => pages.not_found(),
            Self::Malformed(pages) => pages.error(&PageError::new("invalidRequestMessage")),
            Self::Store(pages, error) => pages.trouble(&error),
        }
    }
}
