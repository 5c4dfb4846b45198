//! Wrong passwords of a user, counted.

use crate::base::Timestamp;

/// What is known of somebody's guesses at a user's password; fresh before the first and after a right one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginFailures {
    pub failures: i32,
    pub temporary_lockouts: i32,
    pub last_at: Option<Timestamp>,
    pub last_ip_address: Option<String>,
    pub locked_until: Option<Timestamp>,
}

impl LoginFailures {
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }
}

/// How a user is locked for good: disabled, with this attribute (Keycloak).
pub const DISABLED_REASON: &str = "disabledReason";
pub const PERMANENT_LOCKOUT: &str = "permanentLockout";
