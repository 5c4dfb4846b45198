//! Initial access tokens: with one of them so many clients may be registered (RFC 7591 §3).

use super::InitialAccessId;
use crate::base::Timestamp;

/// What is kept of a token; the token itself is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialAccess {
    pub id: InitialAccessId,
    pub created_at: Timestamp,
    /// In seconds, as it was asked for; 0 for ever.
    pub lifespan: i64,
    /// None: never.
    pub expires_at: Option<Timestamp>,
    /// How many clients may be registered in all, and how many still.
    pub count: i32,
    pub remaining: i32,
    /// Pages of these origins may register with it.
    pub web_origins: Vec<String>,
}

impl InitialAccess {
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}
