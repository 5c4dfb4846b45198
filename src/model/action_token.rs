//! What stands behind a link in a letter: for whom it is, and what it is good for.

use serde::{Deserialize, Serialize};

use super::{ClientUuid, TabId, UserId};
use crate::base::Timestamp;

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Proves that the letter was read at its address.
    VerifyEmail,
    /// Lets the user choose a new password.
    ResetPassword,
    /// Lets the user do what an administrator asks for.
    ExecuteActions,
}

impl ActionKind {
    pub const ALL: [Self; 3] = [Self::VerifyEmail, Self::ResetPassword, Self::ExecuteActions];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ResetPassword => "reset_password",
            Self::ExecuteActions => "execute_actions",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The name that realm attributes know it by: `actionTokenGeneratedByUserLifespan.verify-email` (Keycloak).
    pub fn lifespan_name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-credentials",
            Self::ExecuteActions => "execute-actions",
        }
    }
}

/// What a link is bound to, beside its realm and user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionDetails {
    /// The address that the letter went to: a link is worth nothing once the user has another.
    pub email: String,
    pub client: ClientUuid,
    /// The tab in which the user asked for the letter; none if an administrator did.
    pub tab: Option<TabId>,
    /// The required actions that the link asks for.
    #[serde(default)]
    pub actions: Vec<String>,
    /// Where the user may go on afterwards: checked when the letter was asked for.
    pub redirect_uri: Option<String>,
}

/// A link as it is kept. Its value is not: only the letter has it.
#[derive(Clone, Debug)]
pub struct ActionToken {
    pub user: UserId,
    pub kind: ActionKind,
    pub details: ActionDetails,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub is_used: bool,
}
