//! The end-session endpoint (OpenID Connect RP-Initiated Logout 1.0): for browsers, and for clients that post a refresh token.

use axum::extract::{RawQuery, Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::client::{Readable, admit, proof_of};
use crate::flow::Cx;
use crate::flow::logout::{self, Outcome, Seen};
use crate::http::error::{OAuthFailure, PageFailure, Pages, oauth_response};
use crate::http::extract::{Caller, PageCx, browser, read_form};
use crate::http::login::answer::{client_url, found, keep, query};
use crate::http::state::App;
use crate::oidc::authorization_request::PageError;
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::view::{FrontchannelLogout, Info, LogoutConfirm, Message, ToldClient};

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    match query(raw.as_deref()) {
        Ok(parameters) => in_browser(&app, &cx, &headers, &parameters).await,
        Err(_) => PageFailure::Malformed(Box::new(Pages::of(&app, &cx, &headers, None))).into_response(),
    }
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, caller: Caller, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let form = match read_form(&parts.headers, body).await {
        Ok(form) => form,
        Err(error) => return OAuthFailure::Body(error).into_response(),
    };
    if form.get("refresh_token").is_none() {
        return in_browser(&app, &cx, &parts.headers, &form).await;
    }
    by_refresh_token(&cx, &caller, &parts.headers, &form).await.unwrap_or_else(IntoResponse::into_response)
}

async fn by_refresh_token(cx: &Cx, caller: &Caller, headers: &HeaderMap, form: &Parameters) -> Result<Response, OAuthFailure> {
    let (client, cors) = admit(cx, caller, headers, form, &mut proof_of(headers, form)).await?;
    let response = if client.settings.bearer_only {
        oauth_response(&OAuthError::new(400, OAuthErrorCode::InvalidClient, "Bearer-only not allowed"))
    } else {
        match logout::by_refresh_token(cx, &client, form.get("refresh_token").unwrap_or_default()).await? {
            Ok(()) => {
                let mut done = StatusCode::NO_CONTENT.into_response();
                done.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                done
            }
            Err(error) => oauth_response(&error),
        }
    };
    Ok(Readable { response, cors }.finish())
}

async fn in_browser(app: &App, cx: &Cx, headers: &HeaderMap, parameters: &Parameters) -> Response {
    let pages = Pages::of(app, cx, headers, parameters.filled("ui_locales"));
    if parameters.has_duplicates() {
        let mut refusal = pages.error(&PageError::new("invalidRequestMessage"));
        refusal.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        return refusal;
    }
    match logout::run(cx, &browser(headers), parameters).await {
        Ok(outcome) => show(app, cx, &pages, outcome),
        Err(error) => pages.trouble(&error),
    }
}

/// The user's answer to "Do you want to log out?".
pub(super) async fn confirm(State(app): State<App>, PageCx(cx): PageCx, RawQuery(raw): RawQuery, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let pages = Pages::of(&app, &cx, &parts.headers, None);
    let (Ok(parameters), Ok(form)) = (query(raw.as_deref()), read_form(&parts.headers, body).await) else {
        return PageFailure::Malformed(Box::new(pages)).into_response();
    };
    let tab = parameters.get("tab_id").unwrap_or_default();
    let code = form.get("session_code").unwrap_or_default();
    match logout::confirmed(&cx, &browser(&parts.headers), tab, code).await {
        Ok(outcome) => show(&app, &cx, &pages, outcome),
        Err(error) => pages.trouble(&error),
    }
}

fn show(app: &App, cx: &Cx, pages: &Pages, outcome: Outcome) -> Response {
    let mut response = match outcome.seen {
        Seen::Redirect(target) => found(&target),
        Seen::Done => {
            let text = Some(Message::new("logoutKeepsOfflineAccess"));
            pages.render(StatusCode::OK, &Info { heading: Message::new("successLogout"), text, link: None })
        }
        Seen::Frames { frames, target } => {
            let clients = frames
                .iter()
                .map(|frame| ToldClient { name: frame.client.display_name().to_owned(), frame: frame.url.to_string() });
            let origins = frames.iter().map(|frame| frame.url.origin().ascii_serialization());
            pages.framing(&FrontchannelLogout { clients: clients.collect(), target }, &origins.collect::<Vec<_>>())
        }
        Seen::Confirm { tab, form, client } => {
            let address = form_urlencoded::Serializer::new(String::new())
                .append_pair("client_id", client.client_id.as_str())
                .append_pair("tab_id", tab.as_str())
                .finish();
            let page = LogoutConfirm {
                action: format!("{}/protocol/openid-connect/logout/logout-confirm?{address}", cx.issuer),
                session_code: form,
                client_name: client.settings.name.clone().filter(|n| !n.is_empty()),
                client_url: client_url(cx, &client),
            };
            pages.render(StatusCode::OK, &page)
        }
        Seen::Error(error) => pages.error(&error),
    };
    keep(app, cx, &outcome.keep, &mut response);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
