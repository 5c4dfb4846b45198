//! One tab of a browser that is signing in or out: what was asked, and how far the user has come.

use serde::{Deserialize, Serialize};

use super::authorization_code::Challenge;
use super::{ClientUuid, TabId, UserId};
use crate::base::Timestamp;

/// A tab. It is bound to its browser by a cookie whose hash is stored, and each form that it shows works once.
#[derive(Clone, Debug)]
pub struct AuthenticationSession {
    pub tab: TabId,
    pub client: ClientUuid,
    pub started_at: Timestamp,
    pub expires_at: Timestamp,
    pub progress: Progress,
    pub request: TabRequest,
}

/// What brought the browser here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TabRequest {
    SignIn(SignInRequest),
    SignOut(SignOutRequest),
    /// A link of a letter that was opened in another browser than the one it was asked for in, or that nobody asked for in one.
    Action(ActionRequest),
}

/// A link of a letter that waits for the user's yes, or is being followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionRequest {
    /// SHA-256 of the link's value, in hexadecimal: the yes is to this link.
    pub link: String,
    /// Where the user may go on afterwards.
    pub redirect_uri: Option<String>,
}

/// A valid authorization request, waiting for the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInRequest {
    pub redirect_uri: String,
    pub response_mode: String,
    pub state: Option<String>,
    pub scope: Option<String>,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    /// The user must be asked for consent even though they gave it.
    pub ask_consent: bool,
}

/// A request to log out that waits for the user's yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignOutRequest {
    pub redirect_uri: Option<String>,
    pub state: Option<String>,
}

/// How far the user has come in this tab.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Progress {
    /// The sign-in form is shown. `known_user`: who is signed in already and has to type their password again.
    Password { known_user: Option<UserId>, message: Option<String> },
    /// The password was right, and the form for the one-time code is shown.
    OneTimeCode(Authenticated),
    /// The user is proven; something is left to do before the session may be opened.
    Authenticated(Authenticated),
    /// The session is open and the code is out; the tab only remembers that.
    Done,
    /// The confirmation of a logout is shown.
    ConfirmLogout,
    /// The page that asks whether the link of a letter is to be followed is shown.
    ConfirmLink,
}

/// Who proved themselves in this tab, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticated {
    pub user_id: UserId,
    pub login_name: String,
    pub remember_me: bool,
    /// Seconds since 1970.
    pub auth_time: i64,
    /// 1 if a password was typed in this tab, 0 if the browser was signed in before.
    pub level: i64,
    /// The online session that goes on; none if one has to be opened.
    pub session: Option<super::SessionId>,
    /// What the consent page showed last: the ids of client scopes, and of the client where it stands there itself, and the
    /// terms of offline access.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// Required actions of this tab, beside those of the user: the link of a letter asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// The address that a letter was sent to from this tab, so that reloading its page sends no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailed: Option<String>,
}
