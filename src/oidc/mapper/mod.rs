//! Protocol mappers: what stands in tokens beyond what the protocol demands.
//!
//! A mapper is configured on a client or on a client scope and says at which places it speaks. Here they are run over the facts
//! of one grant; each kind has its rule in a file beside this one. The kinds and their configuration keys are Keycloak's.

mod claim;
pub mod kind;
mod role;
mod session;
mod user;

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use crate::model::{Client, ClientScope, ProtocolMapper, RealmSnapshot, RoleId, User};

pub use role::RoleNames;
pub use session::level_names;

/// Everything that a mapper may look at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub realm: &'a RealmSnapshot,
    pub client: &'a Client,
    pub user: &'a User,
    pub scopes: &'a [&'a ClientScope],
    pub roles: &'a HashSet<&'a RoleId>,
    /// Texts of the session, e.g. `clientHost` of a service account.
    pub notes: &'a Map<String, Value>,
    /// When the user proved who they are, in seconds.
    pub auth_time: Option<i64>,
    /// The level of authentication: 1 for a password, 0 for single sign-on.
    pub level: i64,
    /// The nonce of the authorization request.
    pub nonce: Option<&'a str>,
}

/// Where claims go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    AccessToken,
    /// An access token that holds only what mappers explicitly put there.
    LightweightAccessToken,
    IdToken,
    UserInfo,
    Introspection,
}

impl Place {
    fn flag(self) -> &'static str {
        match self {
            Self::AccessToken => "access.token.claim",
            Self::LightweightAccessToken => "lightweight.claim",
            Self::IdToken => "id.token.claim",
            Self::UserInfo => "userinfo.token.claim",
            Self::Introspection => "introspection.token.claim",
        }
    }

    fn is_access_token(self) -> bool {
        matches!(self, Self::AccessToken | Self::LightweightAccessToken | Self::Introspection)
    }
}

/// What the mappers said.
#[derive(Clone, Debug, Default)]
pub struct Mapped {
    pub claims: Map<String, Value>,
    pub audience: BTreeSet<String>,
}

/// Claims that no mapper may write: the protocol's own.
const RESERVED: [&str; 10] = ["exp", "iat", "nbf", "iss", "jti", "typ", "scope", "nonce", "azp", "sid"];

/// Whether a mapper that writes this claim would say for whom a token is, or what. An administrator may have it so.
pub fn is_of_the_protocol(name: &str) -> bool {
    let path = claim::path(name);
    let first = path.first().map(String::as_str).unwrap_or_default();
    RESERVED.contains(&first) || ["sub", "aud"].contains(&first)
}

/// Runs every mapper of the client and of the permitted scopes for one place.
pub fn run(facts: &Facts<'_>, place: Place) -> Mapped {
    let mappers: Vec<&ProtocolMapper> = all(facts).filter(|m| m.protocol == "openid-connect").collect();
    let roles = RoleNames::of(facts, &mappers);
    let mut mapped = Mapped::default();
    for mapper in mappers {
        if speaks(mapper, place) {
            apply(mapper, facts, &roles, place, &mut mapped);
        }
    }
    mapped
}

fn all<'a>(facts: &Facts<'a>) -> impl Iterator<Item = &'a ProtocolMapper> {
    facts.client.mappers.iter().chain(facts.scopes.iter().flat_map(|s| &s.mappers))
}

/// Whether the mapper is switched on for the place. The audience-resolve mapper of old clients has no switches: it speaks in
/// access tokens.
fn speaks(mapper: &ProtocolMapper, place: Place) -> bool {
    let unset = mapper.config(place.flag()).is_none();
    let default = match mapper.mapper_type.as_str() {
        "oidc-audience-resolve-mapper" | "oidc-allowed-origins-mapper" => {
            matches!(place, Place::AccessToken | Place::Introspection)
        }
        "oidc-nonce-backwards-compatible-mapper" => true,
        // These never speak at userinfo unless they are told to.
        "oidc-acr-mapper" | "oidc-usersessionmodel-note-mapper" => false,
        // Mappers older than these switches speak at userinfo where they speak in ID tokens, and at introspection where they
        // speak in access tokens.
        _ => match place {
            Place::UserInfo => mapper.is_set(Place::IdToken.flag()),
            Place::Introspection => mapper.is_set(Place::AccessToken.flag()),
            _ => false,
        },
    };
    mapper.is_set(place.flag()) || (unset && default)
}

fn apply(mapper: &ProtocolMapper, facts: &Facts<'_>, roles: &RoleNames, place: Place, mapped: &mut Mapped) {
    match mapper.mapper_type.as_str() {
        "oidc-usermodel-attribute-mapper" => user::attribute(mapper, facts, &mut mapped.claims),
        "oidc-usermodel-property-mapper" => user::property(mapper, facts, &mut mapped.claims),
        "oidc-full-name-mapper" => user::full_name(facts, &mut mapped.claims),
        "oidc-address-mapper" => user::address(mapper, facts, &mut mapped.claims),
        "oidc-group-membership-mapper" => user::groups(mapper, facts, &mut mapped.claims),
        "oidc-sub-mapper" if place.is_access_token() => {
            mapped.claims.insert("sub".to_owned(), Value::from(facts.user.id.as_str()));
        }
        "oidc-usermodel-realm-role-mapper" => role::realm_roles(mapper, roles, &mut mapped.claims),
        "oidc-usermodel-client-role-mapper" => role::client_roles(mapper, roles, &mut mapped.claims),
        "oidc-audience-mapper" => mapped.audience.extend(session::audience(mapper)),
        "oidc-audience-resolve-mapper" if place.is_access_token() => mapped.audience.extend(role::audiences(facts, roles)),
        "oidc-allowed-origins-mapper" if place.is_access_token() => session::allowed_origins(facts, &mut mapped.claims),
        "oidc-acr-mapper" if place != Place::UserInfo => session::acr(facts, &mut mapped.claims),
        "oidc-usersessionmodel-note-mapper" => session::note(mapper, facts, &mut mapped.claims),
        "oidc-nonce-backwards-compatible-mapper" if place.is_access_token() => session::nonce(facts, &mut mapped.claims),
        "oidc-hardcoded-claim-mapper" => claim::hardcoded(mapper, &mut mapped.claims),
        _ => {}
    }
}

/// The kinds that there are rules for. The one for organizations has nothing to say: there are none.
const KNOWN: [&str; 18] = [
    "oidc-acr-mapper",
    "oidc-address-mapper",
    "oidc-allowed-origins-mapper",
    "oidc-audience-mapper",
    "oidc-audience-resolve-mapper",
    "oidc-full-name-mapper",
    "oidc-group-membership-mapper",
    "oidc-hardcoded-claim-mapper",
    "oidc-hardcoded-role-mapper",
    "oidc-nonce-backwards-compatible-mapper",
    "oidc-organization-membership-mapper",
    "oidc-role-name-mapper",
    "oidc-sub-mapper",
    "oidc-usermodel-attribute-mapper",
    "oidc-usermodel-client-role-mapper",
    "oidc-usermodel-property-mapper",
    "oidc-usermodel-realm-role-mapper",
    "oidc-usersessionmodel-note-mapper",
];

/// Whether mappers of this kind do anything.
pub fn is_known(mapper_type: &str) -> bool {
    KNOWN.contains(&mapper_type)
}

/// Whether the client wants the nonce in tokens that are got by refresh too.
pub fn wants_nonce_everywhere(facts: &Facts<'_>) -> bool {
    all(facts).any(|m| m.mapper_type == "oidc-nonce-backwards-compatible-mapper")
}
