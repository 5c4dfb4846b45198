//! A letter: the same words in HTML and in plain text. It loads nothing from anywhere, so that opening it tells nobody.

use serde::Serialize;

use super::{Link, Message};

/// What stands in a letter; its templates find it under `page`.
#[derive(Clone, Serialize)]
pub struct Letter {
    pub subject: Message,
    pub paragraphs: Vec<Message>,
    /// Listed below the paragraphs; each may be a key of the message files.
    pub items: Vec<String>,
    pub link: Option<Link>,
    /// For how long the link works, in seconds.
    pub lives: Option<i64>,
    /// What to do if nobody asked for it.
    pub closing: Option<Message>,
}

/// Without the link.
impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// A letter in one language.
#[derive(Clone)]
pub struct Written {
    pub subject: String,
    pub html: String,
    pub text: String,
}

impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl Letter {
    pub(super) const HTML: &'static str = "email/letter.html";
    pub(super) const TEXT: &'static str = "email/letter.txt";

    /// An example with everything that a letter can show.
    pub(super) fn sample() -> Self {
        Self {
            subject: Message::new("executeActionsSubject").with("Sample"),
            paragraphs: vec![Message::new("executeActionsText").with("Sample")],
            items: vec!["${requiredAction.UPDATE_PASSWORD}".into()],
            link: Some(Link {
                url: "https://id.example/realms/sample/login-actions/action-token?key=x&client_id=y".into(),
                text: Message::new("letterProceed"),
            }),
            lives: Some(43_200),
            closing: Some(Message::new("letterNotAskedFor")),
        }
    }
}
