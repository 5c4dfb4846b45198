//! Events as Keycloak lists them: what there is nothing to say of is left out.

use serde_json::{Map, Value, json};

use crate::model::RealmId;
use crate::model::admin_event::StoredAdminEvent;
use crate::model::event::StoredEvent;

pub(crate) fn event(realm: &RealmId, event: &StoredEvent) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(event.id));
    shown.insert("time".to_owned(), json!(event.at.unix_millis()));
    shown.insert("type".to_owned(), json!(event.type_name));
    shown.insert("realmId".to_owned(), json!(realm));
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    };
    put("clientId", event.client_id.as_deref());
    put("userId", event.user_id.as_ref().map(|u| u.as_str()));
    put("sessionId", event.session_id.as_ref().map(|s| s.as_str()));
    put("ipAddress", event.ip_address.as_deref());
    put("error", event.error.as_deref());
    if !event.details.is_empty() {
        shown.insert("details".to_owned(), Value::Object(event.details.clone()));
    }
    Value::from(shown)
}

pub(crate) fn admin_event(realm: &RealmId, event: &StoredAdminEvent) -> Value {
    let mut shown = json!({
        "id": event.id,
        "time": event.at.unix_millis(),
        "realmId": realm,
        "authDetails": {
            "realmId": event.auth.realm,
            "clientId": event.auth.client,
            "userId": event.auth.user,
            "ipAddress": event.auth.ip_address,
        },
        "operationType": event.operation,
        "resourceType": event.resource_type,
    });
    let texts = [("resourcePath", &event.resource_path), ("representation", &event.representation)];
    for (name, value) in texts {
        if let Some(value) = value {
            shown[name] = json!(value);
        }
    }
    if !event.details.is_empty() {
        shown["details"] = Value::Object(event.details.clone());
    }
    shown
}
