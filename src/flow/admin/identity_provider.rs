//! Identity providers of a realm and their mappers: kept as they are put, for the day on which users sign in by them.
//!
//! Nobody signs in by them today; importing a realm says so. Their secrets are sealed at rest and shown to nobody.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Refusal, realm_document};
use crate::flow::Cx;
use crate::flow::admin_event::Change;
use crate::flow::masking::MASK;
use crate::model::admin_event::ResourceType;
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDER_SECRET, IDENTITY_PROVIDERS};
use crate::model::{UserId, realm_name};
use crate::store::federated_identity::FederatedIdentity;
use crate::store::{self, StoreError};

/// Keycloak answers no more about them.
pub const NOT_FOUND: Refusal = Refusal::NotFound("HTTP 404 Not Found");
const NO_MAPPER: Refusal = Refusal::NotFound("Model not found");

/// The kinds that Keycloak 26.7 knows.
const KINDS: [&str; 19] = [
    "bitbucket",
    "facebook",
    "github",
    "gitlab",
    "google",
    "instagram",
    "jwt-authorization-grant",
    "keycloak-oidc",
    "kubernetes",
    "linkedin-openid-connect",
    "microsoft",
    "oauth2",
    "oidc",
    "openshift-v4",
    "paypal",
    "saml",
    "spiffe",
    "stackoverflow",
    "twitter",
];

/// Addresses among the settings, and what Keycloak calls each where it is wrong.
const ADDRESSES: [(&str, &str); 5] = [
    ("authorizationUrl", "authorization_url"),
    ("tokenUrl", "token_url"),
    ("userInfoUrl", "userinfo_url"),
    ("logoutUrl", "logout_url"),
    ("jwksUrl", "jwks_url"),
];

/// A text among the fields of a provider or a mapper.
pub fn field<'a>(of: &'a Map<String, Value>, name: &str) -> &'a str {
    of.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list(cx: &Cx, place: &str) -> Vec<Map<String, Value>> {
    let listed = cx.snapshot().realm.document.get(place).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(Value::as_object).cloned().collect()
}

/// Those of the realm, by alias.
pub fn all(cx: &Cx) -> Vec<Map<String, Value>> {
    let mut all = list(cx, IDENTITY_PROVIDERS);
    all.sort_by(|a, b| field(a, "alias").cmp(field(b, "alias")));
    all
}

pub fn find(cx: &Cx, alias: &str) -> Result<Map<String, Value>, Refusal> {
    all(cx).into_iter().find(|provider| field(provider, "alias") == alias).ok_or(NOT_FOUND)
}

pub(super) fn check(provider: &Map<String, Value>) -> Result<(), Refusal> {
    let alias = field(provider, "alias");
    if alias.trim().is_empty() {
        return Err(Refusal::Invalid("Identity provider alias is missing".to_owned()));
    }
    if let Some(letter) = realm_name::forbidden_letter(alias) {
        return Err(Refusal::PlainText(format!("Character '{letter}' not allowed.")));
    }
    let kind = field(provider, "providerId");
    if !KINDS.contains(&kind) {
        return Err(Refusal::Invalid(format!("Invalid identity provider id [{kind}]")));
    }
    let config = provider.get("config").and_then(Value::as_object);
    for (name, called) in ADDRESSES {
        let text = config.map(|config| field(config, name)).unwrap_or_default();
        if !text.is_empty() && url::Url::parse(text).is_err() {
            return Err(Refusal::Invalid(format!("The url [{called}] is malformed")));
        }
    }
    Ok(())
}

fn as_list(list: Vec<Map<String, Value>>) -> Value {
    Value::from(list.into_iter().map(Value::from).collect::<Vec<Value>>())
}

async fn write(cx: &Cx, place: &str, list: Vec<Map<String, Value>>, change: Change) -> Result<(), Refusal> {
    realm_document::put(cx, place, as_list(list), change).await
}

pub async fn create(cx: &Cx, mut provider: Map<String, Value>) -> Result<(), Refusal> {
    check(&provider)?;
    let alias = field(&provider, "alias").to_owned();
    let mut list = all(cx);
    if list.iter().any(|other| field(other, "alias") == alias) {
        return Err(Refusal::Exists(format!("Identity Provider {alias} already exists")));
    }
    provider.entry("internalId").or_insert_with(|| Value::from(cx.entropy().uuid()));
    list.push(provider);
    write(cx, IDENTITY_PROVIDERS, list, Change::create(ResourceType::IdentityProvider, &alias)).await
}

/// Replaces a provider, whose id and alias stay; a secret that is sent back masked stays, too.
pub async fn update(cx: &Cx, alias: &str, mut provider: Map<String, Value>) -> Result<(), Refusal> {
    let before = find(cx, alias)?;
    provider.entry("alias").or_insert_with(|| Value::from(alias));
    provider.entry("providerId").or_insert_with(|| before.get("providerId").cloned().unwrap_or_default());
    check(&provider)?;
    if field(&provider, "alias") != alias {
        return Err(Refusal::Invalid("Identity Provider alias cannot be changed".to_owned()));
    }
    keep(&mut provider, &before)?;
    let mut list = all(cx);
    list.retain(|other| field(other, "alias") != alias);
    list.push(provider);
    write(cx, IDENTITY_PROVIDERS, list, Change::update(ResourceType::IdentityProvider)).await
}

/// What stays of a provider that is replaced: its id, and a secret that is masked. That goes nowhere but where it went before.
pub(super) fn keep(provider: &mut Map<String, Value>, before: &Map<String, Value>) -> Result<(), Refusal> {
    provider.insert("internalId".to_owned(), before.get("internalId").cloned().unwrap_or_default());
    let same_kind = field(provider, "providerId") == field(before, "providerId");
    let Some(Value::Object(config)) = provider.get_mut("config") else { return Ok(()) };
    if config.get(IDENTITY_PROVIDER_SECRET).and_then(Value::as_str) != Some(MASK) {
        return Ok(());
    }
    let none = Map::new();
    let before = before.get("config").and_then(Value::as_object).unwrap_or(&none);
    let Some(secret) = before.get(IDENTITY_PROVIDER_SECRET) else {
        config.remove(IDENTITY_PROVIDER_SECRET);
        return Ok(());
    };
    if !same_kind || addresses(config) != addresses(before) {
        return Err(Refusal::Invalid("The client secret has to be given anew where an address changes".to_owned()));
    }
    config.insert(IDENTITY_PROVIDER_SECRET.to_owned(), secret.clone());
    Ok(())
}

/// Where a provider is, by all that its settings say of it.
fn addresses(config: &Map<String, Value>) -> BTreeMap<&str, &str> {
    let is_address = |name: &str| name == "issuer" || name != "useJwksUrl" && name.to_ascii_lowercase().ends_with("url");
    let all = config.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    all.filter(|(name, text)| is_address(name) && !text.is_empty()).collect()
}

/// Deletes a provider with its mappers.
pub async fn delete(cx: &Cx, alias: &str) -> Result<(), Refusal> {
    find(cx, alias)?;
    let providers = all(cx).into_iter().filter(|other| field(other, "alias") != alias).collect();
    let mappers = list(cx, IDENTITY_PROVIDER_MAPPERS).into_iter().filter(|m| field(m, "identityProviderAlias") != alias);
    let values = [(IDENTITY_PROVIDERS, as_list(providers)), (IDENTITY_PROVIDER_MAPPERS, as_list(mappers.collect()))];
    realm_document::put_all(cx, values, Change::delete(ResourceType::IdentityProvider)).await
}

/// The mappers of all providers.
pub(super) fn all_mappers(cx: &Cx) -> Vec<Map<String, Value>> {
    list(cx, IDENTITY_PROVIDER_MAPPERS)
}

/// The mappers of a provider.
pub fn mappers(cx: &Cx, alias: &str) -> Result<Vec<Map<String, Value>>, Refusal> {
    find(cx, alias)?;
    let of_it = |mapper: &Map<String, Value>| field(mapper, "identityProviderAlias") == alias;
    Ok(list(cx, IDENTITY_PROVIDER_MAPPERS).into_iter().filter(of_it).collect())
}

pub fn mapper(cx: &Cx, alias: &str, id: &str) -> Result<Map<String, Value>, Refusal> {
    mappers(cx, alias)?.into_iter().find(|mapper| field(mapper, "id") == id).ok_or(NO_MAPPER)
}

/// `mapper` has its id already.
pub async fn create_mapper(cx: &Cx, alias: &str, mut mapper: Map<String, Value>) -> Result<(), Refusal> {
    let provider = find(cx, alias)?;
    let name = field(&mapper, "name").to_owned();
    let is_taken = mappers(cx, alias)?.iter().any(|other| field(other, "name") == name);
    if is_taken || name.is_empty() || field(&mapper, "identityProviderMapper").is_empty() {
        let kind = field(&provider, "providerId");
        return Err(Refusal::Invalid(format!("Failed to add mapper '{name}' to identity provider [{kind}].")));
    }
    mapper.insert("identityProviderAlias".to_owned(), Value::from(alias));
    let id = field(&mapper, "id").to_owned();
    let mut all = list(cx, IDENTITY_PROVIDER_MAPPERS);
    all.push(mapper);
    write(cx, IDENTITY_PROVIDER_MAPPERS, all, Change::create(ResourceType::IdentityProviderMapper, &id)).await
}

/// Replaces a mapper, or takes it away.
pub async fn change_mapper(cx: &Cx, alias: &str, id: &str, changed: Option<Map<String, Value>>) -> Result<(), Refusal> {
    mapper(cx, alias, id)?;
    let kind = ResourceType::IdentityProviderMapper;
    let change = if changed.is_some() { Change::update(kind) } else { Change::delete(kind) };
    let mut all = list(cx, IDENTITY_PROVIDER_MAPPERS);
    all.retain(|other| field(other, "id") != id);
    all.extend(changed.map(|mut mapper| {
        mapper.insert("id".to_owned(), Value::from(id));
        mapper.insert("identityProviderAlias".to_owned(), Value::from(alias));
        mapper
    }));
    write(cx, IDENTITY_PROVIDER_MAPPERS, all, change).await
}

/// The user's links to providers that the realm has.
pub async fn links_of(cx: &Cx, user: &UserId) -> Result<Vec<FederatedIdentity>, StoreError> {
    let mut db = cx.store().db().await?;
    let mut links = store::federated_identity::list_federated_identities(&mut db, &cx.snapshot().realm.id, user).await?;
    let providers = all(cx);
    links.retain(|link| providers.iter().any(|provider| field(provider, "alias") == link.identity_provider));
    Ok(links)
}
