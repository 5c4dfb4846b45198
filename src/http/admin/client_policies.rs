//! `/client-policies`: what a realm demands of its clients. Kept as it is put; nothing here acts on it yet.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, done, shown};
use super::routes::{Routes, get};
use super::{Admin, ManageRealm, ViewRealm};
use crate::flow::Cx;
use crate::flow::admin::{Refusal, realm_document, settled};
use crate::flow::admin_event::Change;
use crate::http::extract::{Json, Query, Representation};
use crate::model::admin_event::ResourceType;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/client-policies/profiles", get(profiles).put(put_profiles))
        .route("/{realm}/client-policies/policies", get(policies).put(put_policies))
}

/// Where a realm's document keeps them.
const PROFILES: &str = "clientProfiles";
const POLICIES: &str = "clientPolicies";

/// The profiles that every realm has in Keycloak; here they ask nothing.
const GLOBAL: [&str; 10] = [
    "fapi-1-advanced",
    "fapi-1-baseline",
    "fapi-2-dpop-message-signing",
    "fapi-2-dpop-security-profile",
    "fapi-2-message-signing",
    "fapi-2-security-profile",
    "fapi-ciba",
    "oauth-2-1-for-confidential-client",
    "oauth-2-1-for-public-client",
    "saml-security-profile",
];

/// What a profile can name (Keycloak 26.7).
const EXECUTORS: [&str; 35] = [
    "auth-flow-enforcer",
    "confidential-client",
    "consent-required",
    "downscope-assertion-grant-enforcer",
    "dpop-bind-enforcer",
    "full-scope-disabled",
    "holder-of-key-enforcer",
    "intent-client-bind-checker",
    "jwt-claim-enforcer",
    "pkce-enforcer",
    "registration-access-token-rotation-disabled",
    "reject-implicit-grant",
    "reject-request",
    "reject-ropc-grant",
    "saml-avoid-redirect",
    "saml-secure-client-uris",
    "saml-signature-enforcer",
    "secure-ciba-req-sig-algorithm",
    "secure-ciba-session",
    "secure-ciba-signed-authn-req",
    "secure-client-authentication-assertion",
    "secure-client-authenticator",
    "secure-client-uris",
    "secure-client-uris-pattern",
    "secure-logout",
    "secure-par-content",
    "secure-redirect-uris-enforcer",
    "secure-request-object",
    "secure-response-type",
    "secure-session",
    "secure-signature-algorithm",
    "secure-signature-algorithm-signed-jwt",
    "suppress-refresh-token-rotation",
    "tls-client-auth-ca-subject-dn",
    "use-lightweight-access-token",
];

#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Profiles(Map<String, Value>);

#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Policies(Map<String, Value>);

impl Representation for Profiles {
    const NAME: &'static str = "ClientProfilesRepresentation";
}

impl Representation for Policies {
    const NAME: &'static str = "ClientPoliciesRepresentation";
}

/// The list of a document's part.
fn listed(cx: &Cx, part: &str, name: &str) -> Vec<Value> {
    let list = cx.snapshot().realm.document.get(part).and_then(|part| part.get(name)).and_then(Value::as_array);
    list.cloned().unwrap_or_default()
}

fn entries<'a>(given: &'a Map<String, Value>, name: &str) -> impl Iterator<Item = &'a Value> {
    given.get(name).and_then(Value::as_array).into_iter().flatten()
}

async fn profiles(admin: Admin<ViewRealm>, query: Query) -> Answer {
    let mut shown_profiles = json!({"profiles": listed(&admin.cx, PROFILES, "profiles")});
    if query.flag("include-global-profiles").unwrap_or(false)
        && let Some(fields) = shown_profiles.as_object_mut()
    {
        let global = GLOBAL.map(|name| json!({"name": name, "executors": []}));
        fields.insert("globalProfiles".to_owned(), json!(global));
    }
    Ok(shown(&shown_profiles))
}

async fn put_profiles(admin: Admin<ManageRealm>, Json(Profiles(given)): Json<Profiles>) -> Answer {
    let executors = entries(&given, "profiles").flat_map(|p| p.get("executors").and_then(Value::as_array).into_iter().flatten());
    let is_known =
        |executor: &Value| executor.get("executor").and_then(Value::as_str).is_some_and(|name| EXECUTORS.contains(&name));
    if !executors.into_iter().all(is_known) {
        let text =
            "proposed client profile contains the executor, which does not have valid provider, or has invalid configuration.";
        return Err(Refusal::Invalid(text.to_owned()).into());
    }
    put(admin, PROFILES, &json!({"profiles": entries(&given, "profiles").collect::<Vec<_>>()})).await
}

async fn policies(admin: Admin<ViewRealm>) -> Answer {
    Ok(shown(&json!({"policies": listed(&admin.cx, POLICIES, "policies")})))
}

async fn put_policies(admin: Admin<ManageRealm>, Json(Policies(given)): Json<Policies>) -> Answer {
    let own = listed(&admin.cx, PROFILES, "profiles");
    let is_known = |name: &str| GLOBAL.contains(&name) || own.iter().any(|p| p.get("name").is_some_and(|own| own == name));
    for policy in entries(&given, "policies") {
        let named = policy.get("profiles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        if let Some(unknown) = named.into_iter().find(|name| !is_known(name)) {
            let policy = policy.get("name").and_then(Value::as_str).unwrap_or_default();
            return Err(Refusal::Invalid(format!("Policy {policy} contains invalid profile {unknown}")).into());
        }
    }
    put(admin, POLICIES, &json!({"policies": entries(&given, "policies").collect::<Vec<_>>()})).await
}

async fn put(admin: Admin<ManageRealm>, part: &str, value: &Value) -> Answer {
    settled(admin.cx, |cx: Cx| async move {
        realm_document::put(&cx, part, value.clone(), Change::update(ResourceType::Realm)).await
    })
    .await?;
    Ok(done())
}
