//! Clients as OpenID Connect describes them (OpenID Connect Dynamic Client Registration 1.0 §2, RFC 7591 §2).
//!
//! Members that this server does not know are left out, as RFC 7591 §2 wants it: what a client gets is what it is answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::client::{ClientRepresentation, origins_of, scope_names};
use super::lenient::{Flag, Text, put, text, texts};
use crate::base::Entropy;
use crate::http::extract::Representation;
use crate::model::realm_import::{AssignedScopes, ClientImport};
use crate::model::{Client, RealmSnapshot};

/// Why metadata are refused, in Keycloak's words.
pub(crate) const INVALID: &str = "Client metadata invalid";

/// Members that are attributes of a client, by both names.
const TEXTS: [(&str, &str); 14] = [
    ("logo_uri", "logoUri"),
    ("policy_uri", "policyUri"),
    ("tos_uri", "tosUri"),
    ("token_endpoint_auth_signing_alg", "token.endpoint.auth.signing.alg"),
    ("id_token_signed_response_alg", "id.token.signed.response.alg"),
    ("id_token_encrypted_response_alg", "id.token.encrypted.response.alg"),
    ("id_token_encrypted_response_enc", "id.token.encrypted.response.enc"),
    ("userinfo_signed_response_alg", "user.info.response.signature.alg"),
    ("userinfo_encrypted_response_alg", "user.info.encrypted.response.alg"),
    ("userinfo_encrypted_response_enc", "user.info.encrypted.response.enc"),
    ("request_object_signing_alg", "request.object.signature.alg"),
    ("authorization_signed_response_alg", "authorization.signed.response.alg"),
    ("backchannel_logout_uri", "backchannel.logout.url"),
    ("frontchannel_logout_uri", "frontchannel.logout.url"),
];
const FLAGS: [(&str, &str); 5] = [
    ("backchannel_logout_session_required", "backchannel.logout.session.required"),
    ("frontchannel_logout_session_required", "frontchannel.logout.session.required"),
    ("require_pushed_authorization_requests", "require.pushed.authorization.requests"),
    ("tls_client_certificate_bound_access_tokens", "tls.client.certificate.bound.access.tokens"),
    ("dpop_bound_access_tokens", "dpop.bound.access.tokens"),
];
/// What Keycloak writes down for a client that does not say.
const USUAL: [(&str, &str); 3] = [
    ("backchannel.logout.revoke.offline.tokens", "false"),
    ("backchannel.logout.session.required", "true"),
    ("frontchannel.logout.session.required", "false"),
];
/// Grants that this server does not offer: a client that asks for one is answered without it.
const NOT_OFFERED: [&str; 4] = [
    "oauth2.device.authorization.grant.enabled",
    "oauth2.jwt.authorization.grant.enabled",
    "oidc.ciba.grant.enabled",
    "standard.token.exchange.enabled",
];
const REFRESH: &str = "use.refresh.tokens";
const LOGOUT_ADDRESSES: &str = "post.logout.redirect.uris";
/// How a client may prove itself, and what Keycloak calls it.
const METHODS: [(&str, &str); 5] = [
    ("client_secret_basic", "client-secret"),
    ("client_secret_post", "client-secret"),
    ("client_secret_jwt", "client-secret-jwt"),
    ("private_key_jwt", "client-jwt"),
    ("none", "none"),
];
const METHOD: &str = "client.secret.authentication.allowed.method";
/// The scope without which no token names its subject.
const BASIC: &str = "basic";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClientMetadata {
    client_id: Option<Text>,
    client_name: Option<Text>,
    client_uri: Option<Text>,
    redirect_uris: Option<Vec<Text>>,
    post_logout_redirect_uris: Option<Vec<Text>>,
    response_types: Option<Vec<Text>>,
    grant_types: Option<Vec<Text>>,
    scope: Option<Text>,
    token_endpoint_auth_method: Option<Text>,
    subject_type: Option<Text>,
    jwks_uri: Option<Text>,
    jwks: Option<Value>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Representation for ClientMetadata {
    const NAME: &'static str = "OIDCClientRepresentation";
}

impl ClientMetadata {
    /// A client that is made from this. RFC 7591 §2: its `client_id` is not for it to say.
    pub(crate) fn to_new(&self, entropy: &Entropy) -> Result<ClientImport, &'static str> {
        if self.client_id.is_some() {
            return Err("Client Identifier included");
        }
        let mut client = ClientRepresentation::default().to_registered(entropy);
        for (name, value) in USUAL {
            client.settings.attributes.insert(name.to_owned(), value.to_owned());
        }
        self.put_on(&mut client)?;
        client.scopes = self.optional_scopes().map(|optional| AssignedScopes { default: vec![BASIC.to_owned()], optional });
        Ok(client)
    }

    /// The client with what this names; what it does not name stays (Keycloak; RFC 7592 §2.2 lets a server do so).
    pub(crate) fn put_whole(&self, snapshot: &RealmSnapshot, client: &Client) -> Result<ClientImport, &'static str> {
        let mut changed = ClientImport::from(client);
        changed.client_id = text(self.client_id.as_ref()).unwrap_or_default();
        self.put_on(&mut changed)?;
        // Scopes that are not spoken of in this language are no part of the change, nor is a list that is put back as it was read.
        let names = |ids| scope_names(snapshot, ids).into_iter().map(str::to_owned).collect::<Vec<String>>();
        let optional = names(&client.optional_scopes);
        let wanted = self.optional_scopes().filter(|wanted| wanted.iter().collect::<BTreeSet<_>>() != optional.iter().collect());
        changed.scopes = wanted.map(|optional| AssignedScopes { default: names(&client.default_scopes), optional });
        Ok(changed)
    }

    fn put_on(&self, client: &mut ClientImport) -> Result<(), &'static str> {
        let settings = &mut client.settings;
        put(&mut settings.name, self.client_name.as_ref());
        put(&mut settings.base_url, self.client_uri.as_ref());
        if let Some(uris) = &self.redirect_uris {
            if settings.web_origins == origins_of(&settings.redirect_uris) {
                settings.web_origins = origins_of(&texts(uris));
            }
            settings.redirect_uris = texts(uris);
        }
        let attributes = &mut settings.attributes;
        let has_own = attributes.get(LOGOUT_ADDRESSES).is_some_and(|uris| uris != "+");
        let mut set = |name: &str, value: String| match value.is_empty() {
            true => attributes.remove(name),
            false => attributes.insert(name.to_owned(), value),
        };
        // Where none are registered the others count, and are shown: putting these back registers none.
        let logout = self.post_logout_redirect_uris.as_deref().map(texts);
        if let Some(uris) = logout {
            let are_the_others = uris == settings.redirect_uris;
            if !are_the_others || has_own {
                set(LOGOUT_ADDRESSES, if are_the_others { String::new() } else { uris.join("##") });
            }
        }
        for (member, attribute) in TEXTS {
            if let Some(value) = self.others.get(member).filter(|value| !value.is_null()) {
                let Text(text) = Text::deserialize(value).map_err(|_| INVALID)?;
                set(attribute, text);
            }
        }
        for (member, attribute) in FLAGS {
            if let Some(value) = self.others.get(member).filter(|value| !value.is_null()) {
                let Flag(flag) = Flag::deserialize(value).map_err(|_| INVALID)?;
                set(attribute, flag.to_string());
            }
        }
        settings.frontchannel_logout = settings.attributes.contains_key("frontchannel.logout.url");
        self.put_keys(client)?;
        self.put_method(client)?;
        self.put_grants(client)?;
        // A subject of its own for each client is not offered.
        if self.subject_type.as_ref().is_some_and(|kind| kind.0 != "public") {
            return Err(INVALID);
        }
        Ok(())
    }

    fn put_keys(&self, client: &mut ClientImport) -> Result<(), &'static str> {
        let attributes = &mut client.settings.attributes;
        let mut set = |by_url: bool, name: &str, value: String| {
            attributes.insert(name.to_owned(), value);
            attributes.insert("use.jwks.url".to_owned(), by_url.to_string());
            attributes.insert("use.jwks.string".to_owned(), (!by_url).to_string());
        };
        match (&self.jwks_uri, self.jwks.as_ref().filter(|keys| !keys.is_null())) {
            (Some(_), Some(_)) => return Err(INVALID),
            (Some(uri), None) => set(true, "jwks.url", uri.0.clone()),
            (None, Some(keys)) if keys.get("keys").is_some_and(Value::is_array) => set(false, "jwks.string", keys.to_string()),
            (None, Some(_)) => return Err(INVALID),
            (None, None) => {}
        }
        Ok(())
    }

    fn put_method(&self, client: &mut ClientImport) -> Result<(), &'static str> {
        let Some(Text(method)) = &self.token_endpoint_auth_method else { return Ok(()) };
        let settings = &mut client.settings;
        let (_, authenticator) = METHODS.into_iter().find(|(name, _)| name == method).ok_or(INVALID)?;
        let has_keys = ["jwks.url", "jwks.string"].iter().any(|name| settings.attributes.contains_key(*name));
        if authenticator == "client-jwt" && !has_keys {
            return Err(INVALID);
        }
        settings.public_client = authenticator == "none";
        authenticator.clone_into(&mut settings.client_authenticator_type);
        match method.as_str() {
            "client_secret_post" => settings.attributes.insert(METHOD.to_owned(), method.clone()),
            _ => settings.attributes.remove(METHOD),
        };
        Ok(())
    }

    fn put_grants(&self, client: &mut ClientImport) -> Result<(), &'static str> {
        let settings = &mut client.settings;
        let listed = |list: &Option<Vec<Text>>| list.as_ref().map(|all| texts(all)).filter(|all| !all.is_empty());
        let grants = listed(&self.grant_types);
        let may = |grant: &str| grants.iter().flatten().any(|one| one == grant);
        if let Some(types) = listed(&self.response_types) {
            let words: Vec<&str> = types.iter().flat_map(|one| one.split(' ')).collect();
            if !words.iter().all(|word| ["code", "none", "id_token", "token"].contains(word)) {
                return Err(INVALID);
            }
            settings.standard_flow_enabled = words.iter().any(|word| ["code", "none"].contains(word));
            settings.implicit_flow_enabled = words.iter().any(|word| ["id_token", "token"].contains(word));
        } else if grants.is_some() {
            settings.standard_flow_enabled = may("authorization_code");
            settings.implicit_flow_enabled = may("implicit");
        }
        if self.grant_types.is_some() {
            settings.direct_access_grants_enabled = may("password");
            settings.service_accounts_enabled = may("client_credentials");
            settings.attributes.insert(REFRESH.to_owned(), may("refresh_token").to_string());
            for name in NOT_OFFERED {
                settings.attributes.insert(name.to_owned(), "false".to_owned());
            }
        }
        Ok(())
    }

    /// `openid` is a word of the protocol and no client scope: Keycloak refuses a client that names it, to no one's gain.
    fn optional_scopes(&self) -> Option<Vec<String>> {
        let named = |scope: &Text| scope.0.split_whitespace().filter(|name| *name != "openid").map(str::to_owned).collect();
        self.scope.as_ref().map(named)
    }
}

/// A client as it is answered, without its token and addresses.
pub(crate) fn client_metadata(snapshot: &RealmSnapshot, client: &Client) -> Map<String, Value> {
    let settings = &client.settings;
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    put("client_id", json!(client.client_id));
    if let Some(name) = &settings.name {
        put("client_name", json!(name));
    }
    if let Some(uri) = settings.base_url.as_ref().filter(|uri| !uri.is_empty()) {
        put("client_uri", json!(uri));
    }
    let by_secret = ["client-secret", "client-secret-jwt"].contains(&settings.client_authenticator_type.as_str());
    if let Some(secret) = client.secret.as_ref().filter(|_| by_secret && !settings.public_client) {
        put("client_secret", json!(secret.expose()));
        put("client_secret_expires_at", json!(0));
    }
    put("redirect_uris", json!(settings.redirect_uris));
    let logout = client.attribute(LOGOUT_ADDRESSES).filter(|uris| !uris.is_empty() && *uris != "+");
    put(
        "post_logout_redirect_uris",
        logout.map_or_else(|| json!(settings.redirect_uris), |uris| json!(uris.split("##").collect::<Vec<&str>>())),
    );
    put("token_endpoint_auth_method", json!(method_of(client)));
    put("grant_types", json!(grants_of(client)));
    put("response_types", json!(response_types_of(client)));
    put("scope", json!(scope_names(snapshot, &client.optional_scopes).join(" ")));
    put("subject_type", json!("public"));
    put("request_uris", json!([]));
    for (member, attribute) in TEXTS {
        if let Some(text) = client.attribute(attribute).filter(|text| !text.is_empty()) {
            put(member, json!(text));
        }
    }
    for (member, attribute) in FLAGS {
        put(member, json!(client.attribute(attribute) == Some("true")));
    }
    if client.attribute("use.jwks.url") == Some("true")
        && let Some(uri) = client.attribute("jwks.url")
    {
        put("jwks_uri", json!(uri));
    }
    if client.attribute("use.jwks.string") == Some("true")
        && let Some(keys) = client.attribute("jwks.string").and_then(|text| serde_json::from_str::<Value>(text).ok())
    {
        put("jwks", keys);
    }
    shown
}

fn method_of(client: &Client) -> &str {
    let settings = &client.settings;
    if settings.public_client {
        return "none";
    }
    if let Some(method) = client.attribute(METHOD).filter(|_| settings.client_authenticator_type == "client-secret") {
        return method;
    }
    let known = METHODS.into_iter().find(|(_, authenticator)| *authenticator == settings.client_authenticator_type);
    known.map_or("client_secret_basic", |(method, _)| method)
}

fn grants_of(client: &Client) -> Vec<&'static str> {
    let settings = &client.settings;
    let all = [
        (settings.standard_flow_enabled, "authorization_code"),
        (settings.direct_access_grants_enabled, "password"),
        (settings.service_accounts_enabled, "client_credentials"),
        (client.attribute(REFRESH) != Some("false"), "refresh_token"),
    ];
    all.into_iter().filter(|(has, _)| *has).map(|(_, grant)| grant).collect()
}

/// Without those of the implicit and the hybrid flow, which are not offered.
fn response_types_of(client: &Client) -> &'static [&'static str] {
    if client.settings.standard_flow_enabled { &["code", "none"] } else { &[] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(metadata: Value) -> Result<ClientImport, &'static str> {
        serde_json::from_value::<ClientMetadata>(metadata).unwrap().to_new(&Entropy::seeded(1))
    }

    #[test]
    fn what_keycloak_makes_of_metadata_is_made_of_them_here() {
        let client = made(json!({"redirect_uris": ["http://a.example/cb"], "client_name": "App"})).unwrap();
        assert!(client.settings.standard_flow_enabled && !client.settings.implicit_flow_enabled);
        assert_eq!(client.settings.web_origins, ["http://a.example"]);
        let both = made(json!({"response_types": ["code id_token"]})).unwrap().settings;
        assert!(both.standard_flow_enabled && both.implicit_flow_enabled);
        let robot = made(json!({"grant_types": ["client_credentials"]})).unwrap().settings;
        assert!(robot.service_accounts_enabled && !robot.standard_flow_enabled);
        assert_eq!(robot.attributes[REFRESH], "false");
        let page = made(json!({"token_endpoint_auth_method": "none"})).unwrap().settings;
        assert!(page.public_client);
        let scopes = made(json!({"scope": "openid phone"})).unwrap().scopes.unwrap();
        assert_eq!((scopes.default, scopes.optional), (vec!["basic".to_owned()], vec!["phone".to_owned()]));
    }

    #[test]
    fn metadata_that_make_no_client_are_refused() {
        for metadata in [
            json!({"response_types": ["nonsense"]}),
            json!({"token_endpoint_auth_method": "nonsense"}),
            json!({"token_endpoint_auth_method": "private_key_jwt"}),
            json!({"token_endpoint_auth_method": "tls_client_auth"}),
            json!({"jwks": {"keys": []}, "jwks_uri": "https://k.example"}),
            json!({"jwks": "none"}),
            json!({"subject_type": "pairwise"}),
            json!({"logo_uri": {"a": 1}}),
        ] {
            assert_eq!(made(metadata.clone()).unwrap_err(), INVALID, "{metadata}");
        }
        assert_eq!(made(json!({"client_id": "mine"})).unwrap_err(), "Client Identifier included");
    }
}
