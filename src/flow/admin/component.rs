//! Components of a realm: listed, made, changed, deleted. Key providers among them make, keep and take away the realm's keys.

use serde_json::Value;

use super::{Refusal, fits, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::component::catalog::{self, Provider};
use crate::flow::component::key::{self, KeyError};
use crate::flow::component::property;
use crate::flow::component::purpose::Purpose;
use crate::flow::keys::{self, INTERNAL_ALGORITHM};
use crate::flow::masking::MASK;
use crate::model::admin_event::ResourceType;
use crate::model::component::{Config, PROFILE_CONFIG, REGISTRATION_POLICY, USER_PROFILE, user_profile_id};
use crate::model::signing_key::StoredKey;
use crate::model::{Component, ComponentId, Realm};
use crate::oidc::registration_policy::asks_for_something;
use crate::oidc::user_profile::{self, ProfileProblem};
use crate::store::{self, Db, StoreError};

/// What an administrator says of a component.
#[derive(Clone, Debug, Default)]
pub struct Given {
    pub id: Option<String>,
    pub name: Option<String>,
    pub provider_type: Option<String>,
    pub provider_id: Option<String>,
    pub parent: Option<String>,
    pub sub_type: Option<String>,
    /// Names without a value are to have none.
    pub config: Config,
}

const NOT_FOUND: Refusal = Refusal::NotFound("Could not find component");

/// Every component, in the order of its name. Secrets of those that hold no key are among them: they are not for showing.
pub async fn list(cx: &Cx) -> Result<Vec<Component>, StoreError> {
    let snapshot = cx.snapshot();
    let mut all = store::component::list_components(&mut cx.store().db().await?, &snapshot.realm.id).await?;
    all.extend(snapshot.keys.iter().map(|key| key::shown(key, &snapshot.realm.id)));
    all.extend(profile(&cx.snapshot().realm));
    all.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(all)
}

pub async fn find(cx: &Cx, id: &str) -> Result<Component, Refusal> {
    list(cx).await?.into_iter().find(|component| component.id.as_str() == id).ok_or(NOT_FOUND)
}

/// The edited user profile as a component; a realm that has the profile of every fresh one has none.
pub fn profile(realm: &Realm) -> Option<Component> {
    let profile = realm.user_profile.as_ref()?;
    Some(Component {
        id: user_profile_id(&realm.id),
        name: "declarative-user-profile".to_owned(),
        provider_type: USER_PROFILE.to_owned(),
        provider_id: "declarative-user-profile".to_owned(),
        parent: realm.id.to_string(),
        sub_type: None,
        config: Config::from([(PROFILE_CONFIG.to_owned(), vec![profile.to_string()])]),
    })
}

pub async fn create(cx: &Cx, given: &Given) -> Result<ComponentId, Refusal> {
    let component = new_component(cx, given)?;
    let provider = check(&component)?;
    let id = component.id.clone();
    // Keys and other components stand in two tables, and have one address.
    if given.id.is_some() && find(cx, id.as_str()).await.is_ok() {
        return Err(Refusal::Duplicate);
    }
    let realm = &cx.snapshot().realm.id;
    let created = || Change::create(ResourceType::Component, id.as_str()).with("id", id.as_str());
    if component.provider_type == USER_PROFILE {
        let profile = read_profile(&component)?;
        write_realm(cx, async |db| {
            store::realm::set_user_profile(db, realm, Some(&profile)).await?;
            Ok(note(cx, db, created()).await?)
        })
        .await?;
        return Ok(user_profile_id(realm));
    }
    if component.config.contains_key("privateKey") && component.is_key() && key::private(&component).is_none() {
        return Err(Refusal::Invalid(KeyError::Private.to_string()));
    }
    let key = if component.is_key() { Some(make_key(cx, &component).await?) } else { None };
    if matches!(provider, Provider::Opaque) {
        tracing::warn!(component.provider_id, "the component is kept, and nothing here acts on it");
    }
    write_realm(cx, async |db| {
        match &key {
            Some(key) => {
                store::signing_key::insert_key(db, realm, key, cx.now).await?;
                ensure_internal_key(cx, db).await?;
            }
            None => store::component::insert_component(db, realm, &component, cx.now).await?,
        }
        Ok(note(cx, db, created()).await?)
    })
    .await?;
    Ok(id)
}

fn new_component(cx: &Cx, given: &Given) -> Result<Component, Refusal> {
    let provider_id = given.provider_id.clone().unwrap_or_default();
    let mut config = given.config.clone();
    config.retain(|_, values| values.iter().any(|value| !value.is_empty()));
    Ok(without_unknown(Component {
        id: ComponentId::new(own_id(given.id.as_deref())?.unwrap_or_else(|| cx.entropy().uuid())),
        name: given.name.clone().unwrap_or_else(|| provider_id.clone()),
        provider_type: given.provider_type.clone().unwrap_or_default(),
        provider_id,
        parent: parent(cx, given.parent.as_deref()),
        sub_type: given.sub_type.clone(),
        config,
    }))
}

/// An id that is brought along is a segment of addresses.
fn own_id(id: Option<&str>) -> Result<Option<String>, Refusal> {
    let fits = |id: &str| id.len() <= 36 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match id.filter(|id| !id.is_empty()) {
        Some(id) if !fits(id) => Err(Refusal::Invalid("Invalid id".to_owned())),
        id => Ok(id.map(str::to_owned)),
    }
}

/// Without a parent below the realm, which programs name by its name as well as by its id.
fn parent(cx: &Cx, given: Option<&str>) -> String {
    let realm = &cx.snapshot().realm;
    match given.filter(|parent| !parent.is_empty() && *parent != realm.name) {
        Some(parent) => parent.to_owned(),
        None => realm.id.to_string(),
    }
}

/// The component without what its provider knows nothing of (Keycloak).
fn without_unknown(mut component: Component) -> Component {
    if let Some(provider) = catalog::provider(&component.provider_type, &component.provider_id) {
        component.config.retain(|name, _| provider.keeps(name));
    }
    component
}

fn check(component: &Component) -> Result<Provider, Refusal> {
    let provider = catalog::provider(&component.provider_type, &component.provider_id).ok_or(Refusal::NoProvider)?;
    if matches!(provider, Provider::Unsupported) {
        return Err(Refusal::Invalid(format!("The provider {} is not supported", component.provider_id)));
    }
    for text in [Some(&component.name), Some(&component.parent), component.sub_type.as_ref()].into_iter().flatten() {
        fits(text)?;
    }
    property::check(&component.config, provider.properties()).map_err(Refusal::Invalid)?;
    if component.provider_type == REGISTRATION_POLICY && !asks_for_something(component) {
        let text = "At least one of hosts verification or client URIs validation must be enabled";
        return Err(Refusal::Invalid(text.to_owned()));
    }
    Ok(provider)
}

/// The key that a checked provider is to have.
async fn make_key(cx: &Cx, provider: &Component) -> Result<StoredKey, Refusal> {
    let purpose = Purpose::of(provider).ok_or(Refusal::NoProvider)?;
    let made = key::make(&cx.server, provider, purpose, &cx.snapshot().realm.name, cx.now).await;
    made.map_err(|error| match error {
        KeyError::Store(error) => error.into(),
        _ => Refusal::Invalid(error.to_string()),
    })
}

/// A realm always has a key for refresh tokens: Keycloak makes one when it is missed.
async fn ensure_internal_key(cx: &Cx, db: &mut Db<'_>) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let there = store::signing_key::list_keys(db, realm).await?;
    if there.iter().any(|key| key.algorithm == INTERNAL_ALGORITHM.as_str() && key.active && key.enabled) {
        return Ok(());
    }
    let key = keys::fallback(keys::hmac(cx.entropy(), INTERNAL_ALGORITHM, keys::HMAC_BYTES));
    store::signing_key::insert_key(db, realm, &key, cx.now).await
}

/// The component with what was said of it. A name that is not named keeps its values, and so does one with the mask.
fn changed(cx: &Cx, before: &Component, given: &Given) -> Result<Component, Refusal> {
    let is_other = |given: &Option<String>, present: &str| given.as_deref().is_some_and(|given| given != present);
    if is_other(&given.provider_type, &before.provider_type) || is_other(&given.provider_id, &before.provider_id) {
        return Err(Refusal::NoProvider);
    }
    let mut after = before.clone();
    if let Some(name) = &given.name {
        after.name.clone_from(name);
    }
    if given.parent.is_some() {
        after.parent = parent(cx, given.parent.as_deref());
    }
    if given.sub_type.is_some() {
        after.sub_type.clone_from(&given.sub_type);
    }
    for (name, values) in &given.config {
        if values.iter().all(String::is_empty) {
            after.config.remove(name);
        } else if values.iter().all(|value| value != MASK) {
            after.config.insert(name.clone(), values.clone());
        }
    }
    Ok(without_unknown(after))
}

/// Changes a component to what is said of it.
pub async fn update(cx: &Cx, id: &str, given: &Given) -> Result<(), Refusal> {
    let before = find(cx, id).await?;
    let mut after = changed(cx, &before, given)?;
    check(&after)?;
    let realm = &cx.snapshot().realm.id;
    let profile = if after.provider_type == USER_PROFILE { Some(read_profile(&after)?) } else { None };
    let key = match cx.snapshot().keys.iter().find(|key| key.component == before.id) {
        Some(present) => {
            // Another key has another certificate, unless it brings one.
            if key::private(&after).is_some() && after.config("certificate") == before.config("certificate") {
                after.config.remove("certificate");
            }
            let purpose = Purpose::of(&after).ok_or(Refusal::NoProvider)?;
            key::keep(present, &mut after, purpose);
            Some(make_key(cx, &after).await?)
        }
        None => None,
    };
    write_decided(cx, async |db| {
        let found = match (&profile, &key) {
            (Some(profile), _) => {
                store::realm::set_user_profile(db, realm, Some(profile)).await?;
                true
            }
            (None, Some(key)) => {
                let found = store::signing_key::replace_key(db, realm, key).await?;
                ensure_internal_key(cx, db).await?;
                found
            }
            (None, None) => store::component::update_component(db, realm, &after).await?,
        };
        if !found {
            return Err(NOT_FOUND);
        }
        Ok(note(cx, db, Change::update(ResourceType::Component)).await?)
    })
    .await
}

/// Deletes a component; a key provider's key goes with it, and what it signed is worth nothing from here on.
pub async fn delete(cx: &Cx, id: &str) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    let id = ComponentId::new(id);
    write_realm(cx, async |db| {
        let is_profile = cx.snapshot().realm.user_profile.is_some() && id == user_profile_id(realm);
        if is_profile {
            store::realm::set_user_profile(db, realm, None).await?;
        } else if store::signing_key::delete_key(db, realm, &id).await? {
            ensure_internal_key(cx, db).await?;
        } else if !store::component::delete_component(db, realm, &id).await? {
            return Err(NOT_FOUND);
        }
        Ok(note(cx, db, Change::delete(ResourceType::Component)).await?)
    })
    .await
}

/// The profile in the configuration of its component.
fn read_profile(component: &Component) -> Result<Value, Refusal> {
    let text = component.config(PROFILE_CONFIG).unwrap_or_default();
    let profile = serde_json::from_str(text).unwrap_or(Value::Null);
    match user_profile::check(&profile) {
        Ok(()) => Ok(profile),
        Err(ProfileProblem::Unreadable) => Err(Refusal::Invalid("The user profile cannot be read".to_owned())),
        Err(ProfileProblem::Refused(text)) => Err(Refusal::Invalid(format!("[{text}]"))),
    }
}
