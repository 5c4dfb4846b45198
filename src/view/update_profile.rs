//! The page on which a user puts the own profile right before the sign-in goes on.

use serde::Serialize;

use super::{Message, Page, ProfileField};

/// Posts each field of the profile by its name.
#[derive(Clone, Debug, Serialize)]
pub struct UpdateProfile {
    pub action: String,
    /// Why the user is asked.
    pub reason: Option<Message>,
    pub fields: Vec<ProfileField>,
}

impl Page for UpdateProfile {
    const TEMPLATE: &'static str = "login/update-profile.html";

    fn sample() -> Self {
        Self {
            action: "/realms/sample/login-actions/required-action?execution=UPDATE_PROFILE&tab_id=y".into(),
            reason: Some(Message::new("updateProfileMessage")),
            fields: ProfileField::samples(),
        }
    }
}
