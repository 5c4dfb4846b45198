//! An authorization code between the redirect and its exchange (RFC 6749 §4.1).

use serde::{Deserialize, Serialize};

use super::{ClientUuid, SessionId, UserId};
use crate::base::Timestamp;

/// What a code stands for. The code itself is stored as a hash, and this beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeGrant {
    pub redirect_uri: String,
    /// The raw `scope` parameter; none if there was none.
    pub scope: Option<String>,
    pub nonce: Option<String>,
    pub challenge: Option<Challenge>,
    /// 1 for a password typed for this request, 0 for single sign-on; none if the client asked for no level.
    pub level: i64,
    /// The sign-in of this very request opened the session, and the request asked for offline access: then the online session
    /// ends when the offline one is opened (Keycloak since 26.1).
    pub first_offline: bool,
    /// In seconds since 1970: what was revoked since then is not exchanged.
    #[serde(default)]
    pub issued_at: Option<i64>,
}

/// A PKCE challenge (RFC 7636 §4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    pub value: String,
    pub method: ChallengeMethod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChallengeMethod {
    #[serde(rename = "plain")]
    Plain,
    S256,
}

/// A code that is being exchanged.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    pub session_id: SessionId,
    pub client: ClientUuid,
    pub user_id: UserId,
    pub expires_at: Timestamp,
    pub grant: CodeGrant,
}
