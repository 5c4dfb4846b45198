//! Consents as Keycloak lists them. A client that holds an offline token is listed without a consent, too.

use serde_json::{Map, Value, json};

use crate::flow::admin::consent::Granted;
use crate::model::RealmSnapshot;

pub(crate) fn consent(snapshot: &RealmSnapshot, granted: &Granted<'_>) -> Value {
    let client = &granted.client;
    let scopes = granted.consent.iter().flat_map(|c| &c.scopes).filter_map(|id| snapshot.scopes.get(id));
    let mut names: Vec<&str> = scopes.map(|s| s.name.as_str()).collect();
    if granted.consent.is_some_and(|c| c.client_itself) {
        names.push(client.client_id.as_str());
    }
    names.sort_unstable();
    let mut shown = Map::new();
    shown.insert("clientId".to_owned(), json!(client.client_id));
    shown.insert("grantedClientScopes".to_owned(), json!(names));
    if let Some(consent) = granted.consent {
        shown.insert("createdDate".to_owned(), json!(consent.created_at.unix_millis()));
        shown.insert("lastUpdatedDate".to_owned(), json!(consent.updated_at.unix_millis()));
    }
    let grants = if granted.has_offline_token { json!([{"client": client.uuid, "key": "Offline Token"}]) } else { json!([]) };
    shown.insert("additionalGrants".to_owned(), grants);
    Value::from(shown)
}
