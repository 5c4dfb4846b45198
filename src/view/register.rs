//! The page on which a stranger becomes a user. The names of its inputs are Keycloak's.

use serde::Serialize;

use super::{Message, Page, ProfileField};

/// Posts each field of the profile by its name, `password` and `password-confirm`.
#[derive(Clone, Debug, Serialize)]
pub struct Register {
    pub action: String,
    /// The first is the name that the user will sign in by; the passwords stand below it.
    pub fields: Vec<ProfileField>,
    /// Whether something was wrong, wherever.
    pub is_again: bool,
    pub password_error: Option<Message>,
    pub confirm_error: Option<Message>,
    pub login_url: String,
}

impl Page for Register {
    const TEMPLATE: &'static str = "login/register.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/registration?session_code=x&tab_id=y".into(),
            fields: ProfileField::samples(),
            is_again: true,
            password_error: Some(Message::new("invalidPasswordMinLengthMessage").with("12")),
            confirm_error: Some(Message::new("notMatchPasswordMessage")),
            login_url: "/realms/sample/login-actions/authenticate?tab_id=y".into(),
        }
    }
}
