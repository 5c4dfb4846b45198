//! What of a realm's file has addresses of its own once the realm is there, and is read here as strictly as there: flows, required
//! actions, identity providers, texts. What could not be read again would be lost, without a word, at the next change of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::lenient::{Text, text_map};
use crate::flow::masking::MASK;
use crate::model::authentication_flow::{AuthenticationFlow, AuthenticatorConfig, CONFIGS, FLOWS};
use crate::model::realm::{IDENTITY_PROVIDER_SECRET, IDENTITY_PROVIDERS, LOCALIZATION_TEXTS};
use crate::model::required_action::{self, RequiredAction};

/// The part as it is kept: without nulls, and with texts where settings are.
pub(super) fn read(name: &str, mut value: Value) -> Result<Value, serde_json::Error> {
    drop_nulls(&mut value);
    if name == LOCALIZATION_TEXTS {
        let texts: BTreeMap<String, BTreeMap<String, Text>> = serde_json::from_value(value)?;
        let plain = |texts: BTreeMap<String, Text>| texts.into_iter().map(|(key, text)| (key, text.0)).collect();
        return Ok(json!(
            texts.into_iter().map(|(locale, texts)| (locale, plain(texts))).collect::<BTreeMap<_, BTreeMap<_, _>>>()
        ));
    }
    let mut entries: Vec<Map<String, Value>> = serde_json::from_value(value)?;
    for entry in &mut entries {
        config_of_texts(entry)?;
        if name == IDENTITY_PROVIDERS {
            drop_masked_secret(entry);
        }
    }
    let entries = json!(entries);
    match name {
        FLOWS => fits::<AuthenticationFlow>(&entries)?,
        CONFIGS => fits::<AuthenticatorConfig>(&entries)?,
        required_action::FIELD => fits::<RequiredAction>(&entries)?,
        _ => {}
    }
    Ok(entries)
}

/// Settings are texts by name, as Keycloak's are; a number or a switch is written as one.
pub(crate) fn config_of_texts(entry: &mut Map<String, Value>) -> Result<(), serde_json::Error> {
    if let Some(config) = entry.get_mut("config") {
        let texts: BTreeMap<String, Option<Text>> = serde_json::from_value(config.take())?;
        *config = json!(text_map(&texts));
    }
    Ok(())
}

/// A secret that was masked when it was exported is none.
fn drop_masked_secret(provider: &mut Map<String, Value>) {
    if let Some(Value::Object(config)) = provider.get_mut("config") {
        config.retain(|name, value| name != IDENTITY_PROVIDER_SECRET || *value != MASK);
    }
}

fn fits<T: DeserializeOwned>(entries: &Value) -> Result<(), serde_json::Error> {
    Vec::<T>::deserialize(entries).map(|_| ())
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(drop_nulls);
        }
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(drop_nulls);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_texts_and_a_masked_secret_none() {
        let given = json!([{"alias": "g", "providerId": "oidc", "displayName": null,
            "config": {"clientId": "c", "clientSecret": MASK, "guiOrder": 7, "useJwksUrl": true, "x": null}}]);
        let expected =
            json!([{"alias": "g", "providerId": "oidc", "config": {"clientId": "c", "guiOrder": "7", "useJwksUrl": "true"}}]);
        assert_eq!(read(IDENTITY_PROVIDERS, given).unwrap(), expected);
    }

    #[test]
    fn what_could_not_be_read_again_is_refused() {
        for (name, value) in [
            (IDENTITY_PROVIDERS, json!([{"config": {"clientSecret": {"sealed": "x"}}}])),
            (IDENTITY_PROVIDERS, json!([{"config": [{"clientSecret": "s"}]}])),
            (required_action::FIELD, json!([{"alias": "a", "priority": "soon"}])),
            (FLOWS, json!([{"alias": "a", "authenticationExecutions": {}}])),
            (CONFIGS, json!(["a"])),
            (LOCALIZATION_TEXTS, json!({"en": {"a": {}}})),
        ] {
            assert!(read(name, value.clone()).is_err(), "{name}: {value}");
        }
    }
}
