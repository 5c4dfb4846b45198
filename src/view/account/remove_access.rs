//! The page that says what stops working before an application's access is removed.

use serde::Serialize;

use super::{AccountShell, Section};
use crate::view::Page;

/// Posts `csrf`.
#[derive(Clone, Debug, Serialize)]
pub struct RemoveAccess {
    pub account: AccountShell,
    pub action: String,
    pub back: String,
    /// May be a key of the message files.
    pub name: String,
    /// How many grants of offline access end.
    pub offline_count: usize,
    pub has_consent: bool,
    /// For how many seconds what it holds now may still work.
    pub still_works: i64,
}

impl Page for RemoveAccess {
    const TEMPLATE: &'static str = "account/remove-access.html";

    fn sample() -> Self {
        Self {
            account: AccountShell::sample(Section::Applications),
            action: "/realms/sample/account/applications/backup/remove".into(),
            back: "/realms/sample/account/applications".into(),
            name: "Night backup".into(),
            offline_count: 2,
            has_consent: true,
            still_works: 300,
        }
    }
}
