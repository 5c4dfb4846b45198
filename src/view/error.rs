//! The page for what cannot go on and is not sent back to a client.

use serde::Serialize;

use super::{Message, Page};

/// What went wrong, and the way back.
#[derive(Clone, Debug, Serialize)]
pub struct Error {
    pub message: Message,
    /// Where the client lives, when it is known which one sent the user here.
    pub client_url: Option<String>,
}

impl Page for Error {
    const TEMPLATE: &'static str = "login/error.html";

    fn sample() -> Self {
        Self {
            message: Message::new("invalidParameterMessage").with("redirect_uri"),
            client_url: Some("https://client.example/".into()),
        }
    }
}
