//! The components of a realm that is made, keys aside.

use crate::flow::component::catalog::{self, Provider};
use crate::flow::component::property;
use crate::model::component::{REGISTRATION_POLICY, USER_PROFILE};
use crate::model::realm_import::RealmImport;
use crate::model::{Component, RealmId};
use crate::oidc::registration_policy::asks_for_something;

/// Whether a component is kept as it is: keys and the user profile have places of their own.
fn is_kept(component: &Component) -> bool {
    let provider = catalog::provider(&component.provider_type, &component.provider_id);
    match provider {
        _ if component.is_key() || component.provider_type == USER_PROFILE => false,
        // One that is not understood lets nobody in: without it anybody might get in.
        _ if component.provider_type == REGISTRATION_POLICY => true,
        Some(Provider::Opaque) => true,
        Some(Provider::Known(..)) => is_understood(component),
        Some(Provider::Unsupported) | None => false,
    }
}

/// What is written of them: those that name no parent are below the realm.
pub(super) fn parts_of(import: &RealmImport, realm: &RealmId) -> Vec<Component> {
    let kept = import.components.iter().filter(|component| is_kept(component)).cloned();
    kept.map(|component| {
        let parent = if component.parent.is_empty() { realm.to_string() } else { component.parent };
        Component { parent, ..component }
    })
    .collect()
}

/// Whether the server understands what the component says.
fn is_understood(component: &Component) -> bool {
    match catalog::provider(&component.provider_type, &component.provider_id) {
        Some(known @ Provider::Known(..)) => {
            property::check(&component.config, known.properties()).is_ok() && asks_for_something(component)
        }
        _ => false,
    }
}

/// Those that nothing here acts on, each by its path: ones that are kept all the same, too.
pub(super) fn without_place(import: &RealmImport) -> Vec<String> {
    let has_effect =
        |component: &Component| component.is_key() || component.provider_type == USER_PROFILE || is_understood(component);
    let lost = import.components.iter().filter(|component| !has_effect(component));
    lost.map(|component| format!("components.{}.{}", component.provider_type, component.name)).collect()
}
