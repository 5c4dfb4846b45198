//! The page that shows where a user is signed in.

use serde::Serialize;

use super::{AccountShell, DeviceName, Section};
use crate::view::Page;

#[derive(Clone, Debug, Serialize)]
pub struct Devices {
    pub account: AccountShell,
    /// The one that looks at the page first.
    pub sessions: Vec<Device>,
    /// Signs all others out; none where there is no other.
    pub end_others: Option<String>,
}

/// A browser that is signed in. Points in time are seconds since 1970, spans are seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Device {
    /// None for a program that does not say what it is.
    pub name: Option<DeviceName>,
    pub mobile: bool,
    pub current: bool,
    pub ip_address: String,
    pub started_at: i64,
    pub last_used_ago: i64,
    pub ends_at: i64,
    /// The clients that it is signed in at. Each may be a key of the message files.
    pub clients: Vec<String>,
    /// Signs it out; none for the one that looks at the page.
    pub end: Option<String>,
}

impl Page for Devices {
    const TEMPLATE: &'static str = "account/devices.html";

    fn sample() -> Self {
        let device = |current: bool| Device {
            name: current.then(DeviceName::sample),
            mobile: !current,
            current,
            ip_address: "192.0.2.7".into(),
            started_at: 1_790_000_000,
            last_used_ago: 90,
            ends_at: 1_790_036_000,
            clients: vec!["${client_account-console}".into(), "Demo application".into()],
            end: (!current).then(|| "/realms/sample/account/devices/x/end".into()),
        };
        Self {
            account: AccountShell::sample(Section::Devices),
            sessions: vec![device(true), device(false)],
            end_others: Some("/realms/sample/account/devices/end-others".into()),
        }
    }
}
