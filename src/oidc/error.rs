//! The errors of OAuth endpoints (RFC 6749 §5.2, §4.1.2.1), with Keycloak's words.

use std::borrow::Cow;

/// The closed set of error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidToken,
    /// RFC 7591 §3.2.2.
    InvalidClientMetadata,
    InvalidRedirectUri,
    InsufficientScope,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    UnsupportedTokenType,
    AccessDenied,
    LoginRequired,
    InteractionRequired,
    TemporarilyUnavailable,
    ServerError,
    /// Keycloak's own: the user or client may not have offline tokens.
    NotAllowed,
}

impl OAuthErrorCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::InteractionRequired => "interaction_required",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
            Self::NotAllowed => "not_allowed",
        }
    }
}

/// A refusal as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    pub status: u16,
    pub code: OAuthErrorCode,
    pub description: Option<Cow<'static, str>>,
}

impl OAuthError {
    pub fn new(status: u16, code: OAuthErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, description: Some(description.into()) }
    }

    pub fn bare(status: u16, code: OAuthErrorCode) -> Self {
        Self { status, code, description: None }
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, OAuthErrorCode::InvalidRequest, description)
    }

    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, OAuthErrorCode::InvalidGrant, description)
    }

    /// Nothing is wrong with what the client holds: it asks too often. Never `invalid_grant`, on which clients throw tokens away.
    pub fn too_many_requests(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(429, OAuthErrorCode::TemporarilyUnavailable, description)
    }

    pub fn invalid_scope(raw: &str) -> Self {
        Self::new(400, OAuthErrorCode::InvalidScope, format!("Invalid scopes: {raw}"))
    }

    /// Unknown, missing and disabled clients are not told apart.
    pub fn invalid_client() -> Self {
        Self::new(401, OAuthErrorCode::InvalidClient, INVALID_CLIENT)
    }

    pub fn realm_not_enabled() -> Self {
        Self::new(403, OAuthErrorCode::AccessDenied, "Realm not enabled")
    }

    /// Realm or client limit the number of a user's offline grants.
    pub fn too_many_offline_grants() -> Self {
        Self::invalid_grant("There are too many offline sessions")
    }

    pub fn offline_not_allowed() -> Self {
        Self::new(400, OAuthErrorCode::NotAllowed, "Offline tokens not allowed for the user or client")
    }
}

pub const INVALID_CLIENT: &str = "Invalid client or Invalid client credentials";
