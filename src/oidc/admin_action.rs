//! What Keycloak's adapters listen for below a client's admin URL: signed statements that older tokens or sessions are void.

use serde_json::{Map, Value, json};

/// For how many seconds a statement is good.
const LIFESPAN: i64 = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminAction {
    /// Tokens issued before this are void; seconds, 0 for none.
    PushNotBefore { not_before: i64 },
    /// Every session that started before this has ended.
    Logout { not_before: i64 },
}

impl AdminAction {
    /// Where it is sent, below the client's admin URL.
    pub fn path(self) -> &'static str {
        match self {
            Self::PushNotBefore { .. } => "k_push_not_before",
            Self::Logout { .. } => "k_logout",
        }
    }

    /// `id` is the statement's own, `now` in seconds, `client_id` whom it is for.
    pub fn claims(self, id: &str, client_id: &str, now: i64) -> Map<String, Value> {
        let (action, not_before) = match self {
            Self::PushNotBefore { not_before } => ("PUSH_NOT_BEFORE", not_before),
            Self::Logout { not_before } => ("LOGOUT", not_before),
        };
        Map::from_iter([
            ("id".to_owned(), json!(id)),
            ("expiration".to_owned(), json!(now + LIFESPAN)),
            ("resource".to_owned(), json!(client_id)),
            ("action".to_owned(), json!(action)),
            ("notBefore".to_owned(), json!(not_before)),
        ])
    }
}
