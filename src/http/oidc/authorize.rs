//! The authorization endpoint (RFC 6749 §3.1): parameters in the address or in a form.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::flow::Cx;
use crate::flow::authorize::{self, Wish};
use crate::flow::browser::{Browser, Keep, Move, Next, PageOf, PageStep};
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{BodyError, PageCx, browser, read_form};
use crate::http::login::answer::{keep, move_on, query};
use crate::http::login::{show_registration, show_tab};
use crate::http::state::App;
use crate::oidc::form::Parameters;
use crate::store::StoreError;
use crate::view::Oob;

pub(super) async fn get(State(app): State<App>, PageCx(cx): PageCx, headers: HeaderMap, RawQuery(raw): RawQuery) -> Response {
    answer(&app, &cx, &headers, Wish::SignIn, query(raw.as_deref())).await
}

pub(super) async fn post(State(app): State<App>, PageCx(cx): PageCx, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(&app, &cx, &parts.headers, Wish::SignIn, read_form(&parts.headers, body).await).await
}

/// The same request, for a user who is not there yet.
pub(super) async fn register(
    State(app): State<App>,
    PageCx(cx): PageCx,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    answer(&app, &cx, &headers, Wish::Register, query(raw.as_deref())).await
}

pub(super) async fn post_registration(State(app): State<App>, PageCx(cx): PageCx, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(&app, &cx, &parts.headers, Wish::Register, read_form(&parts.headers, body).await).await
}

async fn answer(app: &App, cx: &Cx, headers: &HeaderMap, wish: Wish, parameters: Result<Parameters, BodyError>) -> Response {
    let Ok(parameters) = &parameters else {
        return PageFailure::Malformed(Box::new(Pages::of(app, cx, headers, None))).into_response();
    };
    let pages = Pages::of(app, cx, headers, parameters.filled("ui_locales"));
    match authorize::run(cx, &browser(headers), wish, parameters).await {
        Ok(moved) => {
            first_page(app, cx, &pages, (&browser(headers), wish), moved).await.unwrap_or_else(|error| pages.trouble(&error))
        }
        Err(error) => pages.trouble(&error),
    }
}

/// The login page, or the form for new users, is shown at once, without a redirect to it.
async fn first_page(
    app: &App,
    cx: &Cx,
    pages: &Pages,
    (browser, wish): (&Browser, Wish),
    moved: Move,
) -> Result<Response, StoreError> {
    let tab = match &moved.next {
        // A request that is none is told so on a page of its own; `prompt=create` in vain is a matter of the sign-in.
        Next::Error(error) if wish == Wish::Register || error.message != "registrationNotAllowedMessage" => {
            return Ok(pages.error(error));
        }
        Next::Page(PageOf { step: PageStep::Login | PageStep::Registration, tab, .. }) => tab,
        _ => return Ok(move_on(app, cx, pages, moved)),
    };
    let handle = moved.keep.iter().find_map(|keep| match keep {
        Keep::Tabs(handle) => Some(handle.clone()),
        _ => None,
    });
    let browser = Browser { tabs: handle.or_else(|| browser.tabs.clone()), ..browser.clone() };
    let mut response = match &moved.next {
        Next::Page(PageOf { step: PageStep::Registration, .. }) => {
            show_registration(app, cx, pages, &browser, Some(tab.as_str())).await?
        }
        _ => show_tab(app, cx, pages, &browser, Some(tab.as_str())).await?,
    };
    keep(app, cx, &moved.keep, &mut response);
    Ok(response)
}

/// Shows the answer to a user whose client has no address (`urn:ietf:wg:oauth:2.0:oob`).
pub(super) async fn out_of_band(
    State(app): State<App>,
    PageCx(cx): PageCx,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    let pages = Pages::of(&app, &cx, &headers, None);
    let Ok(parameters) = query(raw.as_deref()) else { return PageFailure::Malformed(Box::new(pages)).into_response() };
    let page = match (parameters.filled("code"), parameters.filled("error")) {
        (Some(code), _) => Oob::code(code),
        (None, Some(error)) => Oob::error(error, parameters.filled("error_description").map(str::to_owned)),
        (None, None) => return PageFailure::Malformed(Box::new(pages)).into_response(),
    };
    pages.render(StatusCode::OK, &page)
}
