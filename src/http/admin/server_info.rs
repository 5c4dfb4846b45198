//! `/admin/serverinfo`: what the server is and what it can be set to. Terraform reads the version, consoles the rest.

use axum::extract::{Extension, State};
use serde_json::{Map, Value, json};

use super::answer::{Answer, shown};
use super::authenticate::Administrator;
use super::routes::{Routes, get};
use crate::base::Timestamp;
use crate::http::error::AdminError;
use crate::http::representation::event_type_names;
use crate::http::state::App;
use crate::model::admin_event::{Operation, ResourceType};
use crate::telemetry::memory;

pub(super) fn routes() -> Routes {
    Routes::new().route("/admin/serverinfo", get(read))
}

/// The version of Keycloak whose API this is: clients parse it, and go by it.
const API_VERSION: &str = "26.7.0";

/// Kinds of mappers, keys and password rules, and their settings.
const CATALOGUE: &str = include_str!("server_info.json");

/// What is on and what is not, by Keycloak's names: clients ask before they call.
const FEATURES: [(&str, bool); 9] = [
    ("ACCOUNT_API", true),
    ("ADMIN_API", true),
    ("ADMIN_FINE_GRAINED_AUTHZ", false),
    ("ADMIN_FINE_GRAINED_AUTHZ_V2", false),
    ("AUTHORIZATION", false),
    ("CLIENT_POLICIES", false),
    ("IMPERSONATION", true),
    ("ORGANIZATION", false),
    ("TOKEN_EXCHANGE_STANDARD_V2", false),
];

/// For whoever administers anything.
async fn read(State(app): State<App>, Extension(administrator): Extension<Administrator>) -> Answer {
    if !administrator.administers_something() {
        return Err(AdminError::Forbidden);
    }
    let now = app.server.clock.now();
    let mut info: Map<String, Value> = serde_json::from_str(CATALOGUE).unwrap_or_default();
    info.insert("systemInfo".to_owned(), system(now, app.started_at));
    info.insert("memoryInfo".to_owned(), memory_info());
    info.insert("profileInfo".to_owned(), profile());
    info.insert("features".to_owned(), FEATURES.iter().map(feature).collect());
    info.insert(
        "cryptoInfo".to_owned(),
        json!({
            "cryptoProvider": "aws-lc",
            "supportedKeystoreTypes": [],
            "clientSignatureSymmetricAlgorithms": ["HS256", "HS384", "HS512"],
            "clientSignatureAsymmetricAlgorithms":
                ["ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
        }),
    );
    info.insert(
        "enums".to_owned(),
        json!({"operationType": Operation::NAMES, "resourceType": ResourceType::NAMES, "eventType": event_type_names()}),
    );
    Ok(shown(&Value::from(info)))
}

fn system(now: Timestamp, started_at: Timestamp) -> Value {
    let seconds = now.unix_seconds() - started_at.unix_seconds();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    json!({
        "version": API_VERSION,
        "serverTime": now.to_offset().to_string(),
        "uptime": format!("{days} days, {hours} hours, {minutes} minutes, {} seconds", seconds % 60),
        "uptimeMillis": seconds * 1_000,
    })
}

/// Bytes; a system that does not say how much the process has is told as 0.
fn memory_info() -> Value {
    let used = memory::resident().unwrap_or(0);
    json!({"used": used, "usedFormated": format!("{} MB", used / 1_048_576)})
}

fn profile() -> Value {
    let off = FEATURES.iter().filter(|(_, on)| !on).map(|(name, _)| *name);
    json!({
        "name": "default",
        "disabledFeatures": off.collect::<Vec<&str>>(),
        "previewFeatures": [],
        "experimentalFeatures": [],
    })
}

fn feature((name, enabled): &(&str, bool)) -> Value {
    json!({"name": name, "label": name, "type": "DEFAULT", "enabled": enabled, "dependencies": []})
}
