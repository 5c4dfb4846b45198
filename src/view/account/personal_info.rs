//! The page on which users change their name and address.

use serde::Serialize;

use super::{AccountShell, Section};
use crate::view::{Message, Page};

/// Posts each field by its name, and `csrf`.
#[derive(Clone, Debug, Serialize)]
pub struct PersonalInfo {
    pub account: AccountShell,
    pub action: String,
    pub fields: Vec<Field>,
    pub error: Option<Message>,
}

/// A field of the profile.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    pub name: String,
    /// May be a key of the message files: `${firstName}`.
    pub label: String,
    pub value: String,
    /// What browsers fill in, as HTML names it.
    pub autocomplete: &'static str,
    pub required: bool,
    pub read_only: bool,
    pub error: Option<Message>,
}

impl Page for PersonalInfo {
    const TEMPLATE: &'static str = "account/personal-info.html";

    fn sample() -> Self {
        let field = |name: &str, value: &str| Field {
            name: name.into(),
            label: format!("${{{name}}}"),
            value: value.into(),
            autocomplete: "name",
            required: true,
            read_only: name == "username",
            error: (name == "email").then(|| Message::new("error-invalid-email")),
        };
        Self {
            account: AccountShell::sample(Section::PersonalInfo),
            action: "/realms/sample/account/".into(),
            fields: vec![field("username", "alice"), field("email", "nonsense"), field("firstName", "Alice")],
            error: Some(Message::new("accountNotUpdatedMessage")),
        }
    }
}
