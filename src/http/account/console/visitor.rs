//! Who looks at a page of the console, and whether a form is the browser's own.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::section::Section;
use super::sign_in;
use crate::flow::Cx;
use crate::flow::account::console::{self, Visit};
use crate::flow::browser::Browser;
use crate::flow::signed_in::SignedIn;
use crate::http::error::{PageFailure, Pages};
use crate::http::extract::{PageCx, browser, read_form};
use crate::http::login::answer::found;
use crate::http::state::App;
use crate::model::User;
use crate::model::device::Device;
use crate::oidc::authorization_request::PageError;
use crate::oidc::form::Parameters;
use crate::view::Message;
use crate::view::account::{AccountShell, DeviceName};

/// What was done a moment ago, as the address of the next page says it.
const NOTICES: [(&str, &str); 5] = [
    ("grant-ended", "grantEndedMessage"),
    ("saved", "accountUpdatedMessage"),
    ("removed", "accessRemovedMessage"),
    ("ended", "sessionEndedMessage"),
    ("ended-others", "sessionsEndedMessage"),
];

/// A device as people call it.
pub(super) fn device_name(device: &Device) -> Option<DeviceName> {
    device.in_words().map(|(browser, system)| DeviceName { browser, system })
}

/// A user who is signed in and may look at the own account. Whoever is not signed in is sent to do so.
pub(super) struct Visitor {
    pub cx: Cx,
    pub pages: Pages,
    pub present: Box<SignedIn>,
    browser: Browser,
    section: Section,
    notice: Option<&'static str>,
    may_manage: bool,
}

impl Visitor {
    pub(super) fn user(&self) -> &User {
        &self.present.user
    }

    pub(super) fn may_manage(&self) -> bool {
        self.may_manage
    }

    pub(super) fn no_access(&self) -> Response {
        self.pages.error(&PageError { status: 403, message: "noAccessMessage", argument: None })
    }

    /// An address below the account.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/account{path}", self.cx.issuer)
    }

    /// To a page of the console, which says what was done.
    pub(super) fn done(&self, section: Section, notice: &str) -> Response {
        found(&format!("{}?done={notice}", section.address(&self.cx)))
    }

    /// To a page of the console, which says nothing.
    pub(super) fn back(&self, section: Section) -> Response {
        found(&section.address(&self.cx))
    }

    pub(super) fn shell(&self) -> AccountShell {
        let user = self.user();
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        let full = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
        AccountShell {
            user: if full.is_empty() { user.username.clone() } else { full },
            personal_info: Section::PersonalInfo.address(&self.cx),
            applications: Section::Applications.address(&self.cx),
            devices: Section::Devices.address(&self.cx),
            sign_out: format!("{}/protocol/openid-connect/logout?client_id=account-console", self.cx.issuer),
            current: self.section.shown(),
            csrf: console::form_token(&self.browser),
            notice: self.notice.map(Message::new),
        }
    }
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let PageCx(cx) = PageCx::from_request_parts(parts, app).await.map_err(PageFailure::into_response)?;
        let pages = Pages::of(app, &cx, &parts.headers, None);
        let section = Section::of_path(parts.uri.path());
        let browser = browser(&parts.headers);
        let present = match console::visit(&cx, &browser).await {
            Ok(Visit::Welcome(present)) => present,
            Ok(Visit::SignIn) => return Err(sign_in::begin(app, &cx, section)),
            Ok(Visit::Closed(message)) => return Err(pages.error(&PageError::new(message))),
            Err(error) => return Err(pages.trouble(&error)),
        };
        let done = parts.uri.query().and_then(|q| q.strip_prefix("done="));
        let notice = NOTICES.iter().find(|(name, _)| Some(*name) == done).map(|(_, key)| *key);
        let may_manage = console::may(&cx, &present, &["manage-account"]);
        let may_view = may_manage || console::may(&cx, &present, &[section.role()]);
        let visitor = Self { cx, pages, present, browser, section, notice, may_manage };
        if may_view { Ok(visitor) } else { Err(visitor.no_access()) }
    }
}

/// A form of the console, sent by a user who may change the own account.
pub(super) struct OwnForm {
    pub visitor: Visitor,
    pub form: Parameters,
}

impl FromRequest<App> for OwnForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body): (Parts, Body) = request.into_parts();
        // The form comes first: who dribbles it is judged as things stand when it is there.
        let form = read_form(&parts.headers, body).await;
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let Ok(form) = form else { return Err(visitor.pages.error(&PageError::new("invalidRequestMessage"))) };
        // Browsers say where a form comes from; older ones do not, and for them the token stands alone.
        let site = parts.headers.get("sec-fetch-site").and_then(|v| v.to_str().ok());
        let is_own_page = site.is_none_or(|site| site == "same-origin");
        if !is_own_page || !console::is_own_form(&visitor.browser, form.get("csrf").unwrap_or_default()) {
            return Err(visitor.pages.error(&PageError { status: 403, message: "staleCodeMessage", argument: None }));
        }
        if visitor.may_manage() { Ok(Self { visitor, form }) } else { Err(visitor.no_access()) }
    }
}
