//! The question before a logout that no id token vouches for (OpenID Connect RP-Initiated Logout 1.0 §2).

use serde::Serialize;

use super::Page;

/// Posts `session_code` and `confirmLogout=Logout`.
#[derive(Clone, Debug, Serialize)]
pub struct LogoutConfirm {
    pub action: String,
    pub session_code: String,
    /// The client that asks; may be a key of the message files.
    pub client_name: Option<String>,
    /// Where the user goes who would rather stay signed in.
    pub client_url: Option<String>,
}

impl Page for LogoutConfirm {
    const TEMPLATE: &'static str = "login/logout-confirm.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/protocol/openid-connect/logout/logout-confirm?client_id=x&tab_id=y".into(),
            session_code: "c0de".into(),
            client_name: Some("Mail Reader".into()),
            client_url: Some("https://client.example/".into()),
        }
    }
}
