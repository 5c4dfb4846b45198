//! `keycloak.json`: what Keycloak's adapters read of the client that they stand before.

use serde_json::{Map, Value, json};

use crate::model::{Client, RealmSnapshot};

/// `base`: the address of this server.
pub(crate) fn adapter_file(snapshot: &RealmSnapshot, client: &Client, base: &str) -> Map<String, Value> {
    let (realm, settings) = (&snapshot.realm, &client.settings);
    let mut file = Map::new();
    let mut put = |name: &str, value: Value| file.insert(name.to_owned(), value);
    put("realm", json!(realm.name));
    put("auth-server-url", json!(format!("{base}/")));
    put("ssl-required", realm.document.get("sslRequired").cloned().unwrap_or_else(|| json!("external")));
    put("resource", json!(client.client_id));
    if settings.bearer_only {
        put("bearer-only", json!(true));
    } else if settings.public_client {
        put("public-client", json!(true));
    }
    let has_roles = snapshot.roles.values().any(|role| role.client.as_ref() == Some(&client.uuid));
    if has_roles {
        put("verify-token-audience", json!(true));
        put("use-resource-role-mappings", json!(true));
    }
    if !settings.bearer_only && !settings.public_client {
        let secret = client.secret.as_ref().filter(|_| settings.client_authenticator_type == "client-secret");
        put("credentials", secret.map_or_else(|| json!({}), |secret| json!({"secret": secret.expose()})));
    }
    put("confidential-port", json!(0));
    file
}
