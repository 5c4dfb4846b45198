//! The sections of the console, and where they are.

use crate::flow::Cx;
use crate::view::account::Section as Shown;

/// The pages that one may be on the way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    PersonalInfo,
    Applications,
    Devices,
}

impl Section {
    const ALL: [Self; 3] = [Self::PersonalInfo, Self::Applications, Self::Devices];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PersonalInfo => "personal-info",
            Self::Applications => "applications",
            Self::Devices => "devices",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|section| section.name() == name)
    }

    pub(super) fn address(self, cx: &Cx) -> String {
        let path = match self {
            Self::PersonalInfo => "/",
            Self::Applications => "/applications",
            Self::Devices => "/account-security/device-activity",
        };
        format!("{}/account{path}", cx.issuer)
    }

    /// The role of the client `account` that lets a user see it.
    pub(super) fn role(self) -> &'static str {
        match self {
            Self::PersonalInfo | Self::Devices => "view-profile",
            Self::Applications => "view-applications",
        }
    }

    pub(super) fn of_path(path: &str) -> Self {
        if path.contains("/account/applications") {
            Self::Applications
        } else if path.contains("/account/account-security") || path.contains("/account/devices") {
            Self::Devices
        } else {
            Self::PersonalInfo
        }
    }

    pub(super) fn shown(self) -> Shown {
        match self {
            Self::PersonalInfo => Shown::PersonalInfo,
            Self::Applications => Shown::Applications,
            Self::Devices => Shown::Devices,
        }
    }
}
