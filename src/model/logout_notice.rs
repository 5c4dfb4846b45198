//! What a client with a back-channel logout address has to be told: that a session has ended.

use super::{ClientUuid, RealmId, SessionId, UserId};

/// One notice to one client.
#[derive(Clone, Debug)]
pub struct LogoutNotice {
    pub realm: RealmId,
    pub id: String,
    pub client: ClientUuid,
    pub session: SessionId,
    pub user: UserId,
    /// The issuer as the request saw it that ended the session.
    pub issuer: String,
    /// Which attempt this is; the first is 1.
    pub attempts: i32,
}
