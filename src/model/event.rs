//! Events: what happened to users and clients, for administrators to read. Names are Keycloak's.

use serde_json::{Map, Value};

use super::{EventId, RealmSettings, SessionId, UserId};
use crate::base::Timestamp;

/// The kinds that the server writes today. The failed form of a kind has `_ERROR` after its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Login,
    CodeToToken,
    RefreshToken,
    ClientLogin,
    ClientRegister,
    ClientUpdate,
    ClientDelete,
    ClientInfo,
    Logout,
    RevokeGrant,
    GrantConsent,
    UpdateConsent,
    UpdatePassword,
    UpdateTotp,
    RemoveTotp,
    UpdateProfile,
    VerifyProfile,
    Register,
    SendVerifyEmail,
    VerifyEmail,
    SendResetPassword,
    ResetPassword,
    ExecuteActions,
    UserSessionDeleted,
    UserInfoRequest,
    UserDisabledByTemporaryLockout,
    UserDisabledByPermanentLockout,
    Impersonate,
}

impl EventKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "LOGIN",
            Self::CodeToToken => "CODE_TO_TOKEN",
            Self::RefreshToken => "REFRESH_TOKEN",
            Self::ClientLogin => "CLIENT_LOGIN",
            Self::ClientRegister => "CLIENT_REGISTER",
            Self::ClientUpdate => "CLIENT_UPDATE",
            Self::ClientDelete => "CLIENT_DELETE",
            Self::ClientInfo => "CLIENT_INFO",
            Self::Logout => "LOGOUT",
            Self::RevokeGrant => "REVOKE_GRANT",
            Self::GrantConsent => "GRANT_CONSENT",
            Self::UpdateConsent => "UPDATE_CONSENT",
            Self::UpdatePassword => "UPDATE_PASSWORD",
            Self::UpdateTotp => "UPDATE_TOTP",
            Self::RemoveTotp => "REMOVE_TOTP",
            Self::UpdateProfile => "UPDATE_PROFILE",
            Self::VerifyProfile => "VERIFY_PROFILE",
            Self::Register => "REGISTER",
            Self::SendVerifyEmail => "SEND_VERIFY_EMAIL",
            Self::VerifyEmail => "VERIFY_EMAIL",
            Self::SendResetPassword => "SEND_RESET_PASSWORD",
            Self::ResetPassword => "RESET_PASSWORD",
            Self::ExecuteActions => "EXECUTE_ACTIONS",
            Self::UserSessionDeleted => "USER_SESSION_DELETED",
            Self::UserInfoRequest => "USER_INFO_REQUEST",
            Self::UserDisabledByTemporaryLockout => "USER_DISABLED_BY_TEMPORARY_LOCKOUT",
            Self::UserDisabledByPermanentLockout => "USER_DISABLED_BY_PERMANENT_LOCKOUT",
            Self::Impersonate => "IMPERSONATE",
        }
    }

    /// Whether a realm keeps events of this kind, or its failures.
    pub fn is_kept(self, failed: bool, settings: &RealmSettings) -> bool {
        let is_named = |name: &String| match name.strip_suffix("_ERROR") {
            Some(kind) => failed && kind == self.as_str(),
            None => !failed && name == self.as_str(),
        };
        let names = &settings.enabled_event_types;
        settings.events_enabled && if names.is_empty() { self.is_saved_by_default() } else { names.iter().any(is_named) }
    }

    /// Whether the kind is stored when the realm names no kinds: all but the ones that change nothing.
    pub fn is_saved_by_default(self) -> bool {
        !matches!(self, Self::RefreshToken | Self::UserSessionDeleted | Self::UserInfoRequest | Self::ClientInfo)
    }
}

/// One event before it is stored.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: EventKind,
    /// Keycloak's error word for a failure; none for a success.
    pub error: Option<String>,
    pub client_id: Option<String>,
    pub user_id: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub ip_address: String,
    pub details: Map<String, Value>,
}

impl Event {
    /// The stored name: the kind, and `_ERROR` after it for a failure.
    pub fn type_name(&self) -> String {
        match self.error {
            Some(_) => format!("{}_ERROR", self.kind.as_str()),
            None => self.kind.as_str().to_owned(),
        }
    }

    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Why something ended, as the detail `reason`.
    pub fn because(self, reason: EndReason) -> Self {
        self.detail("reason", reason.as_str())
    }
}

/// Why a session, or a client's part of one, ended. The list is closed and documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A limit of its own; the detail `lapsed_by` says which.
    Expired,
    Administrator,
    User,
    /// Another user signed in in the same browser.
    AnotherUser,
    TooManyChains,
    TooManyGrants,
}

impl EndReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Administrator => "administrator",
            Self::User => "user",
            Self::AnotherUser => "another_user",
            Self::TooManyChains => "too_many_refresh_token_chains",
            Self::TooManyGrants => "offline_grants_max_per_user",
        }
    }
}

/// An event that was read back.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    pub id: EventId,
    pub at: Timestamp,
    pub type_name: String,
    pub error: Option<String>,
    pub client_id: Option<String>,
    pub user_id: Option<UserId>,
    pub session_id: Option<SessionId>,
    pub ip_address: Option<String>,
    pub details: Map<String, Value>,
}
