//! The discovery document (OpenID Connect Discovery §3, RFC 8414 §2): what this server does, and nothing that it does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::token_request::GrantType;
use crate::model::RealmSnapshot;

/// The signing algorithms of tokens.
pub const SIGNING_ALGORITHMS: [&str; 10] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

pub fn document(realm: &RealmSnapshot, issuer: &str) -> Value {
    let base = format!("{issuer}/protocol/openid-connect");
    let grants: BTreeSet<&str> = GrantType::ALL.into_iter().map(GrantType::as_str).collect();
    let methods = ["private_key_jwt", "client_secret_basic", "client_secret_post", "client_secret_jwt"];
    let with_none = ["private_key_jwt", "client_secret_basic", "client_secret_post", "client_secret_jwt", "none"];
    let registers = realm.realm.settings.registration_allowed;
    let prompts: Vec<&str> = ["none", "login", "consent"].into_iter().chain(registers.then_some("create")).collect();
    let assertions: Vec<&str> = SIGNING_ALGORITHMS.into_iter().chain(["HS256", "HS384", "HS512"]).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/auth"),
        "token_endpoint": format!("{base}/token"),
        "introspection_endpoint": format!("{base}/token/introspect"),
        "userinfo_endpoint": format!("{base}/userinfo"),
        "end_session_endpoint": format!("{base}/logout"),
        "jwks_uri": format!("{base}/certs"),
        "registration_endpoint": format!("{issuer}/clients-registrations/openid-connect"),
        "check_session_iframe": format!("{base}/login-status-iframe.html"),
        "grant_types_supported": grants,
        "acr_values_supported": acr_values(realm),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "prompt_values_supported": prompts,
        "id_token_signing_alg_values_supported": SIGNING_ALGORITHMS,
        "response_modes_supported": ["query", "fragment", "form_post"],
        "token_endpoint_auth_methods_supported": with_none,
        "token_endpoint_auth_signing_alg_values_supported": assertions,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": assertions,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "revocation_endpoint": format!("{base}/revoke"),
        "revocation_endpoint_auth_methods_supported": with_none,
        "revocation_endpoint_auth_signing_alg_values_supported": assertions,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "name", "given_name", "family_name",
            "preferred_username", "email", "acr", "azp", "nonce"],
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": false,
        "scopes_supported": scopes(realm),
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// The levels of authentication by number, after the names that the realm gives them.
fn acr_values(realm: &RealmSnapshot) -> Vec<String> {
    let text = realm.realm.settings.attributes.get("acr.loa.map").map_or("{}", String::as_str);
    let named: serde_json::Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    named.into_iter().map(|(name, _)| name).chain(["0", "1"].map(str::to_owned)).collect()
}

/// `openid` first, then every scope that is not hidden from the document.
fn scopes(realm: &RealmSnapshot) -> Vec<&str> {
    let shown = realm.scopes.values().filter(|s| {
        s.is_openid_connect() && s.attributes.get("include.in.openid.provider.metadata").is_none_or(|v| v != "false")
    });
    let names: BTreeSet<&str> = shown.map(|s| s.name.as_str()).collect();
    std::iter::once("openid").chain(names).collect()
}
