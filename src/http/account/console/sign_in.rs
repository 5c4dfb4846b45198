//! The way into the console and back: a cookie that lives for some minutes ties the two together.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::Response;

use super::section::Section;
use crate::flow::Cx;
use crate::flow::account::console::{self, SignIn, Visit};
use crate::http::error::Pages;
use crate::http::extract::{PageCx, browser, cookie};
use crate::http::login::answer::{found, query};
use crate::http::path_segment;
use crate::http::state::App;
use crate::oidc::authorization_request::PageError;

const COOKIE: &str = "NIGHTLATCH_ACCOUNT_SIGN_IN";
/// Long enough to type a password, in seconds.
const LIVES: u32 = 1_800;

fn redirect_uri(cx: &Cx) -> String {
    format!("{}/account/signed-in", cx.issuer)
}

/// Sends the browser to sign in, and notes where it wanted to go.
pub(super) fn begin(app: &App, cx: &Cx, section: Section) -> Response {
    let (address, kept) = console::begin(cx, &redirect_uri(cx));
    let value = format!("{}.{}.{}", section.name(), kept.state, kept.verifier);
    with_cookie(app, cx, found(&address), &value, LIVES)
}

/// The browser comes back with a code.
pub(super) async fn come_back(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, uri: Uri) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(uri.query()) else { return pages.error(&PageError::new("invalidRequestMessage")) };
    let kept = cookie(&headers, COOKIE).and_then(read);
    let finished = match (&kept, parameters.get("state"), parameters.get("code")) {
        (Some((section, kept)), Some(state), Some(code)) => {
            match console::finish(&cx, kept, state, code, &redirect_uri(&cx)).await {
                Ok(true) => Some(*section),
                Ok(false) => None,
                Err(error) => return pages.trouble(&error),
            }
        }
        _ => None,
    };
    if let Some(section) = finished {
        return with_cookie(&app, &cx, found(&section.address(&cx)), "", 0);
    }
    // A reload, or the way back of another tab: whoever is signed in goes on. The cookie stays for the tab that it is of.
    match console::visit(&cx, &browser(&headers)).await {
        Ok(Visit::Welcome(_)) => found(&Section::PersonalInfo.address(&cx)),
        Ok(_) => pages.error(&PageError::new("invalidCodeMessage")),
        Err(error) => pages.trouble(&error),
    }
}

fn read(value: &str) -> Option<(Section, SignIn)> {
    let mut parts = value.splitn(3, '.');
    let section = Section::parse(parts.next()?)?;
    Some((section, SignIn { state: parts.next()?.to_owned(), verifier: parts.next()?.to_owned() }))
}

fn with_cookie(app: &App, cx: &Cx, mut response: Response, value: &str, lives: u32) -> Response {
    let path = format!("{}/realms/{}/account", app.urls.relative_path, path_segment(&cx.snapshot().realm.name));
    let cookie = format!("{COOKIE}={value};Path={path};Max-Age={lives};Secure;HttpOnly;SameSite=Lax");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
