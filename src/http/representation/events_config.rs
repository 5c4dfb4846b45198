//! Which events of a realm are kept (`RealmEventsConfig`).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Flag, Ignored, Names, Number, Text, texts};
use crate::http::extract::Representation;

/// Keycloak's events, save those that are kept only where a realm names them (26.7.0).
const SAVED_BY_DEFAULT: &str = include_str!("default_event_types.json");

const FIELDS: [&str; 6] = [
    "eventsEnabled",
    "eventsExpiration",
    "eventsListeners",
    "enabledEventTypes",
    "adminEventsEnabled",
    "adminEventsDetailsEnabled",
];

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct EventsConfig {
    events_enabled: Option<Flag>,
    events_expiration: Option<Number>,
    events_listeners: Option<Vec<Text>>,
    enabled_event_types: Option<Vec<Text>>,
    admin_events_enabled: Option<Flag>,
    admin_events_details_enabled: Option<Flag>,
    #[serde(flatten)]
    _ignored: Ignored<NoFields>,
}

#[derive(Clone, Debug)]
struct NoFields;

impl Names for NoFields {
    const NAMES: &'static [&'static str] = &[];
}

impl Representation for EventsConfig {
    const NAME: &'static str = "RealmEventsConfigRepresentation";
}

impl EventsConfig {
    /// The listener that is not there, if one is named.
    pub(crate) fn has_unknown_listener(&self) -> bool {
        self.events_listeners.iter().flatten().any(|l| !matches!(l.0.as_str(), "jboss-logging" | "email"))
    }

    /// The realm's document with what this names. How long events are kept is always named: missing means for good.
    pub(crate) fn put_on(&self, before: &Map<String, Value>) -> Map<String, Value> {
        let mut document = before.clone();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                document.insert(name.to_owned(), value);
            }
        };
        put("eventsEnabled", self.events_enabled.map(|f| json!(f.0)));
        put("eventsListeners", self.events_listeners.as_deref().map(|l| json!(texts(l))));
        put("enabledEventTypes", self.enabled_event_types.as_deref().map(|l| json!(texts(l))));
        put("adminEventsEnabled", self.admin_events_enabled.map(|f| json!(f.0)));
        put("adminEventsDetailsEnabled", self.admin_events_details_enabled.map(|f| json!(f.0)));
        match self.events_expiration {
            Some(seconds) => document.insert("eventsExpiration".to_owned(), json!(seconds.0)),
            None => document.remove("eventsExpiration"),
        };
        document
    }
}

/// What is kept of events; a realm that names no types keeps Keycloak's usual ones.
pub(crate) fn events_config(document: &Map<String, Value>) -> Value {
    let mut shown = Map::new();
    for name in FIELDS {
        if let Some(value) = document.get(name).filter(|v| !v.is_null()) {
            shown.insert(name.to_owned(), value.clone());
        }
    }
    let names_some = shown.get("enabledEventTypes").and_then(Value::as_array).is_some_and(|types| !types.is_empty());
    if !names_some {
        shown.insert("enabledEventTypes".to_owned(), event_type_names());
    }
    Value::from(shown)
}

/// The names of all events.
pub(crate) fn event_type_names() -> Value {
    serde_json::from_str(SAVED_BY_DEFAULT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::realm::fresh_document;

    #[test]
    fn a_realm_that_names_no_types_shows_the_usual_ones() {
        let shown = events_config(fresh_document());
        let types = shown["enabledEventTypes"].as_array().unwrap();
        assert!(types.contains(&json!("LOGIN")) && !types.contains(&json!("REFRESH_TOKEN")));
        let some: EventsConfig = serde_json::from_value(json!({"enabledEventTypes": ["LOGIN"]})).unwrap();
        assert_eq!(events_config(&some.put_on(fresh_document()))["enabledEventTypes"], json!(["LOGIN"]));
    }
}
