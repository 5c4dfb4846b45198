//! The login page: user name and password. The names of its inputs are Keycloak's, for programs fill it in too.

use serde::Serialize;

use super::{Message, Page};

/// Posts `username`, `password`, `credentialId` (empty), `login`, and `rememberMe=on` where it is ticked.
#[derive(Clone, Debug, Serialize)]
pub struct Login {
    pub action: String,
    /// What the field is filled in with.
    pub username: String,
    /// The user is settled and only proves to be it: the name is shown in place of the field, and `username` is not posted.
    pub attempted_username: Option<String>,
    /// Where somebody else starts over; shown beside the attempted name.
    pub restart_url: Option<String>,
    /// The realm lets users sign in by e-mail address.
    pub email_allowed: bool,
    /// Whether the box is ticked; absent where the realm does not remember.
    pub remember_me: Option<bool>,
    /// Where users go who forgot their password; absent where the realm does not help them.
    pub forgotten_url: Option<String>,
    /// Where new users go; absent where the realm takes none.
    pub register_url: Option<String>,
    pub error: Option<Message>,
    pub info: Option<Message>,
}

impl Page for Login {
    const TEMPLATE: &'static str = "login/login.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/authenticate?session_code=x&tab_id=y".into(),
            username: "alice".into(),
            attempted_username: None,
            restart_url: Some("/realms/sample/login-actions/restart?client_id=x&tab_id=y".into()),
            email_allowed: true,
            remember_me: Some(true),
            forgotten_url: Some("/realms/sample/login-actions/reset-credentials?client_id=x&tab_id=y".into()),
            register_url: Some("/realms/sample/login-actions/registration?client_id=x&tab_id=y".into()),
            error: Some(Message::new("invalidUserMessage")),
            info: Some(Message::new("loginTimeout")),
        }
    }
}
