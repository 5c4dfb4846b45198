//! Components as Keycloak shows and reads them: alone, and in a realm file, where they stand by type and one below the other.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient::{Ignored, Names, Text, text};
use crate::base::Entropy;
use crate::flow::admin::component::Given;
use crate::flow::component::key::private;
use crate::flow::masking::MASK;
use crate::http::extract::Representation;
use crate::model::component::{Config, KEY_PROVIDER, PROFILE_CONFIG, USER_PROFILE, is_secret};
use crate::model::{Component, ComponentId};

type Values = BTreeMap<String, Option<Vec<Option<Text>>>>;

/// Names without a value stay: they say that there is to be none.
fn config(values: &Values) -> Config {
    let texts = |list: &Option<Vec<Option<Text>>>| list.iter().flatten().flatten().map(|t| t.0.clone()).collect();
    values.iter().map(|(name, list)| (name.clone(), texts(list))).collect()
}

/// A component in a body of the Admin REST API.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct ComponentRepresentation {
    id: Option<Text>,
    name: Option<Text>,
    provider_id: Option<Text>,
    provider_type: Option<Text>,
    parent_id: Option<Text>,
    sub_type: Option<Text>,
    config: Option<Values>,
}

impl Representation for ComponentRepresentation {
    const NAME: &'static str = "ComponentRepresentation";
}

impl ComponentRepresentation {
    pub(crate) fn to_given(&self) -> Given {
        Given {
            id: text(self.id.as_ref()),
            name: text(self.name.as_ref()),
            provider_type: text(self.provider_type.as_ref()),
            provider_id: text(self.provider_id.as_ref()),
            parent: text(self.parent_id.as_ref()),
            sub_type: text(self.sub_type.as_ref()),
            config: self.config.as_ref().map(config).unwrap_or_default(),
        }
    }
}

/// `ComponentRepresentation`, with masks for secrets.
pub(crate) fn component(component: &Component) -> Value {
    let config = component.config.iter().map(|(name, values)| {
        let values = if is_secret(name) { values.iter().map(|_| json!(MASK)).collect() } else { json!(values) };
        (name.clone(), values)
    });
    let mut shown = json!({
        "id": component.id,
        "name": component.name,
        "providerId": component.provider_id,
        "providerType": component.provider_type,
        "parentId": component.parent,
        "config": config.collect::<serde_json::Map<_, _>>(),
    });
    if let Some(sub_type) = &component.sub_type {
        shown["subType"] = json!(sub_type);
    }
    shown
}

/// Components of a realm file, by the type of their provider.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Components(BTreeMap<String, Vec<ExportedComponent>>);

/// `ComponentExportRepresentation`.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExportedComponent {
    id: Option<Text>,
    name: Option<Text>,
    provider_id: Option<Text>,
    sub_type: Option<Text>,
    config: Option<Values>,
    sub_components: Option<Components>,
    #[serde(flatten)]
    ignored: Ignored<ComponentFields>,
}

#[derive(Clone, Debug)]
struct ComponentFields;

impl Names for ComponentFields {
    const NAMES: &'static [&'static str] = &[];
    const DERIVED: &'static [&'static str] = &["parentId", "providerType"];
}

/// Its name only: private keys stand in the configuration.
impl fmt::Debug for ExportedComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component").field("name", &self.name).field("provider_id", &self.provider_id).finish_non_exhaustive()
    }
}

impl ExportedComponent {
    fn to_model(&self, provider_type: &str, parent: &str, new_id: impl FnOnce() -> String) -> Component {
        let provider_id = text(self.provider_id.as_ref()).unwrap_or_default();
        let mut config = self.config.as_ref().map(config).unwrap_or_default();
        config.retain(|_, values| !values.is_empty());
        Component {
            id: ComponentId::new(text(self.id.as_ref()).filter(|id| !id.is_empty()).unwrap_or_else(new_id)),
            name: text(self.name.as_ref()).unwrap_or_else(|| provider_id.clone()),
            provider_type: provider_type.to_owned(),
            provider_id,
            parent: parent.to_owned(),
            sub_type: text(self.sub_type.as_ref()),
            config,
        }
    }
}

impl Components {
    /// All of them, those below others after these. Below the realm itself there is no parent to be named yet.
    pub(super) fn to_model(&self, entropy: &Entropy) -> Vec<Component> {
        let mut all = Vec::new();
        self.collect("", entropy, &mut all);
        all
    }

    fn collect(&self, parent: &str, entropy: &Entropy, all: &mut Vec<Component>) {
        for (provider_type, components) in &self.0 {
            for exported in components {
                let component = exported.to_model(provider_type, parent, || entropy.uuid());
                let id = component.id.clone();
                all.push(component);
                if let Some(below) = &exported.sub_components {
                    below.collect(id.as_str(), entropy, all);
                }
            }
        }
    }

    /// An edited user profile stands as JSON text in the configuration of its component. One that cannot be read is `null`,
    /// which is no profile and is refused as such.
    pub(super) fn user_profile(&self) -> Option<Value> {
        let profiles = self.0.get(USER_PROFILE)?.iter().filter_map(|c| config(c.config.as_ref()?).remove(PROFILE_CONFIG));
        let text = profiles.flatten().next()?;
        Some(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What the shape of a file loses: fields that are not read, and keys that it keeps back.
    pub(super) fn report(&self, report: &mut Vec<String>) {
        for (provider_type, components) in &self.0 {
            for exported in components {
                let component = exported.to_model(provider_type, "", String::new);
                let path = format!("components.{provider_type}.{}", component.name);
                exported.ignored.report(&path, report);
                let is_masked = component.config.values().flatten().any(|value| value == MASK);
                if provider_type == KEY_PROVIDER && private(&component).is_none() && is_masked {
                    report.push(path);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_shown_to_nobody() {
        let components: Components = serde_json::from_value(json!({
            KEY_PROVIDER: [
                {"name": "own", "providerId": "rsa", "config": {"privateKey": ["MIIB"], "priority": ["40"], "active": ["false"]}},
                {"name": "masked", "providerId": "hmac-generated", "config": {"secret": [MASK], "algorithm": ["HS512"]}},
            ],
            "org.keycloak.storage.UserStorageProvider": [{
                "id": "l1", "name": "ldap", "providerId": "ldap", "config": {"bindCredential": ["hush"]},
                "subComponents": {"org.keycloak.storage.ldap.mappers.LDAPStorageMapper": [{"name": "mail", "providerId": "x"}]},
            }],
        }))
        .unwrap();
        let all = components.to_model(&Entropy::seeded(1));
        assert_eq!(all.len(), 4);
        assert_eq!((all[0].config("priority"), private(&all[0])), (Some("40"), Some("MIIB")));
        assert_eq!(private(&all[1]), None);
        assert_eq!((all[3].name.as_str(), all[3].parent.as_str()), ("mail", "l1"));
        for one in &all {
            let shown = component(one).to_string();
            assert!(!shown.contains("MIIB") && !shown.contains("hush"), "{shown}");
        }
        assert!(!format!("{components:?}{all:?}").contains("MIIB"));
        let mut report = Vec::new();
        components.report(&mut report);
        assert_eq!(report, ["components.org.keycloak.keys.KeyProvider.masked"]);
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = serde_json::from_str::<ComponentRepresentation>(r#"{"name": "x", "nosuch": 1}"#).err().unwrap();
        assert!(error.to_string().starts_with("unknown field `nosuch`"), "{error}");
    }
}
