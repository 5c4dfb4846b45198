//! A realm and its settings.
//!
//! The settings are stored as one JSON object with Keycloak's field names (`document`), so that what an administrator puts is
//! what an administrator gets, also the fields that nothing here acts on. [`RealmSettings`] is the typed view of those that do.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::required_action::{self, RequiredAction};
use super::{ActionKind, ClientScopeId, GroupId, MailServer, RealmId, RoleId};
use crate::base::Timestamp;

/// Everything that a realm created with nothing but a name answers with (Keycloak 26.7.0), identity left out.
const FRESH: &str = include_str!("realm_defaults.json");

/// Where a realm's document keeps its identity providers and their mappers, and the secret among a provider's settings.
pub const IDENTITY_PROVIDERS: &str = "identityProviders";
pub const IDENTITY_PROVIDER_MAPPERS: &str = "identityProviderMappers";
pub const IDENTITY_PROVIDER_SECRET: &str = "clientSecret";

/// Where a realm's document keeps texts of its own, by language and key.
pub const LOCALIZATION_TEXTS: &str = "localizationTexts";

/// One realm: a tenant with its own users, clients, keys and sessions.
#[derive(Clone, Debug)]
pub struct Realm {
    pub id: RealmId,
    pub name: String,
    pub enabled: bool,
    /// Tokens issued before this second are stale; 0 for none.
    pub not_before: i64,
    /// Incremented by every write to the realm's configuration, in the same transaction.
    pub version: i64,
    /// When a session lifespan was last changed: a session that lapsed by such a change is answered otherwise than one that
    /// lapsed by itself.
    pub lifespans_changed_at: Timestamp,
    pub default_role: RoleId,
    pub default_groups: Vec<GroupId>,
    /// Client scopes that a new client gets: always, and on request.
    pub default_scopes: Vec<ClientScopeId>,
    pub optional_scopes: Vec<ClientScopeId>,
    /// The user profile (`UPConfig`), once it was edited.
    pub user_profile: Option<Value>,
    pub document: Map<String, Value>,
    pub settings: RealmSettings,
}

impl Realm {
    pub fn is_master(&self) -> bool {
        self.name == "master"
    }

    /// The name that people are shown.
    pub fn display_name(&self) -> &str {
        match self.settings.display_name.as_deref() {
            Some(name) if !name.is_empty() => name,
            _ => &self.name,
        }
    }
}

/// The typed view of a realm's document: what the server acts on. Times are spans; 0 in a client's span means "as the realm's".
#[derive(Clone, Debug)]
pub struct RealmSettings {
    /// What users can be asked to do, what is asked first first.
    pub required_actions: Vec<RequiredAction>,
    pub display_name: Option<String>,
    pub access_token_lifespan: i64,
    pub sso_session_idle: i64,
    pub sso_session_max: i64,
    pub sso_session_idle_remember_me: i64,
    pub sso_session_max_remember_me: i64,
    pub offline_session_idle: i64,
    pub offline_session_max_limited: bool,
    pub offline_session_max: i64,
    pub client_session_idle: i64,
    pub client_session_max: i64,
    pub client_offline_session_idle: i64,
    pub client_offline_session_max: i64,
    pub access_code_lifespan: i64,
    pub access_code_lifespan_user_action: i64,
    pub access_code_lifespan_login: i64,
    pub revoke_refresh_token: bool,
    pub refresh_token_max_reuse: i64,
    pub default_signature_algorithm: String,
    pub remember_me: bool,
    pub login_with_email_allowed: bool,
    pub duplicate_emails_allowed: bool,
    pub registration_email_as_username: bool,
    pub registration_allowed: bool,
    /// Whether users have to prove that their address is theirs.
    pub verify_email: bool,
    /// Whether the login page leads to a letter for who forgot the password.
    pub reset_password_allowed: bool,
    /// Seconds for which a link works in a letter that a user asked for; an attribute may name another for one kind of it.
    pub action_token_by_user: i64,
    /// The same where an administrator asked.
    pub action_token_by_admin: i64,
    /// None where letters cannot be sent.
    pub mail: Option<MailServer>,
    pub edit_username_allowed: bool,
    pub ssl_required: String,
    pub events_enabled: bool,
    pub enabled_event_types: Vec<String>,
    /// How long events of users are kept; none for good.
    pub events_expiration: Option<Duration>,
    pub admin_events_enabled: bool,
    /// Whether an admin event says what was sent.
    pub admin_events_details: bool,
    /// How long events of administrators are kept; none for good.
    pub admin_events_expiration: Option<Duration>,
    pub brute_force: BruteForceSettings,
    pub otp: OtpPolicy,
    /// What new passwords have to be; `oidc::password_policy` reads it.
    pub password_policy: Option<String>,
    pub security_headers: BTreeMap<String, String>,
    pub attributes: BTreeMap<String, String>,
}

/// How one-time codes are made and asked for.
#[derive(Clone, Debug)]
pub struct OtpPolicy {
    /// `totp` or `hotp`: by time, or by a counter.
    pub kind: String,
    /// `HmacSHA1`, `HmacSHA256` or `HmacSHA512`.
    pub algorithm: String,
    pub digits: u32,
    /// Seconds.
    pub period: i64,
    pub initial_counter: i64,
    /// How many steps a code may lie beside the expected one.
    pub look_ahead: i64,
    /// Whether a code may be used again within its time.
    pub is_reusable: bool,
}

impl OtpPolicy {
    pub fn is_counted(&self) -> bool {
        self.kind == "hotp"
    }
}

/// How wrong passwords are answered; the rules stand in `oidc::brute_force`.
#[derive(Clone, Debug)]
pub struct BruteForceSettings {
    pub is_on: bool,
    /// Whether a user is disabled in the end.
    pub permanent: bool,
    /// So many temporary locks come before the permanent one.
    pub max_temporary_lockouts: i32,
    /// Whether each failure from the factor on locks longer; else each round of the factor does.
    pub is_linear: bool,
    pub failure_factor: i32,
    pub wait_increment: Duration,
    pub max_failure_wait: Duration,
    /// Two failures within this time are a program's.
    pub quick_login_check: Duration,
    pub minimum_quick_login_wait: Duration,
    /// After so long without a failure, the earlier ones are forgotten.
    pub max_delta: Duration,
}

/// The settings of the mail server.
pub const MAIL: &str = "smtpServer";

/// What of them is secret.
pub const MAIL_SECRETS: [&str; 2] = ["password", "authTokenClientSecret"];

/// The session lifespans, by their stored names: a change of one of them is remembered in `lifespans_changed_at`.
pub const LIFESPANS: [&str; 11] = [
    "ssoSessionIdleTimeout",
    "ssoSessionMaxLifespan",
    "ssoSessionIdleTimeoutRememberMe",
    "ssoSessionMaxLifespanRememberMe",
    "offlineSessionIdleTimeout",
    "offlineSessionMaxLifespanEnabled",
    "offlineSessionMaxLifespan",
    "clientSessionIdleTimeout",
    "clientSessionMaxLifespan",
    "clientOfflineSessionIdleTimeout",
    "clientOfflineSessionMaxLifespan",
];

impl RealmSettings {
    /// Reads what the server acts on; a field that is missing or of the wrong type counts as in a fresh realm.
    pub fn of(document: &Map<String, Value>) -> Self {
        let fresh = fresh_document();
        let field = |name: &str| document.get(name).filter(|v| !v.is_null()).or_else(|| fresh.get(name));
        let number = |name: &str| field(name).and_then(whole_number).unwrap_or(0);
        let flag = |name: &str| field(name).and_then(Value::as_bool).unwrap_or(false);
        let text = |name: &str| field(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let attributes = field("attributes").map(text_map).unwrap_or_default();
        Self {
            required_actions: required_action::of(document),
            display_name: document.get("displayName").and_then(Value::as_str).map(str::to_owned),
            access_token_lifespan: number("accessTokenLifespan"),
            sso_session_idle: number("ssoSessionIdleTimeout"),
            sso_session_max: number("ssoSessionMaxLifespan"),
            sso_session_idle_remember_me: number("ssoSessionIdleTimeoutRememberMe"),
            sso_session_max_remember_me: number("ssoSessionMaxLifespanRememberMe"),
            offline_session_idle: number("offlineSessionIdleTimeout"),
            offline_session_max_limited: flag("offlineSessionMaxLifespanEnabled"),
            offline_session_max: number("offlineSessionMaxLifespan"),
            client_session_idle: number("clientSessionIdleTimeout"),
            client_session_max: number("clientSessionMaxLifespan"),
            client_offline_session_idle: number("clientOfflineSessionIdleTimeout"),
            client_offline_session_max: number("clientOfflineSessionMaxLifespan"),
            access_code_lifespan: number("accessCodeLifespan"),
            access_code_lifespan_user_action: number("accessCodeLifespanUserAction"),
            access_code_lifespan_login: number("accessCodeLifespanLogin"),
            revoke_refresh_token: flag("revokeRefreshToken"),
            refresh_token_max_reuse: number("refreshTokenMaxReuse"),
            default_signature_algorithm: text("defaultSignatureAlgorithm"),
            remember_me: flag("rememberMe"),
            login_with_email_allowed: flag("loginWithEmailAllowed"),
            duplicate_emails_allowed: flag("duplicateEmailsAllowed"),
            registration_email_as_username: flag("registrationEmailAsUsername"),
            registration_allowed: flag("registrationAllowed"),
            verify_email: flag("verifyEmail"),
            reset_password_allowed: flag("resetPasswordAllowed"),
            action_token_by_user: number("actionTokenGeneratedByUserLifespan"),
            action_token_by_admin: number("actionTokenGeneratedByAdminLifespan"),
            mail: field(MAIL).and_then(Value::as_object).and_then(MailServer::read),
            edit_username_allowed: flag("editUsernameAllowed"),
            ssl_required: text("sslRequired"),
            events_enabled: flag("eventsEnabled"),
            enabled_event_types: field("enabledEventTypes").map(texts).unwrap_or_default(),
            events_expiration: Some(number("eventsExpiration")).filter(|n| *n > 0).map(seconds),
            admin_events_enabled: flag("adminEventsEnabled"),
            admin_events_details: flag("adminEventsDetailsEnabled"),
            admin_events_expiration: attributes
                .get("adminEventsExpiration")
                .and_then(|s| s.parse().ok())
                .filter(|n| *n > 0)
                .map(seconds),
            brute_force: BruteForceSettings {
                is_on: flag("bruteForceProtected"),
                permanent: flag("permanentLockout"),
                max_temporary_lockouts: small(number("maxTemporaryLockouts")),
                is_linear: text("bruteForceStrategy") == "LINEAR",
                failure_factor: small(number("failureFactor")),
                wait_increment: seconds(number("waitIncrementSeconds")),
                max_failure_wait: seconds(number("maxFailureWaitSeconds")),
                quick_login_check: Duration::from_millis(u64::try_from(number("quickLoginCheckMilliSeconds")).unwrap_or(0)),
                minimum_quick_login_wait: seconds(number("minimumQuickLoginWaitSeconds")),
                max_delta: seconds(number("maxDeltaTimeSeconds")),
            },
            otp: OtpPolicy {
                kind: text("otpPolicyType"),
                algorithm: text("otpPolicyAlgorithm"),
                digits: u32::try_from(number("otpPolicyDigits")).unwrap_or(0),
                period: number("otpPolicyPeriod"),
                initial_counter: number("otpPolicyInitialCounter"),
                look_ahead: number("otpPolicyLookAheadWindow"),
                is_reusable: flag("otpPolicyCodeReusable"),
            },
            password_policy: Some(text("passwordPolicy")).filter(|policy| !policy.is_empty()),
            security_headers: field("browserSecurityHeaders").map(text_map).unwrap_or_default(),
            attributes,
        }
    }

    /// For how long a link works that a user has asked for.
    pub fn link_lifespan(&self, kind: ActionKind) -> Duration {
        let name = format!("actionTokenGeneratedByUserLifespan.{}", kind.lifespan_name());
        let own = self.attributes.get(&name).and_then(|text| text.trim().parse().ok()).filter(|number| *number > 0);
        seconds(own.unwrap_or(self.action_token_by_user))
    }
}

/// The document of a realm that was created with nothing but a name.
pub fn fresh_document() -> &'static Map<String, Value> {
    static DOCUMENT: std::sync::LazyLock<Map<String, Value>> =
        std::sync::LazyLock::new(|| serde_json::from_str(FRESH).expect("realm_defaults.json is a JSON object"));
    &DOCUMENT
}

/// A number as Keycloak's clients send it: whole, with a fraction (cut), or in quotes.
pub fn whole_number(value: &Value) -> Option<i64> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "a fraction is cut, and beyond the range the cast saturates")]
        Value::Number(n) => n.as_i64().or_else(|| n.as_f64().map(|f| f as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A span of seconds; negative counts as none.
pub fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or(0))
}

fn small(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn text_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(k, v)| v.as_str().map(|v| (k.clone(), v.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fresh_realm_keeps_offline_sessions_for_thirty_unused_days() {
        let settings = RealmSettings::of(&Map::new());
        assert_eq!(settings.offline_session_idle, 2_592_000);
        assert_eq!(settings.offline_session_max, 5_184_000);
        assert!(!settings.offline_session_max_limited);
        assert_eq!(settings.default_signature_algorithm, "RS256");
    }

    #[test]
    fn numbers_may_stand_in_quotes_and_have_fractions() {
        assert_eq!(whole_number(&json!("17")), Some(17));
        assert_eq!(whole_number(&json!(1_790_000_000.75)), Some(1_790_000_000));
        assert_eq!(whole_number(&json!(true)), None);
    }
}
