//! What of a realm file is kept and shown, but changes nothing that this server does. Whoever moves a realm has to know.

use serde_json::{Map, Value};

use crate::flow::pending;
use crate::model::authentication_flow::{FLOWS, own_flows};
use crate::model::credential::{Credential, OTP, PASSWORD, PASSWORD_HISTORY};
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDERS, LOCALIZATION_TEXTS, fresh_document};
use crate::model::realm_import::{PasswordImport, RealmImport};
use crate::model::required_action::{self, RequiredAction};
use crate::model::{ClientSettings, ProtocolMapper};
use crate::oidc::mapper;
use crate::oidc::one_time_password::Device;

/// Settings that say how people come in, and are not acted on; named where they differ from those of a fresh realm.
const SETTINGS: [&str; 8] = [
    "browserFlow",
    "clientAuthenticationFlow",
    "directGrantFlow",
    "organizationsEnabled",
    "registrationFlow",
    "resetCredentialsFlow",
    "sslRequired",
    "userManagedAccessAllowed",
];

/// The ways in which clients prove who they are.
const CLIENT_AUTHENTICATORS: [&str; 3] = ["client-secret", "client-jwt", "client-secret-jwt"];

/// Each by its path.
pub(super) fn without_effect(import: &RealmImport) -> Vec<String> {
    let fresh = fresh_document();
    let differs = |name: &str| import.document.get(name).is_some_and(|value| fresh.get(name) != Some(value));
    let mut all: Vec<String> = SETTINGS.into_iter().filter(|name| differs(name)).map(str::to_owned).collect();
    all.extend(parts(&import.document));
    for scope in import.client_scopes.iter().flatten() {
        all.extend(mappers(&format!("clientScopes.{}", scope.name), &scope.mappers));
    }
    for client in &import.clients {
        let path = format!("clients.{}", client.client_id);
        all.extend(of_client(&client.settings).into_iter().map(|what| format!("{path}.{what}")));
        all.extend(mappers(&path, &client.mappers));
    }
    for user in &import.users {
        let actions = user.required_actions.iter().filter(|a| !pending::KNOWN.contains(&a.as_str()));
        all.extend(actions.map(|action| format!("users.{}.requiredActions.{action}", user.username)));
        let kinds = user.passwords.iter().filter_map(|p| match p {
            PasswordImport::Stored(credential) if !has_effect(credential) => Some(&credential.kind),
            _ => None,
        });
        all.extend(kinds.map(|kind| format!("users.{}.credentials.{kind}", user.username)));
        if user.federated_identities.as_array().is_some_and(|list| !list.is_empty()) {
            all.push(format!("users.{}.federatedIdentities", user.username));
        }
    }
    all
}

/// What of the document is kept for others.
fn parts(document: &Map<String, Value>) -> Vec<String> {
    let mut all: Vec<String> = own_flows(document).into_iter().map(|alias| format!("{FLOWS}.{alias}")).collect();
    for place in [IDENTITY_PROVIDERS, IDENTITY_PROVIDER_MAPPERS] {
        for one in document.get(place).and_then(Value::as_array).into_iter().flatten() {
            let name = one.get("alias").or_else(|| one.get("name")).and_then(Value::as_str).unwrap_or_default();
            all.push(format!("{place}.{name}"));
        }
    }
    let fresh = required_action::fresh();
    let unknown =
        required_action::of(document).into_iter().filter(|action| !pending::KNOWN.contains(&action.provider_id.as_str()));
    let is_on = |action: &RequiredAction| {
        let before = fresh.iter().find(|known| known.provider_id == action.provider_id);
        action.default_action || action.enabled && before.is_none_or(|known| !known.enabled)
    };
    all.extend(unknown.filter(is_on).map(|action| format!("{}.{}", required_action::FIELD, action.alias)));
    let says = |part: &str, list: &str| {
        document.get(part).and_then(|part| part.get(list)).and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    for (part, list) in [("clientProfiles", "profiles"), ("clientPolicies", "policies")] {
        if says(part, list) {
            all.push(part.to_owned());
        }
    }
    if document.get(LOCALIZATION_TEXTS).and_then(Value::as_object).is_some_and(|texts| !texts.is_empty()) {
        all.push(LOCALIZATION_TEXTS.to_owned());
    }
    all
}

fn has_effect(credential: &Credential) -> bool {
    match credential.kind.as_str() {
        PASSWORD | PASSWORD_HISTORY => true,
        OTP => Device::read(credential).is_some(),
        _ => false,
    }
}

fn of_client(settings: &ClientSettings) -> Vec<&'static str> {
    let all = [
        ("authenticationFlowBindingOverrides", !settings.authentication_flow_binding_overrides.is_empty()),
        ("clientAuthenticatorType", !CLIENT_AUTHENTICATORS.contains(&settings.client_authenticator_type.as_str())),
        ("implicitFlowEnabled", settings.implicit_flow_enabled),
        ("protocol", settings.protocol.as_deref().unwrap_or("openid-connect") != "openid-connect"),
    ];
    all.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect()
}

/// Mappers of this protocol that are of no kind that there is a rule for.
fn mappers(path: &str, mappers: &[ProtocolMapper]) -> Vec<String> {
    let unknown = mappers.iter().filter(|m| m.protocol == "openid-connect" && !mapper::is_known(&m.mapper_type));
    unknown.map(|m| format!("{path}.protocolMappers.{}", m.name)).collect()
}
