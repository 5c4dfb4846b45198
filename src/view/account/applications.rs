//! The page that shows which applications may act for a user, for how long, and what to do about it.

use serde::Serialize;

use super::{AccountShell, DeviceName, Section};
use crate::view::Page;

#[derive(Clone, Debug, Serialize)]
pub struct Applications {
    pub account: AccountShell,
    pub applications: Vec<Application>,
    /// How many of them may act while the user is away.
    pub offline_count: usize,
}

#[derive(Clone, Debug, Serialize)]
pub struct Application {
    /// May be a key of the message files: `${client_account}`.
    pub name: String,
    pub description: Option<String>,
    /// Where it lives.
    pub url: Option<String>,
    pub in_use: bool,
    pub consented: Option<Consented>,
    pub offline: Vec<OfflineCard>,
    /// The page that asks whether to remove the access; none where there is nothing to remove.
    pub remove: Option<String>,
}

/// What the user agreed to, and when (seconds since 1970).
#[derive(Clone, Debug, Serialize)]
pub struct Consented {
    pub since: i64,
    /// Each may be a key of the message files.
    pub scopes: Vec<String>,
}

/// One grant of offline access. Points in time are seconds since 1970, spans are seconds.
#[derive(Clone, Debug, Serialize)]
pub struct OfflineCard {
    /// None for a program that does not say what it is.
    pub device: Option<DeviceName>,
    pub ip_address: String,
    pub granted_at: i64,
    pub last_used_ago: i64,
    pub last_used_at: i64,
    pub ends_at: i64,
    pub ends_in: i64,
    /// It ends then even if it is used: else only if it is not.
    pub at_the_latest: bool,
    /// Ends this one alone; none where the application has no other.
    pub end: Option<String>,
}

impl Page for Applications {
    const TEMPLATE: &'static str = "account/applications.html";

    fn sample() -> Self {
        let card = |latest: bool| OfflineCard {
            device: latest.then(DeviceName::sample),
            ip_address: "192.0.2.7".into(),
            granted_at: 1_790_000_000,
            last_used_ago: 7_200,
            last_used_at: 1_790_500_000,
            ends_at: 1_793_000_000,
            ends_in: 30 * 86_400,
            at_the_latest: latest,
            end: Some("/realms/sample/account/applications/backup/grants/x/end".into()),
        };
        let application = |name: &str, offline: Vec<OfflineCard>| Application {
            name: name.into(),
            description: Some("Keeps copies of your documents".into()),
            url: Some("https://backup.example/".into()),
            in_use: offline.is_empty(),
            consented: Some(Consented {
                since: 1_790_000_000,
                scopes: vec!["${profileScopeConsentText}".into(), "Documents".into()],
            }),
            remove: Some("/realms/sample/account/applications/backup/remove".into()),
            offline,
        };
        Self {
            account: AccountShell::sample(Section::Applications),
            applications: vec![
                application("Night backup", vec![card(false), card(true)]),
                Application {
                    consented: None,
                    remove: None,
                    url: None,
                    description: None,
                    ..application("${client_account-console}", Vec::new())
                },
            ],
            offline_count: 1,
        }
    }
}
