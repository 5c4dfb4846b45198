//! The refusals of client registration (RFC 7591 §3.2.2, RFC 6750 §3.1), with Keycloak's statuses.

use std::borrow::Cow;

use crate::flow::admin::Refusal;
use crate::oidc::{OAuthError, OAuthErrorCode};

pub(super) fn invalid_token(text: &'static str) -> Refusal {
    Refusal::Protocol(OAuthError::new(401, OAuthErrorCode::InvalidToken, text))
}

pub(super) fn forbidden(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::Protocol(OAuthError::new(403, OAuthErrorCode::InsufficientScope, text))
}

pub(super) fn bad_metadata(text: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::Protocol(OAuthError::new(400, OAuthErrorCode::InvalidClientMetadata, text))
}
