//! Admin events: what an administrator did to a realm. Names are Keycloak's.

use serde_json::{Map, Value};

use super::{ClientUuid, EventId, RealmId, UserId};
use crate::base::Timestamp;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($variant,)+ }

        impl $name {
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

named! {
    /// What was done.
    Operation {
        Create = "CREATE",
        Update = "UPDATE",
        Delete = "DELETE",
        Action = "ACTION",
    }
}

named! {
    /// What it was done to.
    ResourceType {
        Realm = "REALM",
        RealmRole = "REALM_ROLE",
        RealmRoleMapping = "REALM_ROLE_MAPPING",
        RealmScopeMapping = "REALM_SCOPE_MAPPING",
        RequiredAction = "REQUIRED_ACTION",
        RequiredActionConfig = "REQUIRED_ACTION_CONFIG",
        User = "USER",
        UserLoginFailure = "USER_LOGIN_FAILURE",
        UserProfile = "USER_PROFILE",
        UserSession = "USER_SESSION",
        Group = "GROUP",
        GroupMembership = "GROUP_MEMBERSHIP",
        Client = "CLIENT",
        ClientInitialAccess = "CLIENT_INITIAL_ACCESS_MODEL",
        ClientRole = "CLIENT_ROLE",
        ClientRoleMapping = "CLIENT_ROLE_MAPPING",
        AuthFlow = "AUTH_FLOW",
        AuthExecution = "AUTH_EXECUTION",
        AuthExecutionFlow = "AUTH_EXECUTION_FLOW",
        AuthenticatorConfig = "AUTHENTICATOR_CONFIG",
        IdentityProvider = "IDENTITY_PROVIDER",
        IdentityProviderMapper = "IDENTITY_PROVIDER_MAPPER",
        ClusterNode = "CLUSTER_NODE",
        ClientScope = "CLIENT_SCOPE",
        ClientScopeMapping = "CLIENT_SCOPE_MAPPING",
        ClientScopeClientMapping = "CLIENT_SCOPE_CLIENT_MAPPING",
        Component = "COMPONENT",
        ProtocolMapper = "PROTOCOL_MAPPER",
    }
}

/// Who did it, and from where.
#[derive(Clone, Debug)]
pub struct AuthDetails {
    /// The realm that issued the administrator's token.
    pub realm: RealmId,
    pub client: ClientUuid,
    pub user: UserId,
    pub ip_address: String,
}

/// One event before it is stored.
#[derive(Clone, Debug)]
pub struct AdminEvent {
    pub operation: Operation,
    pub resource_type: ResourceType,
    /// Below the realm, e.g. `users/<id>`; none for the realm itself.
    pub resource_path: Option<String>,
    pub auth: AuthDetails,
    /// JSON without secrets.
    pub representation: Option<String>,
    /// What there is to say besides, e.g. a user's name.
    pub details: Map<String, Value>,
}

/// An event that was read back.
#[derive(Clone, Debug)]
pub struct StoredAdminEvent {
    pub id: EventId,
    pub at: Timestamp,
    pub operation: String,
    pub resource_type: String,
    pub resource_path: Option<String>,
    pub auth: AuthDetails,
    pub representation: Option<String>,
    pub details: Map<String, Value>,
}
