//! What a user agreed to let a client do.

use super::{ClientScopeId, ClientUuid};
use crate::base::Timestamp;

#[derive(Clone, Debug)]
pub struct Consent {
    pub client: ClientUuid,
    pub scopes: Vec<ClientScopeId>,
    /// A client may itself stand on the consent page, like a scope.
    pub client_itself: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
