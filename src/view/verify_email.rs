//! The page that waits until a user has opened the link of a letter.

use serde::Serialize;

use super::{Message, Page};

/// Posts nothing but the wish for another letter.
#[derive(Clone, Debug, Serialize)]
pub struct VerifyEmail {
    /// Where another letter is asked for.
    pub action: String,
    pub email: String,
    /// Why there is no letter.
    pub error: Option<Message>,
    /// Where the sign-in goes on once the link was opened on another device.
    pub continue_url: String,
}

impl Page for VerifyEmail {
    const TEMPLATE: &'static str = "login/verify-email.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/required-action?execution=VERIFY_EMAIL&session_code=x&tab_id=y".into(),
            email: "alice@example.org".into(),
            error: Some(Message::new("emailSendErrorMessage")),
            continue_url: "/realms/sample/login-actions/required-action?execution=VERIFY_EMAIL&tab_id=y".into(),
        }
    }
}
