//! The page on which a user has to choose a new password.

use serde::Serialize;

use super::{Message, Page};

/// Posts `password-new`, `password-confirm`, `login`, and `logout-sessions=on` where it is ticked.
#[derive(Clone, Debug, Serialize)]
pub struct UpdatePassword {
    pub action: String,
    /// For password managers only: it is neither shown nor posted.
    pub username: String,
    /// Why the user is asked.
    pub reason: Option<Message>,
    /// What is wrong with the new password.
    pub new_error: Option<Message>,
    /// What is wrong with its repetition.
    pub confirm_error: Option<Message>,
}

impl Page for UpdatePassword {
    const TEMPLATE: &'static str = "login/update-password.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/required-action?execution=UPDATE_PASSWORD&tab_id=y".into(),
            username: "alice".into(),
            reason: Some(Message::new("updatePasswordMessage")),
            new_error: Some(Message::new("invalidPasswordMinLengthMessage").with("12")),
            confirm_error: Some(Message::new("notMatchPasswordMessage")),
        }
    }
}
