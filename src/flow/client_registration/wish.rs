//! What of a wish is heard, whatever the realm's policies say: nobody lifts by registering what the realm protects all with.

use std::collections::HashSet;

use super::bearer::{Bearer, MANAGE};
use super::refusal::bad_metadata;
use crate::flow::Cx;
use crate::flow::admin::{Refusal, protocol_mapper};
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ProtocolMapperId};
use crate::oidc::mapper::is_of_the_protocol;

/// In bytes of JSON. Every node holds every client in memory.
const MAX_SETTINGS: usize = 128 * 1024;
const MAX_MAPPERS: usize = 100;

/// The attribute by which a client may introspect tokens that are not for it.
const INTROSPECTS_ALL: &str = "allow.token.introspection.without.audience.check";
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
    let size = serde_json::to_vec(&client.settings).map_or(usize::MAX, |text| text.len());
    if size > MAX_SETTINGS || client.mappers.len() > MAX_MAPPERS {
        return Err(bad_metadata("Client metadata are too large"));
    }
    Ok(client)
}

/// What only an administrator may say of a client.
fn keep_protected(before: Option<&Client>, client: &mut ClientImport) {
    let is_protected = |name: &String| name.starts_with(OWN) || name == INTROSPECTS_ALL;
    let settings = &mut client.settings;
    settings.attributes.retain(|name, _| !is_protected(name));
    let kept = before.iter().flat_map(|client| &client.settings.attributes).filter(|(name, _)| is_protected(name));
    settings.attributes.extend(kept.map(|(name, value)| (name.clone(), value.clone())));
    settings.bearer_only = before.is_some_and(|client| client.settings.bearer_only);
    settings.always_display_in_console = before.is_some_and(|client| client.settings.always_display_in_console);
}

/// Mappers with names of their own. One that the client does not have yet gets an id here: ids are addresses.
fn check_mappers(cx: &Cx, manages: bool, before: Option<&Client>, client: &mut ClientImport) -> Result<(), Refusal> {
    let known: HashSet<&ProtocolMapperId> = before.iter().flat_map(|client| &client.mappers).map(|mapper| &mapper.id).collect();
    let mut names = HashSet::new();
    for mapper in &mut client.mappers {
        protocol_mapper::check(mapper).map_err(|_| bad_metadata("Client metadata invalid"))?;
        if !names.insert((mapper.protocol.clone(), mapper.name.clone())) {
            return Err(bad_metadata("Protocol mapper name must be unique per protocol"));
        }
        if known.contains(&mapper.id) {
            continue;
        }
        mapper.id = ProtocolMapperId::new(cx.entropy().uuid());
        // Who somebody is and whom a token is for are not for a client to say.
        let claim = mapper.config.get("claim.name").map(String::as_str).unwrap_or_default();
        if !manages && is_of_the_protocol(claim) {
            return Err(bad_metadata("Client metadata invalid"));
        }
    }
    Ok(())
}
