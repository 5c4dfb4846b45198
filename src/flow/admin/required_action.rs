//! Required actions of a realm: changed, put into another order, taken away, and registered again.

use serde_json::json;

use super::{Refusal, realm_document};
use crate::flow::Cx;
use crate::flow::admin_event::Change;
use crate::model::admin_event::ResourceType;
use crate::model::required_action::{self, FIELD, RequiredAction};

/// The required action with this alias.
pub fn find<'a>(cx: &'a Cx, alias: &str) -> Result<&'a RequiredAction, Refusal> {
    let found = cx.settings().required_actions.iter().find(|action| action.alias == alias);
    found.ok_or(Refusal::NotFound("Failed to find required action"))
}

/// Those that this server knows and the realm does not have.
pub fn unregistered(cx: &Cx) -> Vec<RequiredAction> {
    let registered = &cx.settings().required_actions;
    let is_free = |action: &RequiredAction| registered.iter().all(|r| r.provider_id != action.provider_id);
    required_action::fresh().into_iter().filter(is_free).collect()
}

/// Writes these in the place of those that are there.
async fn write(cx: &Cx, mut actions: Vec<RequiredAction>, change: Change) -> Result<(), Refusal> {
    actions.sort_by_key(|action| action.priority);
    realm_document::put(cx, FIELD, json!(actions), change).await
}

pub async fn update(cx: &Cx, alias: &str, changed: RequiredAction) -> Result<(), Refusal> {
    find(cx, alias)?;
    let mut actions = cx.settings().required_actions.clone();
    for action in actions.iter_mut().filter(|action| action.alias == alias) {
        action.clone_from(&changed);
    }
    write(cx, actions, Change::update(ResourceType::RequiredAction)).await
}

/// Changes places with the one before, or the one behind; the first and the last stay where they are.
pub async fn shift(cx: &Cx, alias: &str, to_front: bool) -> Result<(), Refusal> {
    find(cx, alias)?;
    let mut actions = cx.settings().required_actions.clone();
    let Some(at) = actions.iter().position(|action| action.alias == alias) else { return Ok(()) };
    let other = if to_front { at.checked_sub(1) } else { Some(at + 1).filter(|next| *next < actions.len()) };
    if let Some(other) = other {
        let (one, two) = (actions[at].priority, actions[other].priority);
        (actions[at].priority, actions[other].priority) = (two, one);
        actions.swap(at, other);
    }
    write(cx, actions, Change::update(ResourceType::RequiredAction).showing_nothing()).await
}

pub async fn remove(cx: &Cx, alias: &str) -> Result<(), Refusal> {
    let mut actions = cx.settings().required_actions.clone();
    let before = actions.len();
    actions.retain(|action| action.alias != alias);
    if actions.len() == before {
        return Err(Refusal::NotFound("Failed to find required action."));
    }
    write(cx, actions, Change::delete(ResourceType::RequiredAction)).await
}

/// Registers one that this server knows, behind all others.
pub async fn register(cx: &Cx, provider: &str, name: &str) -> Result<(), Refusal> {
    let known = required_action::fresh().into_iter().find(|action| action.provider_id == provider);
    let known = known.ok_or(Refusal::NotFound("Required Action Provider with given providerId not found"))?;
    if cx.settings().required_actions.iter().any(|action| action.provider_id == provider) {
        return Err(Refusal::Duplicate);
    }
    let mut actions = cx.settings().required_actions.clone();
    let last = actions.iter().map(|action| action.priority).max().unwrap_or(0);
    actions.push(RequiredAction { name: name.to_owned(), enabled: true, priority: last + 1, ..known });
    write(cx, actions, Change::add(ResourceType::RequiredAction)).await
}
