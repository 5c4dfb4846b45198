//! The page that tells that something is done, such as a logout.

use serde::Serialize;

use super::{Message, Page};

/// A heading, perhaps more to say, perhaps a way on.
#[derive(Clone, Debug, Serialize)]
pub struct Info {
    pub heading: Message,
    pub text: Option<Message>,
    pub link: Option<Link>,
}

/// Where the user may go, and what the link says.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    pub url: String,
    pub text: Message,
}

impl Link {
    /// Back to the client that sent the user here.
    pub fn back_to_application(url: impl Into<String>) -> Self {
        Self { url: url.into(), text: Message::new("backToApplication") }
    }
}

impl Page for Info {
    const TEMPLATE: &'static str = "login/info.html";

    fn sample() -> Self {
        Self {
            heading: Message::new("successLogout"),
            text: Some(Message::new("logoutKeepsOfflineAccess")),
            link: Some(Link::back_to_application("https://client.example/")),
        }
    }
}
