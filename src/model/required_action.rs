//! Required actions of a realm: what users can be asked to do, which of them new users are asked, and in which order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a realm's document keeps them.
pub const FIELD: &str = "requiredActions";

/// One that is registered in the realm. Keycloak's field names: this is how a realm's document keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RequiredAction {
    pub alias: String,
    pub name: String,
    pub provider_id: String,
    pub enabled: bool,
    /// Whether new users are asked.
    pub default_action: bool,
    /// What is asked first has the smallest.
    pub priority: i64,
    pub config: BTreeMap<String, String>,
}

impl Default for RequiredAction {
    fn default() -> Self {
        Self {
            alias: String::new(),
            name: String::new(),
            provider_id: String::new(),
            enabled: true,
            default_action: false,
            priority: 0,
            config: BTreeMap::new(),
        }
    }
}

/// Those of a fresh realm: alias, name, whether it is on, priority (Keycloak 26.7).
const FRESH: [(&str, &str, bool, i64); 14] = [
    ("TERMS_AND_CONDITIONS", "Terms and Conditions", false, 20),
    ("UPDATE_PROFILE", "Update Profile", true, 40),
    ("VERIFY_EMAIL", "Verify Email", true, 50),
    ("CONFIGURE_TOTP", "Configure OTP", true, 54),
    ("UPDATE_PASSWORD", "Update Password", true, 57),
    ("delete_account", "Delete Account", false, 60),
    ("UPDATE_EMAIL", "Update Email", false, 70),
    ("webauthn-register", "Webauthn Register", true, 80),
    ("webauthn-register-passwordless", "Webauthn Register Passwordless", true, 90),
    ("VERIFY_PROFILE", "Verify Profile", true, 100),
    ("delete_credential", "Delete Credential", true, 110),
    ("idp_link", "Linking Identity Provider", true, 120),
    ("CONFIGURE_RECOVERY_AUTHN_CODES", "Recovery Authentication Codes", true, 130),
    ("update_user_locale", "Update User Locale", true, 1000),
];

/// One that cannot be configured: the rest take how long ago a sign-in may be.
const WITHOUT_CONFIG: &str = "delete_account";

impl RequiredAction {
    pub fn is_configurable(&self) -> bool {
        self.provider_id != WITHOUT_CONFIG
    }
}

/// Those of a fresh realm.
pub fn fresh() -> Vec<RequiredAction> {
    let action = |(alias, name, enabled, priority): (&str, &str, bool, i64)| RequiredAction {
        alias: alias.to_owned(),
        name: name.to_owned(),
        provider_id: alias.to_owned(),
        enabled,
        priority,
        ..RequiredAction::default()
    };
    FRESH.into_iter().map(action).collect()
}

/// Those of a realm, what is asked first first. A document that says nothing has those of a fresh realm.
pub fn of(document: &Map<String, Value>) -> Vec<RequiredAction> {
    let listed = document.get(FIELD).and_then(|v| serde_json::from_value::<Vec<RequiredAction>>(v.clone()).ok());
    let mut actions = listed.unwrap_or_else(fresh);
    actions.sort_by_key(|action| action.priority);
    actions
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_realm_that_says_nothing_has_those_of_a_fresh_one() {
        assert_eq!(of(&Map::new()).len(), FRESH.len());
        let one = json!([{"alias": "a", "providerId": "a", "priority": 2}, {"alias": "b", "providerId": "b", "priority": 1}]);
        let document = Map::from_iter([(FIELD.to_owned(), one)]);
        assert_eq!(of(&document).iter().map(|a| a.alias.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }
}
