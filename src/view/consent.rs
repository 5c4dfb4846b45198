//! The page that asks a user what a client may do, and that says for how long it may go on when the user is away.

use serde::Serialize;

use super::Page;

/// Posts `code` and either `accept=Yes` or `cancel=No`.
#[derive(Clone, Debug, Serialize)]
pub struct Consent {
    pub action: String,
    pub code: String,
    /// May be a key of the message files: `${client_account}`.
    pub client_name: String,
    pub scopes: Vec<ScopeText>,
    /// There when offline access is among what is asked.
    pub offline: Option<OfflineTerms>,
}

/// A client scope, or the client itself, as the user is told of it.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeText {
    pub name: String,
    /// May be a key of the message files: `${profileScopeConsentText}`.
    pub text: String,
}

/// How long offline access lasts, as it stands now for this client in this realm (OWASP ASVS 10.7.2).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OfflineTerms {
    /// It ends when it is not used for so long.
    pub idle_seconds: i64,
    /// It ends at the latest so long after its start; absent where nothing limits it.
    pub max_seconds: Option<i64>,
}

impl Page for Consent {
    const TEMPLATE: &'static str = "login/consent.html";

    fn sample() -> Self {
        let scope = |name: &str, text: &str| ScopeText { name: name.into(), text: text.into() };
        Self {
            action: "/realms/sample/login-actions/consent?client_id=x&tab_id=y".into(),
            code: "c0de".into(),
            client_name: "Mail Reader".into(),
            scopes: vec![
                scope("profile", "${profileScopeConsentText}"),
                scope("email", "${emailScopeConsentText}"),
                scope("messages", "Read all messages"),
                scope("offline_access", "${offlineAccessScopeConsentText}"),
            ],
            offline: Some(OfflineTerms { idle_seconds: 30 * 86_400, max_seconds: Some(60 * 86_400) }),
        }
    }
}
