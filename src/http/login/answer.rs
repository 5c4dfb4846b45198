//! Where a browser goes next, as an HTTP answer with its cookies.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::cookies::Jar;
use crate::flow::Cx;
use crate::flow::browser::{Keep, Move, Next, PageOf, PageStep};
use crate::http::error::Pages;
use crate::http::extract::BodyError;
use crate::http::path_segment;
use crate::http::state::App;
use crate::model::user::{CONFIGURE_TOTP, UPDATE_PASSWORD, UPDATE_PROFILE, VERIFY_EMAIL, VERIFY_PROFILE};
use crate::model::{Client, TabId};
use crate::oidc::form::Parameters;
use crate::oidc::response_mode::{Response as ClientResponse, ResponseMode};
use crate::view::{FormPost, Info, Link, Message};

/// The parameters of an address.
pub(crate) fn query(raw: Option<&str>) -> Result<Parameters, BodyError> {
    Parameters::parse(raw.unwrap_or_default().as_bytes()).map_err(|_| BodyError::Malformed)
}

pub(crate) fn move_on(app: &App, cx: &Cx, pages: &Pages, moved: Move) -> Response {
    let mut response = match moved.next {
        Next::Client(response) => to_client(cx, pages, &response),
        Next::Error(error) => {
            let mut refusal = pages.error(&error);
            refusal.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(UNCACHED));
            refusal
        }
        Next::Page(page) => found(&address(cx, &page)),
        Next::Told(told) => {
            let link = told.redirect_uri.map(Link::back_to_application);
            pages.form(&Info { heading: Message::new(told.message), text: None, link })
        }
    };
    keep(app, cx, &moved.keep, &mut response);
    response
}

/// Puts the cookies on an answer.
pub(crate) fn keep(app: &App, cx: &Cx, keep: &[Keep], response: &mut Response) {
    let jar = Jar { path: format!("{}/realms/{}/", app.urls.relative_path, path_segment(&cx.snapshot().realm.name)) };
    for value in keep.iter().flat_map(|k| jar.of(k)) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}

/// A redirect that nobody may keep.
pub(crate) fn found(target: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(target) else { return StatusCode::BAD_REQUEST.into_response() };
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(LOCATION, location);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(UNCACHED));
    response
}

const UNCACHED: &str = "no-store, must-revalidate, max-age=0";

fn to_client(cx: &Cx, pages: &Pages, answer: &ClientResponse) -> Response {
    if answer.redirect_uri == OUT_OF_BAND {
        let own = format!("{}/protocol/openid-connect/oauth/oob", cx.issuer);
        return found(&ClientResponse { redirect_uri: own, mode: ResponseMode::Query, fields: answer.fields.clone() }.location());
    }
    if answer.mode != ResponseMode::FormPost {
        return found(&answer.location());
    }
    let fields = answer.fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let page = FormPost { redirect_uri: answer.redirect_uri.clone(), fields };
    let mut response = pages.form(&page);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    // The form may go to the client and nowhere else.
    let origin = url::Url::parse(&answer.redirect_uri).ok().map(|u| u.origin().ascii_serialization());
    if let Some(policy) = origin.and_then(|o| HeaderValue::from_str(&format!("form-action {o}")).ok()) {
        response.headers_mut().append(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

/// The address of a page of a tab.
fn address(cx: &Cx, page: &PageOf) -> String {
    let (path, execution) = match page.step {
        PageStep::Login => ("authenticate", None),
        PageStep::Registration => ("registration", None),
        PageStep::UpdateProfile => ("required-action", Some(UPDATE_PROFILE)),
        PageStep::VerifyEmail => ("required-action", Some(VERIFY_EMAIL)),
        PageStep::VerifyProfile => ("required-action", Some(VERIFY_PROFILE)),
        PageStep::ConfigureTotp => ("required-action", Some(CONFIGURE_TOTP)),
        PageStep::UpdatePassword => ("required-action", Some(UPDATE_PASSWORD)),
        PageStep::Consent => ("required-action", Some("OAUTH_GRANT")),
    };
    action(cx, path, page.client_id.as_str(), &page.tab, execution, None)
}

/// The address of a form or page below `login-actions`.
pub(super) fn action(cx: &Cx, path: &str, client_id: &str, tab: &TabId, execution: Option<&str>, form: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(form) = form {
        query.append_pair("session_code", form);
    }
    if let Some(execution) = execution {
        query.append_pair("execution", execution);
    }
    query.append_pair("client_id", client_id).append_pair("tab_id", tab.as_str());
    format!("{}/login-actions/{path}?{}", cx.issuer, query.finish())
}

/// Where the client lives, for "Back to Application".
pub(crate) fn client_url(cx: &Cx, client: &Client) -> Option<String> {
    let base = client.settings.base_url.as_deref().filter(|b| !b.is_empty())?;
    let root = client.root_url(cx.server_url());
    let address = if base.starts_with('/') { format!("{}{base}", root.trim_end_matches('/')) } else { base.to_owned() };
    // Nothing but web addresses becomes a link.
    url::Url::parse(&address).ok().filter(|u| matches!(u.scheme(), "http" | "https")).map(|u| u.to_string())
}
