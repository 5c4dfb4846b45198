//! Why a token or a grant works, or does not: every rule that it has to pass, in the order of the answers, each with the setting
//! that it comes from and the moment that it is about. Nothing is decided here: the rules are those of admission and of the
//! session limits, looked at one by one.

use serde_json::{Value, json};

use super::admission::is_stale;
use super::consent;
use super::scope::{self, GrantedScopes};
use super::session_limits::{Limits, Usage};
use crate::base::Timestamp;
use crate::model::{Client, Realm, RealmSnapshot, SessionKind, User};

/// One rule, and whether it is kept.
#[derive(Clone, Debug)]
pub struct Check {
    /// The rule's name; the list is closed and documented.
    pub rule: &'static str,
    pub ok: bool,
    /// What was found, in a sentence.
    pub says: String,
    pub setting: Option<Setting>,
    /// When the rule was or will be broken, or since when it counts.
    pub at: Option<Timestamp>,
}

/// The setting that a rule comes from.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Keycloak's name of it.
    pub name: String,
    /// `realm`, `client`, `user`, or `fallback`: nobody set it.
    pub of: &'static str,
    pub value: Value,
}

impl Check {
    pub fn new(rule: &'static str, ok: bool, says: impl Into<String>) -> Self {
        Self { rule, ok, says: says.into(), setting: None, at: None }
    }

    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    pub fn setting(mut self, name: &str, of: &'static str, value: impl Into<Value>) -> Self {
        self.setting = Some(Setting { name: name.to_owned(), of, value: value.into() });
        self
    }
}

/// A session, or a client's part in one.
#[derive(Clone, Copy, Debug)]
pub struct Lives<'a> {
    /// `session` or `part`.
    pub what: &'a str,
    pub limits: Limits,
    pub usage: Usage,
}

/// The two limits of a session or a part.
pub fn lapse(lives: Lives<'_>, now: Timestamp) -> [Check; 2] {
    let rules = if lives.what == "part" { ["part-idle", "part-max"] } else { ["session-idle", "session-max"] };
    let idle_at = lives.usage.last_used_at + lives.limits.idle;
    let idle = Check::new(rules[0], idle_at > now, format!("unused for {} s at most", lives.limits.idle.as_secs()))
        .at(idle_at)
        .setting(lives.limits.idle_from.setting, lives.limits.idle_from.owner.as_str(), lives.limits.idle.as_secs());
    let max = match lives.limits.max {
        None => Check::new(rules[1], true, "no maximum").setting("offlineSessionMaxLifespanEnabled", "realm", false),
        Some(max) => {
            let max_at = lives.usage.started_at + max;
            Check::new(rules[1], max_at > now, format!("{} s at most", max.as_secs())).at(max_at).setting(
                lives.limits.max_from.setting,
                lives.limits.max_from.owner.as_str(),
                max.as_secs(),
            )
        }
    };
    [idle, max]
}

/// A token's user at a client.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub realm: &'a RealmSnapshot,
    pub client: &'a Client,
    pub user: &'a User,
    pub kind: Option<SessionKind>,
    pub issued_at: Option<i64>,
    pub scope: Option<&'a str>,
}

/// What admission looks at, but for the realm's not-before ([`realm_not_before`]): that one comes before there is a user.
pub fn admission(holder: Holder<'_>) -> Vec<Check> {
    let Holder { realm, client, user, .. } = holder;
    let mut checks = vec![
        Check::new("realm-enabled", realm.realm.enabled, on(realm.realm.enabled)).setting(
            "enabled",
            "realm",
            realm.realm.enabled,
        ),
        Check::new("client-enabled", client.enabled, on(client.enabled)).setting("enabled", "client", client.enabled),
        Check::new("user-enabled", user.enabled, on(user.enabled)).setting("enabled", "user", user.enabled),
    ];
    if let Some(issued_at) = holder.issued_at {
        let policies = [("client", client.not_before), ("user", user.not_before)];
        checks.extend(policies.map(|(of, not_before)| not_before_check(of, not_before, issued_at)));
        let policy = realm_not_before(&realm.realm, issued_at);
        let broken = checks.iter().chain([&policy]).any(|check| check.rule == "not-before" && !check.ok);
        debug_assert_eq!(is_stale(realm, client, user, issued_at), broken);
    }
    let held = realm.roles_of(user);
    let scopes = GrantedScopes::resolve(realm, client, holder.scope, &held);
    if holder.kind == Some(SessionKind::Offline) {
        let assigned = scopes.permits_offline();
        let says =
            if assigned { "the client has the scope" } else { "the client, or the user's roles, do not have the scope any more" };
        checks.push(Check::new("scope-assigned", assigned, says).setting("optionalClientScopes", "client", "offline_access"));
        let effective = scope::effective_roles(realm, client, &scopes.permitted, &held);
        let has_role = scope::may_have_offline_token(realm, &effective);
        let says = if has_role {
            "the user holds the role within the client's scope"
        } else {
            "the user does not hold the role within the client's scope"
        };
        checks.push(Check::new("role", has_role, says).setting("realmRoles", "user", "offline_access"));
    }
    let acts_for_itself = user.service_account_of.as_ref() == Some(&client.uuid);
    if client.settings.consent_required && !acts_for_itself {
        let missing: Vec<&str> = consent::missing(client, user, &scopes)
            .iter()
            .map(|item| match item {
                consent::Item::Scope(scope) => scope.name.as_str(),
                consent::Item::Client(client) => client.client_id.as_str(),
            })
            .collect();
        let says = if missing.is_empty() {
            "the user has agreed".to_owned()
        } else {
            format!("the user has not agreed to {}", missing.join(", "))
        };
        checks.push(Check::new("consent", missing.is_empty(), says).setting("consentRequired", "client", true));
    }
    checks
}

/// The realm's own revocation policy, which counts before there is a session to look at.
pub fn realm_not_before(realm: &Realm, issued_at: i64) -> Check {
    not_before_check("realm", realm.not_before, issued_at)
}

fn on(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}

fn not_before_check(of: &'static str, not_before: i64, issued_at: i64) -> Check {
    let ok = issued_at >= not_before;
    let says = match not_before {
        0 => "no revocation policy".to_owned(),
        _ if ok => "issued after the revocation policy".to_owned(),
        _ => "issued before the revocation policy".to_owned(),
    };
    let check = Check::new("not-before", ok, says).setting("notBefore", of, not_before);
    if not_before > 0 { check.at(Timestamp::from_unix_seconds(not_before)) } else { check }
}

/// A check as the API shows it; points in time are milliseconds since 1970.
pub fn shown(check: &Check) -> Value {
    let mut value = json!({"rule": check.rule, "ok": check.ok, "says": check.says});
    if let Some(setting) = &check.setting {
        value["setting"] = json!({"name": setting.name, "of": setting.of, "value": setting.value});
    }
    if let Some(at) = check.at {
        value["at"] = json!(at.unix_millis());
    }
    value
}
