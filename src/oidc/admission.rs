//! Whether a user may use a client now: the one function that every grant and every use of a token calls.
//!
//! No path has checks of its own: what is forbidden here is forbidden everywhere (the most frequent class of holes in servers
//! like this is a check on one path only). The texts are Keycloak's.

use std::collections::HashSet;

use super::scope::{self, GrantedScopes};
use crate::model::{Client, RealmSnapshot, RoleId, User};

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    RealmDisabled,
    ClientDisabled,
    UserDisabled,
    /// Issued before the not-before of realm, client or user.
    Stale,
    /// The user was logged out of everything after the token was issued.
    StaleForUser,
    OfflineAccessNotGranted,
    OfflineTokenNotAllowed,
    ConsentMissing,
}

/// A token, or the grant that is about to give one, as far as admission has to know it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub realm: &'a RealmSnapshot,
    pub client: &'a Client,
    pub user: &'a User,
    /// When the presented token was issued, in seconds; none for a grant that opens a session.
    pub issued_at: Option<i64>,
    /// Whether it belongs to an offline session.
    pub offline: bool,
    pub scope: Option<&'a str>,
}

/// What an admitted subject may have in its tokens.
#[derive(Clone, Debug)]
pub struct Admitted<'a> {
    pub scopes: GrantedScopes<'a>,
    /// Every role that the user holds.
    pub held: HashSet<&'a RoleId>,
    /// Those of them that the client's tokens may carry.
    pub effective: HashSet<&'a RoleId>,
}

/// Decides. The order is the order of Keycloak's answers: realm, client, user, offline access, not-before, consent.
pub fn admit<'a>(subject: &Subject<'a>) -> Result<Admitted<'a>, Refusal> {
    let Subject { realm, client, user, .. } = *subject;
    if !realm.realm.enabled {
        return Err(Refusal::RealmDisabled);
    }
    if !client.enabled {
        return Err(Refusal::ClientDisabled);
    }
    if !user.enabled {
        return Err(Refusal::UserDisabled);
    }
    let held = realm.roles_of(user);
    let scopes = GrantedScopes::resolve(realm, client, subject.scope, &held);
    if subject.offline && subject.issued_at.is_some() && !scopes.permits_offline() {
        return Err(Refusal::OfflineAccessNotGranted);
    }
    if let Some(issued_at) = subject.issued_at
        && is_stale(realm, client, user, issued_at)
    {
        let by_user = issued_at < user.not_before;
        return Err(if by_user { Refusal::StaleForUser } else { Refusal::Stale });
    }
    // Nobody is asked on behalf of a client's own account.
    let acts_for_itself = user.service_account_of.as_ref() == Some(&client.uuid);
    if subject.issued_at.is_some() && !acts_for_itself && !consent_covers(client, user, &scopes) {
        return Err(Refusal::ConsentMissing);
    }
    let effective = scope::effective_roles(realm, client, &scopes.permitted, &held);
    if subject.offline && !scope::may_have_offline_token(realm, &effective) {
        return Err(Refusal::OfflineTokenNotAllowed);
    }
    Ok(Admitted { scopes, held, effective })
}

/// Whether a token issued at this second is older than any of the three revocation policies (CVE-2026-18218, CVE-2026-8922:
/// each counts by itself).
pub fn is_stale(realm: &RealmSnapshot, client: &Client, user: &User, issued_at: i64) -> bool {
    [realm.realm.not_before, client.not_before, user.not_before].into_iter().any(|not_before| issued_at < not_before)
}

/// The policy that clients are told of: the latest of the three.
pub fn not_before_policy(realm: &RealmSnapshot, client: &Client, user: &User) -> i64 {
    realm.realm.not_before.max(client.not_before).max(user.not_before)
}

/// Whether the stored consent holds every scope that the user has to agree to.
fn consent_covers(client: &Client, user: &User, scopes: &GrantedScopes<'_>) -> bool {
    super::consent::missing(client, user, scopes).is_empty()
}
