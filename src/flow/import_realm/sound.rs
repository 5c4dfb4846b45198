//! What a realm's file has to be before anything of it is written.

use std::collections::{BTreeMap, HashSet};

use super::writer::ImportError;
use crate::model::group::MAX_DEPTH;
use crate::model::realm_import::{GroupImport, RealmImport, RoleImport, RoleRef};
use crate::model::{RealmSettings, own_attributes, realm_name};
use crate::oidc::{one_time_password, user_profile};

/// Keycloak's ids of realms are no longer.
const MAX_ID: usize = 36;

/// Refuses what would silently mean something else than the file says.
pub(super) fn check(import: &RealmImport) -> Result<(), ImportError> {
    realm_name::check(&import.name).map_err(ImportError::Unknown)?;
    if import.id.as_ref().is_some_and(|id| id.as_str().chars().count() > MAX_ID) {
        return Err(ImportError::Unknown("Database operation failed".to_owned()));
    }
    check_names(import)?;
    if import.groups.iter().any(|group| group.height() > MAX_DEPTH) {
        return Err(ImportError::Unknown("Groups cannot be nested any deeper".to_owned()));
    }
    if import.user_profile.as_ref().is_some_and(|profile| user_profile::check(profile).is_err()) {
        return Err(ImportError::Unknown("The user profile cannot be read".to_owned()));
    }
    let settings = RealmSettings::of(&import.document);
    own_attributes::check(&settings.attributes, false).map_err(ImportError::Unknown)?;
    if let Some(setting) = one_time_password::impossible(&settings.otp) {
        return Err(ImportError::Unknown(format!("Invalid value for {setting}")));
    }
    for client in &import.clients {
        let checked = own_attributes::check(&client.settings.attributes, true);
        checked.map_err(|text| ImportError::Unknown(format!("Client {}: {text}", client.client_id)))?;
    }
    Ok(())
}

fn has_nameless(group: &GroupImport) -> bool {
    group.name.trim().is_empty() || group.groups.iter().any(has_nameless)
}

/// Keycloak fails by accident on things without a name, or makes them; here they are refused.
fn check_names(import: &RealmImport) -> Result<(), ImportError> {
    let nameless = |name: &String| name.trim().is_empty();
    let nameless = [
        ("user", import.users.iter().map(|user| &user.username).any(nameless)),
        ("client", import.clients.iter().map(|client| &client.client_id).any(nameless)),
        ("group", import.groups.iter().any(has_nameless)),
    ];
    match nameless.iter().find(|(_, is_there)| *is_there) {
        Some((what, _)) => Err(ImportError::Unknown(format!("A {what} of the representation has no name"))),
        None => Ok(()),
    }
}

/// Roles that users, groups and scope mappings name and the file does not have are made (Keycloak).
pub(super) fn roles_that_are_only_named(import: &mut RealmImport) {
    fn of_groups<'a>(groups: &'a [GroupImport], named: &mut Vec<&'a RoleRef>) {
        for group in groups {
            named.extend(&group.roles);
            of_groups(&group.groups, named);
        }
    }
    let mut named: Vec<&RoleRef> = import.users.iter().flat_map(|u| &u.roles).collect();
    named.extend(import.scope_mappings.iter().flat_map(|m| &m.roles));
    of_groups(&import.groups, &mut named);
    let mut there: HashSet<RoleRef> = import.roles.iter().map(|r| r.role.clone()).collect();
    let clients: HashSet<&str> = import.clients.iter().map(|c| c.client_id.as_str()).collect();
    let mut missing = Vec::new();
    for role in named {
        let has_place = role.client.as_deref().is_none_or(|client| clients.contains(client));
        if has_place && there.insert(role.clone()) {
            missing.push(RoleImport {
                id: None,
                role: role.clone(),
                description: None,
                attributes: BTreeMap::new(),
                composites: Vec::new(),
            });
        }
    }
    import.roles.extend(missing);
}
