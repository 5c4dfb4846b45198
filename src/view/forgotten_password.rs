//! The page for users who forgot their password: it asks for the name and tells nothing.

use serde::Serialize;

use super::{Message, Page};

/// Posts `username`.
#[derive(Clone, Debug, Serialize)]
pub struct ForgottenPassword {
    pub action: String,
    /// What the field is filled in with.
    pub username: String,
    /// The realm lets users sign in by e-mail address.
    pub email_allowed: bool,
    pub error: Option<Message>,
    pub login_url: String,
}

impl Page for ForgottenPassword {
    const TEMPLATE: &'static str = "login/forgotten-password.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/reset-credentials?session_code=x&tab_id=y".into(),
            username: "alice".into(),
            email_allowed: true,
            error: Some(Message::new("missingUsernameMessage")),
            login_url: "/realms/sample/login-actions/authenticate?tab_id=y".into(),
        }
    }
}
