//! Mappers over the user: attributes, properties, name, address, groups.

use serde_json::{Map, Value};

use super::Facts;
use super::claim::{put_named, typed};
use crate::model::{ProtocolMapper, User};

/// An attribute of the user, or of the nearest group that has it; `aggregate.attrs` takes all of them together.
pub(super) fn attribute(mapper: &ProtocolMapper, facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let Some(name) = mapper.config("user.attribute") else { return };
    let values = attribute_values(facts, name, mapper.is_set("aggregate.attrs"));
    let mut typed_values = values.iter().filter_map(|v| typed(mapper, v));
    if mapper.is_set("multivalued") {
        let list: Vec<Value> = typed_values.collect();
        if !list.is_empty() {
            put_named(mapper, Value::Array(list), claims);
        }
    } else if let Some(first) = typed_values.next() {
        put_named(mapper, first, claims);
    }
}

fn attribute_values(facts: &Facts<'_>, name: &str, aggregate: bool) -> Vec<String> {
    let own = own_values(facts.user, name);
    if !own.is_empty() && !aggregate {
        return own;
    }
    let mut found = own;
    for group in facts.user.groups.iter().flat_map(|g| facts.realm.lineage(g)) {
        let values = group.attributes.get(name).into_iter().flatten().cloned();
        let fresh: Vec<String> = values.filter(|v| !found.contains(v)).collect();
        found.extend(fresh);
        if !aggregate && !found.is_empty() {
            break;
        }
    }
    found
}

fn own_values(user: &User, name: &str) -> Vec<String> {
    match user.attributes.get(name) {
        Some(values) => values.clone(),
        None => property_text(user, name).into_iter().collect(),
    }
}

/// A property of the user by its name in Keycloak's model.
pub(super) fn property(mapper: &ProtocolMapper, facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let name = mapper.config("user.attribute").unwrap_or_default();
    let text = match name {
        "id" => Some(facts.user.id.to_string()),
        "emailVerified" => Some(facts.user.email_verified.to_string()),
        "enabled" => Some(facts.user.enabled.to_string()),
        "createdTimestamp" => Some(facts.user.created_at.unix_millis().to_string()),
        other => property_text(facts.user, other),
    };
    if let Some(value) = text.and_then(|t| typed(mapper, &t)) {
        put_named(mapper, value, claims);
    }
}

fn property_text(user: &User, name: &str) -> Option<String> {
    match name {
        "username" => Some(user.username.clone()),
        "email" => user.email.clone(),
        "firstName" => user.first_name.clone(),
        "lastName" => user.last_name.clone(),
        _ => None,
    }
}

pub(super) fn full_name(facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    if let Some(name) = facts.user.full_name() {
        claims.insert("name".to_owned(), Value::from(name));
    }
}

/// The `address` claim (OIDC Core §5.1.1) from the attributes that the mapper names.
pub(super) fn address(mapper: &ProtocolMapper, facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let fields = [
        ("street_address", "street"),
        ("locality", "locality"),
        ("region", "region"),
        ("postal_code", "postal_code"),
        ("country", "country"),
        ("formatted", "formatted"),
    ];
    let mut address = Map::new();
    for (claim, key) in fields {
        let attribute = mapper.config(&format!("user.attribute.{key}")).unwrap_or(key);
        if let Some(value) = attribute_values(facts, attribute, false).into_iter().next() {
            address.insert(claim.to_owned(), Value::from(value));
        }
    }
    if !address.is_empty() {
        claims.insert("address".to_owned(), Value::Object(address));
    }
}

/// The groups that the user is a member of, by path or by name.
pub(super) fn groups(mapper: &ProtocolMapper, facts: &Facts<'_>, claims: &mut Map<String, Value>) {
    let by_path = mapper.config("full.path").is_none_or(|v| v == "true");
    let names: Vec<Value> = facts
        .user
        .groups
        .iter()
        .filter_map(|id| facts.realm.groups.get(id))
        .map(|group| if by_path { facts.realm.group_path(&group.id) } else { group.name.clone() })
        .map(Value::from)
        .collect();
    if !names.is_empty() {
        put_named(mapper, Value::Array(names), claims);
    }
}
