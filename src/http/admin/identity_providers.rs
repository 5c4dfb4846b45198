//! `/identity-provider`: the providers by which users could sign in, and their mappers.

use axum::extract::Path;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, created, done_uncached, shown};
use super::routes::{Routes, get};
use super::{Admin, Permission};
use crate::flow::Cx;
use crate::flow::admin::identity_provider::{self as providers, field, find};
use crate::flow::admin::settled;
use crate::flow::masking::MASK;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Query, Representation};
use crate::http::representation::realm_part::config_of_texts;
use crate::model::realm::IDENTITY_PROVIDER_SECRET;

pub(super) fn routes() -> Routes {
    const INSTANCES: &str = "/{realm}/identity-provider/instances";
    let one = |rest: &str| format!("{INSTANCES}/{{alias}}{rest}");
    Routes::new()
        .route(INSTANCES, get(list).post(create))
        .route(&one(""), get(read).put(change).delete(delete))
        .route(&one("/mapper-types"), get(mapper_types))
        .route(&one("/mappers"), get(mappers).post(create_mapper))
        .route(&one("/mappers/{id}"), get(read_mapper).put(change_mapper).delete(delete_mapper))
}

#[derive(Debug)]
struct View;
#[derive(Debug)]
pub(super) struct ManageProviders;

impl Permission for View {
    const ANY_OF: &'static [&'static str] = &["view-identity-providers", "manage-identity-providers"];
}

impl Permission for ManageProviders {
    const ANY_OF: &'static [&'static str] = &["manage-identity-providers"];
}

/// The kinds of mappers, by id.
const MAPPER_TYPES: &str = include_str!("identity_provider_mapper_types.json");

const FIELDS: [&str; 20] = [
    "addReadTokenRoleOnCreate",
    "alias",
    "authenticateByDefault",
    "config",
    "displayName",
    "enabled",
    "firstBrokerLoginFlowAlias",
    "hideOnLogin",
    "internalId",
    "linkOnly",
    "organizationId",
    "organizationLinks",
    "postBrokerLoginFlowAlias",
    "providerId",
    "storeToken",
    "trustEmail",
    "types",
    "updateProfileFirstLogin",
    "updateProfileFirstLoginMode",
    "userAuthenticationFlowAlias",
];

const MAPPER_FIELDS: [&str; 5] = ["config", "id", "identityProviderAlias", "identityProviderMapper", "name"];

/// Kept as it is put.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Provider(Map<String, Value>);

#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Mapper(Map<String, Value>);

impl Representation for Provider {
    const NAME: &'static str = "IdentityProviderRepresentation";
}

impl Representation for Mapper {
    const NAME: &'static str = "IdentityProviderMapperRepresentation";
}

/// What is known of these fields, without what says nothing; others are refused by name.
fn known(mut given: Map<String, Value>, fields: &[&str], name: &str) -> Result<Map<String, Value>, AdminError> {
    given.retain(|_, value| !value.is_null());
    config_of_texts(&mut given).map_err(|_| AdminError::unreadable("unknown_error"))?;
    match given.keys().find(|key| !fields.contains(&key.as_str())) {
        None => Ok(given),
        Some(field) => Err(AdminError::Plain(
            axum::http::StatusCode::BAD_REQUEST,
            format!("Invalid json representation for {name}. Unrecognized field \"{field}\" at line 1 column 1."),
        )),
    }
}

/// What a provider of this kind can be used for.
fn types_of(kind: &str) -> Value {
    match kind {
        "oidc" | "keycloak-oidc" => json!([
            "USER_AUTHENTICATION",
            "CLIENT_ASSERTION",
            "TRUST_MATERIAL",
            "EXCHANGE_EXTERNAL_TOKEN",
            "JWT_AUTHORIZATION_GRANT"
        ]),
        "kubernetes" => json!(["CLIENT_ASSERTION"]),
        "saml" => json!(["USER_AUTHENTICATION"]),
        _ => json!([]),
    }
}

/// A provider without its secret.
fn represent(mut provider: Map<String, Value>, brief: bool) -> Value {
    provider.entry("enabled").or_insert(json!(true));
    if brief {
        provider.retain(|name, _| ["alias", "displayName", "enabled", "internalId", "providerId"].contains(&name.as_str()));
        provider.insert("config".to_owned(), json!({}));
        return Value::from(provider);
    }
    if let Some(Value::Object(config)) = provider.get_mut("config") {
        config.entry(IDENTITY_PROVIDER_SECRET).and_modify(|secret| *secret = json!(MASK));
    }
    let types = types_of(field(&provider, "providerId"));
    provider.insert("types".to_owned(), types);
    Value::from(provider)
}

async fn list(admin: Admin<View>, query: Query) -> Answer {
    let search = query.text("search").map(|text| text.trim_matches('*').to_lowercase()).unwrap_or_default();
    let brief = query.flag("briefRepresentation").unwrap_or(false);
    let fits = |provider: &Map<String, Value>| {
        ["alias", "displayName"].iter().any(|name| field(provider, name).to_lowercase().contains(&search))
    };
    let found = providers::all(&admin.cx).into_iter().filter(fits);
    Ok(shown(&Value::from(query.page(None)?.of(found).map(|p| represent(p, brief)).collect::<Vec<Value>>())))
}

async fn create(admin: Admin<ManageProviders>, Json(Provider(given)): Json<Provider>) -> Answer {
    let provider = &known(given, &FIELDS, Provider::NAME)?;
    let location = admin.below(field(provider, "alias"));
    settled(admin.cx, |cx: Cx| async move { providers::create(&cx, provider.clone()).await }).await?;
    Ok(created(&location))
}

async fn read(admin: Admin<View>, Path((_, alias)): Path<(String, String)>) -> Answer {
    Ok(shown(&represent(find(&admin.cx, &alias)?, false)))
}

async fn change(
    admin: Admin<ManageProviders>,
    Path((_, alias)): Path<(String, String)>,
    Json(Provider(given)): Json<Provider>,
) -> Answer {
    let (alias, provider) = (&alias, &known(given, &FIELDS, Provider::NAME)?);
    settled(admin.cx, |cx: Cx| async move { providers::update(&cx, alias, provider.clone()).await }).await?;
    Ok(done_uncached())
}

async fn delete(admin: Admin<ManageProviders>, Path((_, alias)): Path<(String, String)>) -> Answer {
    let alias = &alias;
    settled(admin.cx, |cx: Cx| async move { providers::delete(&cx, alias).await }).await?;
    Ok(done_uncached())
}

async fn mapper_types(admin: Admin<View>, Path((_, alias)): Path<(String, String)>) -> Answer {
    find(&admin.cx, &alias)?;
    let types: Map<String, Value> = serde_json::from_str(MAPPER_TYPES).unwrap_or_default();
    Ok(shown(&Value::from(types)))
}

async fn mappers(admin: Admin<View>, Path((_, alias)): Path<(String, String)>) -> Answer {
    Ok(shown(&Value::from(providers::mappers(&admin.cx, &alias)?.into_iter().map(Value::from).collect::<Vec<Value>>())))
}

async fn create_mapper(
    admin: Admin<ManageProviders>,
    Path((_, alias)): Path<(String, String)>,
    Json(Mapper(given)): Json<Mapper>,
) -> Answer {
    let mut mapper = known(given, &MAPPER_FIELDS, Mapper::NAME)?;
    let id = admin.cx.entropy().uuid();
    mapper.insert("id".to_owned(), json!(id));
    let location = admin.below(&id);
    let (alias, mapper) = (&alias, &mapper);
    settled(admin.cx, |cx: Cx| async move { providers::create_mapper(&cx, alias, mapper.clone()).await }).await?;
    Ok(created(&location))
}

async fn read_mapper(admin: Admin<View>, Path((_, alias, id)): Path<(String, String, String)>) -> Answer {
    Ok(shown(&Value::from(providers::mapper(&admin.cx, &alias, &id)?)))
}

async fn change_mapper(
    admin: Admin<ManageProviders>,
    Path((_, alias, id)): Path<(String, String, String)>,
    Json(Mapper(given)): Json<Mapper>,
) -> Answer {
    let (alias, id, mapper) = (&alias, &id, &known(given, &MAPPER_FIELDS, Mapper::NAME)?);
    settled(admin.cx, |cx: Cx| async move { providers::change_mapper(&cx, alias, id, Some(mapper.clone())).await }).await?;
    Ok(done_uncached())
}

async fn delete_mapper(admin: Admin<ManageProviders>, Path((_, alias, id)): Path<(String, String, String)>) -> Answer {
    let (alias, id) = (&alias, &id);
    settled(admin.cx, |cx: Cx| async move { providers::change_mapper(&cx, alias, id, None).await }).await?;
    Ok(done_uncached())
}
