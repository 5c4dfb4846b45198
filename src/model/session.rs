//! Sessions: a user's sign-in, the parts that clients have in it, and the chains of refresh tokens of each part.
//!
//! Online and offline sessions have the same shape and stand in tables of their own; an offline session has the id of the
//! online one that it was opened in. What makes a session lapse stands in `oidc::session_limits`.

use serde_json::{Map, Value};

use super::{ChainId, ClientUuid, KeyId, SessionId, TokenId, UserId};
use crate::base::Timestamp;

/// Whether a session ends with the browser's sign-in or outlives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionKind {
    Online,
    Offline,
}

impl SessionKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Offline => "offline",
        }
    }
}

/// One sign-in of a user.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub started_at: Timestamp,
    /// The latest grant, loss of a part or, online, use in the browser; refreshes are counted on the chains.
    pub last_grant_at: Timestamp,
    pub ip_address: String,
    pub user_agent: String,
    /// The name that the user typed.
    pub login_name: String,
    pub remember_me: bool,
    /// When the user last proved who they are, in seconds; `None` where no browser was involved.
    pub auth_time: Option<i64>,
    /// Texts that mappers may put into tokens (`oidc-usersessionmodel-note-mapper`).
    pub notes: Map<String, Value>,
}

/// What a client has in a session.
#[derive(Clone, Debug)]
pub struct ClientSession {
    pub client: ClientUuid,
    pub started_at: Timestamp,
    pub details: ClientSessionDetails,
}

/// What the authorization request left behind for the tokens of later refreshes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct ClientSessionDetails {
    /// Echoed by the backwards compatible nonce mapper (OIDC Core §12.2 leaves it out of refreshed ID tokens).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The level of authentication: 1 for a password typed for this request, 0 for single sign-on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<i64>,
    /// The scopes that the client was granted in this session, by name. None in parts of before they were noted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
}

/// One chain of refresh tokens of a client's part: constant in size however often it is used.
#[derive(Clone, Debug)]
pub struct Chain {
    pub id: ChainId,
    pub generation: i64,
    /// The token that may be used next; none until the first use under rotation: then any token of the generation may.
    pub current: Option<TokenId>,
    pub previous: Option<TokenId>,
    pub rotated_at: Timestamp,
    pub last_refresh_at: Timestamp,
    pub key_id: KeyId,
    pub replays: i32,
}

/// What the row of a chain of refresh tokens says: its current token, and the one used last.
#[derive(Clone, Debug)]
pub struct ChainState {
    pub generation: i64,
    /// None: no use under rotation yet, any token of this generation is current.
    pub current: Option<TokenId>,
    pub previous: Option<TokenId>,
    pub rotated_at: Timestamp,
    pub replays: i32,
    pub late_replay_at: Option<Timestamp>,
}
