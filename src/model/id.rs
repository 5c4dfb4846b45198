//! The ids of the nouns. Two kinds of id are never the same type.

use crate::base::text_id;

text_id! {
    /// The row id of a realm; its name is another thing.
    RealmId,
    /// The row id of a client; tokens and requests carry its [`ClientId`].
    ClientUuid,
    /// The OAuth `client_id` (RFC 6749 §2.2).
    ClientId,
    ClientScopeId,
    ComponentId,
    ProtocolMapperId,
    RoleId,
    GroupId,
    UserId,
    CredentialId,
    /// The `sid` of tokens: an online session and the offline session that was opened in it share it.
    SessionId,
    /// One chain of rotating refresh tokens: the claim `reuse_id`, or the empty text for tokens without.
    ChainId,
    /// The `kid` of a key.
    KeyId,
    /// The `jti` of a token.
    TokenId,
    /// One tab of a browser that is signing in.
    TabId,
    EventId,
    /// The `jti` of an initial access token.
    InitialAccessId,
}
