//! What of a wish is heard, whatever the realm's policies say: nobody lifts by registering what the realm protects all with.

use std::collections::HashSet;

use super::bearer::{Bearer, MANAGE};
use super::refusal::bad_metadata;
use crate::flow::Cx;
use crate::flow::admin::{Refusal, protocol_mapper};
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientSettings, ProtocolMapper, ProtocolMapperId};
use crate::oidc::mapper::is_of_the_protocol;

/// In bytes of JSON. Every node holds every client in memory.
const MAX_SETTINGS: usize = 128 * 1024;
const MAX_MAPPERS: usize = 100;

/// By the first a client may introspect tokens that are not for it; by the others its tokens and sessions last longer than those
/// of the realm.
const PROTECTED: [&str; 6] = [
    "allow.token.introspection.without.audience.check",
    "access.token.lifespan",
    "client.offline.session.idle.timeout",
    "client.offline.session.max.lifespan",
    "client.session.idle.timeout",
    "client.session.max.lifespan",
];
/// The server's own switches, which override those of the realm.
const OWN: &str = "nightlatch.";

/// The wish as far as the bearer may have it.
pub(super) fn heard(cx: &Cx, bearer: &Bearer, before: Option<&Client>, wish: ClientImport) -> Result<ClientImport, Refusal> {
    let mut client = wish;
    // What has been revoked stays revoked, by whomever the client is changed here (as in Keycloak).
    if let Some(before) = before {
        client.not_before = before.not_before;
    }
    let manages = bearer.has_any_of(MANAGE);
    if !manages {
        keep_protected(before, &mut client);
    }
    check_mappers(cx, manages, before, &mut client)?;
    // An administrator may have made it larger.
    let (had_bytes, had_mappers) = before.map_or((0, 0), |client| (size(&client.settings), client.mappers.len()));
    if size(&client.settings) > MAX_SETTINGS.max(had_bytes) || client.mappers.len() > MAX_MAPPERS.max(had_mappers) {
        return Err(bad_metadata("Client metadata are too large"));
    }
    Ok(client)
}

fn size(settings: &ClientSettings) -> usize {
    serde_json::to_vec(settings).map_or(usize::MAX, |text| text.len())
}

/// What only an administrator may say of a client.
fn keep_protected(before: Option<&Client>, client: &mut ClientImport) {
    let is_protected = |name: &String| name.starts_with(OWN) || PROTECTED.contains(&name.as_str());
    let settings = &mut client.settings;
    settings.attributes.retain(|name, _| !is_protected(name));
    let kept = before.iter().flat_map(|client| &client.settings.attributes).filter(|(name, _)| is_protected(name));
    settings.attributes.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    settings.bearer_only = before.is_some_and(|client| client.settings.bearer_only);
    settings.always_display_in_console = before.is_some_and(|client| client.settings.always_display_in_console);
}

/// Mappers with names of their own. One that the client does not have yet gets an id here: ids are addresses. One that stays as it
/// is may be what nobody could bring.
fn check_mappers(cx: &Cx, manages: bool, before: Option<&Client>, client: &mut ClientImport) -> Result<(), Refusal> {
    let known = before.map(|client| client.mappers.as_slice()).unwrap_or_default();
    let mut names = HashSet::new();
    for mapper in &mut client.mappers {
        if !names.insert((mapper.protocol.clone(), mapper.name.clone())) {
            return Err(bad_metadata("Protocol mapper name must be unique per protocol"));
        }
        let old = known.iter().find(|old| old.id == mapper.id);
        if old.is_some_and(|old| is_same(old, mapper)) {
            continue;
        }
        protocol_mapper::check(mapper).map_err(|_| bad_metadata("Client metadata invalid"))?;
        // Who somebody is and whom a token is for are not for a client to say.
        let claim = mapper.config.get("claim.name").map(String::as_str).unwrap_or_default();
        if !manages && is_of_the_protocol(claim) {
            return Err(bad_metadata("Client metadata invalid"));
        }
        if old.is_none() {
            mapper.id = ProtocolMapperId::new(cx.entropy().uuid());
        }
    }
    Ok(())
}

fn is_same(old: &ProtocolMapper, new: &ProtocolMapper) -> bool {
    (&old.name, &old.protocol, &old.mapper_type, &old.config) == (&new.name, &new.protocol, &new.mapper_type, &new.config)
}
