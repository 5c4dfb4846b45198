//! Attributes of realms and clients that this server reads and Keycloak does not know. They stand among Keycloak's, so that they
//! travel with exports and every administration tool can set them.

use std::collections::BTreeMap;

/// How refresh tokens rotate: on a realm `strict` or `graceful`, on a client also `off`.
pub const ROTATION: &str = "nightlatch.refresh.token.rotation";
/// For how many seconds a graceful rotation answers a lost answer again; at most a quarter of the access token's lifespan.
pub const GRACE_PERIOD: &str = "nightlatch.refresh.token.grace.period";
/// How many chains of refresh tokens a client may have in one session.
pub const MAX_CHAINS: &str = "nightlatch.refresh.token.max.chains";

/// How many offline grants a user may have: on a client with this client, on a realm with all clients together.
pub const MAX_OFFLINE_GRANTS: &str = "nightlatch.offline.grants.max.per.user";
/// What gives way where there are so many: `deny`, the new grant, or `end-least-recently-used`. On a realm or a client.
pub const AT_MAX_OFFLINE_GRANTS: &str = "nightlatch.offline.grants.at.max";
/// The highest maximum that may be set.
const HIGHEST_MAX_OFFLINE_GRANTS: u32 = 1_000;

/// `true`: a browser's request for `offline_access` is passed over unless it has `prompt=consent` (OIDC Core §11). On a realm.
pub const OFFLINE_NEEDS_PROMPT: &str = "nightlatch.offline.access.needs.prompt.consent";

/// What `refresh_expires_in` says of an offline token that does not expire by itself: `keycloak`, which is 0, or `idle`, which is
/// for how many seconds it may stay unused. On a realm.
pub const REFRESH_EXPIRES_IN: &str = "nightlatch.refresh.expires.in";

/// The first value that means nothing, in words.
pub fn check(attributes: &BTreeMap<String, String>, of_client: bool) -> Result<(), String> {
    let value = |name: &str| attributes.get(name).map(|v| v.trim()).filter(|v| !v.is_empty());
    if let Some(rotation) = value(ROTATION) {
        let modes: &[&str] = if of_client { &["off", "strict", "graceful"] } else { &["strict", "graceful"] };
        if !modes.contains(&rotation) {
            return Err(format!("{ROTATION} is one of {}", modes.join(", ")));
        }
    }
    if value(REFRESH_EXPIRES_IN).is_some_and(|v| !["keycloak", "idle"].contains(&v)) {
        return Err(format!("{REFRESH_EXPIRES_IN} is one of keycloak, idle"));
    }
    if value(AT_MAX_OFFLINE_GRANTS).is_some_and(|v| !["deny", "end-least-recently-used"].contains(&v)) {
        return Err(format!("{AT_MAX_OFFLINE_GRANTS} is one of deny, end-least-recently-used"));
    }
    if value(OFFLINE_NEEDS_PROMPT).is_some_and(|v| !["true", "false"].contains(&v)) {
        return Err(format!("{OFFLINE_NEEDS_PROMPT} is one of true, false"));
    }
    let is_max = |v: &str| v.parse::<u32>().is_ok_and(|n| (1..=HIGHEST_MAX_OFFLINE_GRANTS).contains(&n));
    if value(MAX_OFFLINE_GRANTS).is_some_and(|v| !is_max(v)) {
        return Err(format!("{MAX_OFFLINE_GRANTS} is a whole number from 1 to {HIGHEST_MAX_OFFLINE_GRANTS}"));
    }
    for name in [GRACE_PERIOD, MAX_CHAINS] {
        if value(name).is_some_and(|v| !v.parse::<u32>().is_ok_and(|n| n > 0)) {
            return Err(format!("{name} is a whole number above 0"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str, of_client: bool) -> Option<String> {
        check(&BTreeMap::from([(name.to_owned(), value.to_owned())]), of_client).err()
    }

    #[test]
    fn a_value_that_means_nothing_is_named() {
        assert_eq!(refusal(ROTATION, "graceful", false), None);
        assert_eq!(refusal(ROTATION, "off", true), None);
        assert_eq!(refusal(ROTATION, "off", false).unwrap(), "nightlatch.refresh.token.rotation is one of strict, graceful");
        assert!(refusal(GRACE_PERIOD, "-1", false).is_some() && refusal(MAX_CHAINS, "many", true).is_some());
        assert_eq!(refusal(GRACE_PERIOD, "", false), None);
        assert!(refusal(MAX_OFFLINE_GRANTS, "0", false).is_some() && refusal(MAX_OFFLINE_GRANTS, "1001", true).is_some());
        assert!(refusal(OFFLINE_NEEDS_PROMPT, "yes", false).is_some());
        assert!(refusal(AT_MAX_OFFLINE_GRANTS, "wait", true).is_some());
        assert!(refusal(REFRESH_EXPIRES_IN, "never", false).is_some());
        assert_eq!(refusal("somebody.elses", "off", false), None);
    }
}
