//! The page that asks for a one-time code. The names of its inputs are Keycloak's, for programs fill it in too.

use serde::Serialize;

use super::{Message, Page};

/// Posts `otp`, `selectedCredentialId` and `login`.
#[derive(Clone, Debug, Serialize)]
pub struct OneTimeCode {
    pub action: String,
    /// Whose code is asked for.
    pub attempted_username: String,
    /// Where somebody else starts over.
    pub restart_url: String,
    /// The realm lets users sign in by e-mail address.
    pub email_allowed: bool,
    /// Shown as a choice where there are several.
    pub devices: Vec<CodeDevice>,
    pub error: Option<Message>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CodeDevice {
    pub id: String,
    /// The name that the user gave it.
    pub label: Option<String>,
    pub is_chosen: bool,
}

impl Page for OneTimeCode {
    const TEMPLATE: &'static str = "login/one-time-code.html";

    fn sample() -> Self {
        let device = |id: &str, is_chosen| CodeDevice { id: id.into(), label: Some(format!("phone {id}")), is_chosen };
        Self {
            action: "/realms/sample/login-actions/authenticate?session_code=x&tab_id=y".into(),
            attempted_username: "alice".into(),
            restart_url: "/realms/sample/login-actions/restart?client_id=x&tab_id=y".into(),
            email_allowed: true,
            devices: vec![device("1", true), device("2", false)],
            error: Some(Message::new("invalidTotpMessage")),
        }
    }
}
