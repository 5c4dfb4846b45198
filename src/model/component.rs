//! A component: one provider of some type, with its configuration. Names are Keycloak's.

use std::collections::BTreeMap;

use super::{ComponentId, RealmId};
use crate::base::sha256;

/// The type of what holds keys of a realm.
pub const KEY_PROVIDER: &str = "org.keycloak.keys.KeyProvider";
/// The type of what says which attributes users have. A realm has at most one.
pub const USER_PROFILE: &str = "org.keycloak.userprofile.UserProfileProvider";
pub const REGISTRATION_POLICY: &str = "org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy";

/// The field of the user profile's component that holds the profile as JSON.
pub const PROFILE_CONFIG: &str = "kc.user.profile.config";

/// What is configured, by name. A name has any number of values.
pub type Config = BTreeMap<String, Vec<String>>;

/// One component of a realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Component {
    pub id: ComponentId,
    pub name: String,
    pub provider_type: String,
    pub provider_id: String,
    /// The realm's id, or that of another component.
    pub parent: String,
    pub sub_type: Option<String>,
    /// May hold secrets.
    pub config: Config,
}

impl Component {
    /// The first value of a name, if it is there and not empty.
    pub fn config(&self, name: &str) -> Option<&str> {
        self.config.get(name)?.first().map(String::as_str).filter(|value| !value.is_empty())
    }

    pub fn is_key(&self) -> bool {
        self.provider_type == KEY_PROVIDER
    }
}

/// Its names only: private keys stand in the configuration.
impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").field("name", &self.name).field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

/// The id of the component that shows a realm's user profile: the profile stands with the realm and has no id of its own.
pub fn user_profile_id(realm: &RealmId) -> ComponentId {
    let hash = sha256(format!("{USER_PROFILE}|{realm}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    ComponentId::new(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// What the names of fields end in that hold a secret; compared without case, dots, dashes and underscores.
const ENDS: [&str; 3] = ["secret", "password", "privatekey"];
/// Others that do.
const SECRETS: [&str; 6] =
    ["bindcredential", "clientsecretrotated", "hashedsaltedvalue", "registrationaccesstoken", "salt", "secretdata"];

/// Whether a field of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let plain = plain.to_ascii_lowercase();
    ENDS.into_iter().any(|end| plain.ends_with(end)) || SECRETS.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_shows_nothing_of_its_configuration() {
        let component = Component {
            id: ComponentId::new("1"),
            name: "own".to_owned(),
            provider_type: KEY_PROVIDER.to_owned(),
            provider_id: "rsa".to_owned(),
            parent: "demo".to_owned(),
            sub_type: None,
            config: Config::from([("privateKey".to_owned(), vec!["MIIB".to_owned()])]),
        };
        assert!(!format!("{component:?}").contains("MIIB"));
        assert_eq!(component.config("privateKey"), Some("MIIB"));
    }

    #[test]
    fn a_realms_profile_has_one_id() {
        let id = user_profile_id(&RealmId::new("demo"));
        assert_eq!(id, user_profile_id(&RealmId::new("demo")));
        assert_eq!(id.as_str().len(), 36);
    }
}
