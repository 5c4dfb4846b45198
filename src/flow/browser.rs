//! What a browser brings along, what it is told to keep, and where it goes next: sign-in and logout without HTTP.

use crate::base::sha256;
use crate::model::{ClientId, SessionId, TabId};
use crate::oidc::authorization_request::PageError;
use crate::oidc::response_mode::Response;

/// The values of the cookies that a browser sent. Each is a random handle and nothing else.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    /// `AUTH_SESSION_ID`: binds the tabs that are signing in to this browser.
    pub tabs: Option<String>,
    /// `KEYCLOAK_IDENTITY`: names the online session.
    pub identity: Option<String>,
    /// Whether the browser accepts what pages set; a browser without a tab cookie has none of these.
    pub remembered_name: Option<String>,
}

impl Browser {
    pub fn tabs_hash(&self) -> Option<[u8; 32]> {
        self.tabs.as_deref().map(|secret| sha256(secret.as_bytes()))
    }

    pub fn identity_hash(&self) -> Option<[u8; 32]> {
        self.identity.as_deref().map(|secret| sha256(secret.as_bytes()))
    }
}

/// What the browser is told to keep or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keep {
    /// A tab was opened: the handle that binds it.
    Tabs(String),
    /// The user is signed in: the secret that names the session, the session's id for the session iframe, and for how many
    /// seconds with Remember me.
    SignedIn { identity: String, session: SessionId, remember_for: Option<i64>, username: String },
    /// The user does not want to be remembered any more.
    ForgetName,
    /// The user is signed out.
    SignedOut,
}

/// Where the browser goes next.
#[derive(Clone, Debug)]
pub enum Next {
    /// Back to the client.
    Client(Response),
    /// An error that the user is shown.
    Error(PageError),
    /// One of the server's own pages: asked for anew, so that reloading it repeats nothing.
    Page(PageOf),
    /// The end of the way: something is done, and no client waits.
    Told(Told),
}

/// What the user is told at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// A message key of the pages.
    pub message: &'static str,
    /// Where the user may go on.
    pub redirect_uri: Option<String>,
}

/// The address of a page of a tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOf {
    pub step: PageStep,
    pub client_id: ClientId,
    pub tab: TabId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStep {
    Login,
    Registration,
    UpdateProfile,
    VerifyEmail,
    ConfigureTotp,
    UpdatePassword,
    VerifyProfile,
    Consent,
}

/// A step with what the browser is to keep.
#[derive(Clone, Debug)]
pub struct Move {
    pub next: Next,
    pub keep: Vec<Keep>,
}

impl Move {
    pub fn to(next: Next) -> Self {
        Self { next, keep: Vec::new() }
    }

    pub fn error(message: &'static str) -> Self {
        Self::to(Next::Error(PageError::new(message)))
    }
}
