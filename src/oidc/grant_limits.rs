//! How many offline grants a user may have, by the settings of realm and client. Without a setting there is no limit.

use crate::model::{Client, RealmSettings, own_attributes};

/// The limits that apply to a grant of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantLimits {
    /// With this client.
    pub of_client: Option<usize>,
    /// With all clients of the realm together.
    pub of_realm: Option<usize>,
    pub at_limit: AtLimit,
}

/// What gives way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtLimit {
    /// The new grant.
    #[default]
    Deny,
    EndLeastRecentlyUsed,
}

impl GrantLimits {
    /// The client's word on what gives way counts before the realm's.
    pub fn of(realm: &RealmSettings, client: &Client) -> Self {
        let of_realm = |name: &str| realm.attributes.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let number = |value: &str| value.trim().parse().ok().filter(|n| *n > 0);
        let policy = client.attribute(own_attributes::AT_MAX_OFFLINE_GRANTS).map(str::trim);
        let ends = policy.or_else(|| of_realm(own_attributes::AT_MAX_OFFLINE_GRANTS)) == Some("end-least-recently-used");
        Self {
            of_client: client.attribute(own_attributes::MAX_OFFLINE_GRANTS).and_then(number),
            of_realm: of_realm(own_attributes::MAX_OFFLINE_GRANTS).and_then(number),
            at_limit: if ends { AtLimit::EndLeastRecentlyUsed } else { AtLimit::Deny },
        }
    }

    pub fn are_set(self) -> bool {
        self.of_client.is_some() || self.of_realm.is_some()
    }
}
