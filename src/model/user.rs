//! A user, or the service account of a client.

use std::collections::BTreeMap;

use super::{ClientUuid, Consent, GroupId, RoleId, UserId};
use crate::base::Timestamp;

/// What a user is asked to do who has to choose a new password.
pub const UPDATE_PASSWORD: &str = "UPDATE_PASSWORD";

/// What a user is asked to do who has to set up an authenticator.
pub const CONFIGURE_TOTP: &str = "CONFIGURE_TOTP";

/// What a user is asked to do whose address nobody has proved yet.
pub const VERIFY_EMAIL: &str = "VERIFY_EMAIL";

/// What a user is asked to do who has to look the profile over.
pub const UPDATE_PROFILE: &str = "UPDATE_PROFILE";

/// What a user is asked to do whose profile is not as the realm wants it.
pub const VERIFY_PROFILE: &str = "VERIFY_PROFILE";

/// A user as decisions see it. Credentials are not part of it: they are read where a password is checked, and nowhere kept.
#[derive(Clone, Debug)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub enabled: bool,
    /// Tokens issued to this user before this second are stale; 0 for none.
    pub not_before: i64,
    /// Incremented by every write to the user, in the same transaction; 0 before the first.
    pub version: i64,
    pub attributes: BTreeMap<String, Vec<String>>,
    pub required_actions: Vec<String>,
    pub service_account_of: Option<ClientUuid>,
    pub created_at: Timestamp,
    pub roles: Vec<RoleId>,
    pub groups: Vec<GroupId>,
    pub consents: Vec<Consent>,
}

impl User {
    /// First and last name, as far as they are there.
    pub fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [&self.first_name, &self.last_name].into_iter().flatten().map(String::as_str).collect();
        if parts.is_empty() { None } else { Some(parts.join(" ")) }
    }

    pub fn consent_for(&self, client: &ClientUuid) -> Option<&Consent> {
        self.consents.iter().find(|c| c.client == *client)
    }
}
