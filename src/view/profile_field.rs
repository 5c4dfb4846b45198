//! A field of a user's profile on a form. The realm's user profile says which there are.

use serde::Serialize;

use super::Message;

/// Posts its values by its name, one or several.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileField {
    pub name: String,
    /// May be a key of the message files: `${firstName}`.
    pub label: String,
    pub kind: FieldKind,
    /// At least one, for there is a place for it.
    pub values: Vec<String>,
    /// What a choice is among; each may be a key of the message files.
    pub options: Vec<String>,
    /// What browsers fill in, as HTML names it.
    pub autocomplete: &'static str,
    /// The keyboard that a phone shows, as HTML names it.
    pub keyboard: &'static str,
    pub required: bool,
    pub read_only: bool,
    pub autofocus: bool,
    pub error: Option<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldKind {
    Text,
    Lines,
    Choice,
}

impl ProfileField {
    /// Fields with everything that one can show.
    pub(super) fn samples() -> Vec<Self> {
        let field = |name: &str, value: &str| Self {
            name: name.into(),
            label: format!("${{{name}}}"),
            kind: FieldKind::Text,
            values: vec![value.into()],
            options: Vec::new(),
            autocomplete: "off",
            keyboard: "text",
            required: true,
            read_only: false,
            autofocus: name == "username",
            error: None,
        };
        vec![
            field("username", "alice"),
            Self { error: Some(Message::new("error-invalid-email")), keyboard: "email", ..field("email", "nonsense") },
            Self { read_only: true, ..field("firstName", "Alice") },
            Self { kind: FieldKind::Lines, required: false, label: "About you".into(), ..field("about", "One\nTwo") },
            Self { values: vec!["red".into(), "blue".into(), String::new()], label: "Colours".into(), ..field("colours", "") },
            Self {
                kind: FieldKind::Choice,
                options: vec!["north".into(), "south".into()],
                required: false,
                label: "Site".into(),
                ..field("site", "south")
            },
        ]
    }
}
