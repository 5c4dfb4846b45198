//! The pages of the Account Console.

mod applications;
mod devices;
mod personal_info;
mod remove_access;

use serde::Serialize;

use super::Message;

pub use applications::{Application, Applications, Consented, OfflineCard};
pub use devices::{Device, Devices};
pub use personal_info::{Field, PersonalInfo};
pub use remove_access::RemoveAccess;

/// What stands around every page of the console.
#[derive(Clone, Debug, Serialize)]
pub struct AccountShell {
    /// Who is signed in.
    pub user: String,
    pub personal_info: String,
    pub applications: String,
    pub devices: String,
    pub sign_out: String,
    /// Which of them is shown.
    pub current: Section,
    /// Goes with every form: a form of another site has not got it.
    pub csrf: String,
    /// What was done a moment ago.
    pub notice: Option<Message>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    PersonalInfo,
    Applications,
    Devices,
}

/// A device in words.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceName {
    /// `Firefox 140`, and the system that it runs on.
    pub browser: String,
    pub system: &'static str,
}

impl DeviceName {
    fn sample() -> Self {
        Self { browser: "Firefox 140".into(), system: "Linux" }
    }
}

impl AccountShell {
    fn sample(current: Section) -> Self {
        Self {
            user: "Alice Example".into(),
            personal_info: "/realms/sample/account/".into(),
            applications: "/realms/sample/account/applications".into(),
            devices: "/realms/sample/account/account-security/device-activity".into(),
            sign_out: "/realms/sample/protocol/openid-connect/logout?client_id=account-console".into(),
            current,
            csrf: "c5rf".into(),
            notice: Some(Message::new("accountUpdatedMessage")),
        }
    }
}
