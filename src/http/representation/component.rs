//! Components of a realm file: what is configured of a kind of provider. Read are the keys and the edited user profile.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::lenient::{Ignored, Names, Text, text};
use crate::base::Secret;
use crate::flow::masking::MASK;
use crate::model::realm_import::KeyImport;

const KEY: &str = "org.keycloak.keys.KeyProvider";
const USER_PROFILE: &str = "org.keycloak.userprofile.UserProfileProvider";

/// Where each kind of key keeps its private part.
const PRIVATE: [&str; 4] = ["privateKey", "ecdsaPrivateKey", "eddsaPrivateKey", "secret"];
/// Where elliptic keys keep the name of their curve.
const CURVE: [&str; 2] = ["ecdsaEllipticCurveKey", "eddsaEllipticCurveKey"];

/// Components by the kind of their provider.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Components(BTreeMap<String, Vec<Component>>);

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Component {
    name: Option<Text>,
    provider_id: Option<Text>,
    config: Option<BTreeMap<String, Vec<Text>>>,
    #[serde(flatten)]
    ignored: Ignored<ComponentFields>,
}

#[derive(Clone, Debug)]
struct ComponentFields;

impl Names for ComponentFields {
    const NAMES: &'static [&'static str] = &["subComponents"];
    const DERIVED: &'static [&'static str] = &["id", "parentId", "providerType", "subType"];
}

/// Its name only: private keys stand in the configuration.
impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("name", &self.name).field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

impl Component {
    fn config(&self, key: &str) -> Option<&str> {
        self.config.as_ref()?.get(key)?.first().map(|t| t.0.as_str()).filter(|t| !t.is_empty())
    }

    fn first_of(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.config(key))
    }

    fn name(&self) -> String {
        text(self.name.as_ref()).or_else(|| text(self.provider_id.as_ref())).unwrap_or_default()
    }

    fn to_key(&self) -> KeyImport {
        let is_on = |key: &str| self.config(key).is_none_or(|value| value == "true");
        KeyImport {
            name: self.name(),
            provider_id: text(self.provider_id.as_ref()).unwrap_or_default(),
            priority: self.config("priority").and_then(|p| p.parse().ok()).unwrap_or(0),
            active: is_on("active"),
            enabled: is_on("enabled"),
            algorithm: self.config("algorithm").map(str::to_owned),
            curve: self.first_of(&CURVE).map(str::to_owned),
            kid: self.config("kid").map(str::to_owned),
            private: self.first_of(&PRIVATE).filter(|p| *p != MASK).map(Secret::new),
            certificate: self.config("certificate").map(str::to_owned),
        }
    }
}

impl Components {
    fn of(&self, kind: &str) -> &[Component] {
        self.0.get(kind).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn keys(&self) -> Vec<KeyImport> {
        self.of(KEY).iter().map(Component::to_key).collect()
    }

    /// An edited user profile stands as JSON text in the configuration of its component. One that cannot be read is `null`,
    /// which is no profile and is refused as such.
    pub(super) fn user_profile(&self) -> Option<Value> {
        let text = self.of(USER_PROFILE).iter().find_map(|c| c.config("kc.user.profile.config"))?;
        Some(serde_json::from_str(text).unwrap_or(Value::Null))
    }

    pub(super) fn report(&self, report: &mut Vec<String>) {
        for (kind, components) in &self.0 {
            for component in components {
                let path = format!("components.{kind}.{}", component.name());
                if kind == KEY || kind == USER_PROFILE {
                    component.ignored.report(&path, report);
                    if component.first_of(&PRIVATE) == Some(MASK) {
                        report.push(path);
                    }
                } else {
                    report.push(path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_read_and_what_else_there_is_is_named() {
        let components: Components = serde_json::from_value(json!({
            KEY: [
                {"name": "own", "providerId": "rsa", "config": {"privateKey": ["MIIB"], "priority": ["40"], "active": ["false"]}},
                {"name": "masked", "providerId": "hmac-generated", "config": {"secret": [MASK], "algorithm": ["HS512"]}},
            ],
            "org.keycloak.storage.UserStorageProvider": [{"name": "ldap", "providerId": "ldap"}],
        }))
        .unwrap();
        let keys = components.keys();
        assert_eq!((keys[0].priority, keys[0].active, keys[0].enabled), (40, false, true));
        assert!(keys[0].private.is_some() && keys[1].private.is_none());
        assert!(!format!("{keys:?}").contains("MIIB"));
        let mut report = Vec::new();
        components.report(&mut report);
        let masked = "components.org.keycloak.keys.KeyProvider.masked";
        assert_eq!(report, [masked, "components.org.keycloak.storage.UserStorageProvider.ldap"]);
        assert!(!format!("{components:?}").contains("MIIB"));
    }
}
