//! What a browser's `User-Agent` header tells of the device, in the words of Keycloak's lists: enough to recognise one's own
//! phone, and no promise of more. A header is what its sender likes to say.

/// A device class. What is not told is `Other` or `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// `Linux`, `Windows`, `iOS`, …
    pub os: &'static str,
    pub os_version: String,
    /// `iPhone`, `Mac`, …
    pub name: &'static str,
    pub mobile: bool,
    /// Name and version: `Firefox/140.0`.
    pub browser: String,
}

/// What is told of a browser that says nothing that is known here.
const UNKNOWN: &str = "Other/Unknown";

/// The markers of systems, the first that is found counts: Android says Linux too, and an iPhone Mac OS X.
const SYSTEMS: [(&str, &str, &str, bool); 7] = [
    ("iPhone", "iOS", "iPhone", true),
    ("iPad", "iOS", "iPad", true),
    ("Android", "Android", "Other", true),
    ("Windows NT", "Windows", "Other", false),
    ("Mac OS X", "Mac OS X", "Mac", false),
    ("CrOS", "Chrome OS", "Other", false),
    ("Linux", "Linux", "Other", false),
];

/// The markers of browsers, the first that is found counts: each new one pretends to be the old ones.
const BROWSERS: [(&str, &str); 5] =
    [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Version/", "Safari")];

impl Device {
    pub fn of(user_agent: &str) -> Self {
        let system = SYSTEMS.iter().find(|(marker, ..)| user_agent.contains(marker));
        let (os, name, mobile) = system.map_or(("Other", "Other", false), |(_, os, name, mobile)| (*os, *name, *mobile));
        Self { os, os_version: os_version(os, user_agent), name, mobile, browser: browser(user_agent, mobile) }
    }
}

impl Device {
    /// For people: `Firefox 140` and `Linux`; none for what is no known browser.
    pub fn in_words(&self) -> Option<(String, &'static str)> {
        let (name, version) = self.browser.split_once('/').filter(|_| self.browser != UNKNOWN)?;
        let major = version.split('.').next().unwrap_or_default();
        Some((format!("{name} {major}").trim_end().to_owned(), self.os))
    }
}

fn os_version(os: &str, user_agent: &str) -> String {
    let marker = match os {
        "iOS" => " OS ",
        "Android" => "Android ",
        "Windows" => "Windows NT ",
        "Mac OS X" => "Mac OS X ",
        _ => return "Unknown".to_owned(),
    };
    let version = user_agent.split_once(marker).map(|(_, rest)| version(&rest.replace('_', "."), 3)).unwrap_or_default();
    match (os, version.as_str()) {
        (_, "") => "Unknown".to_owned(),
        ("Windows", "10.0") => "10".to_owned(),
        _ => version,
    }
}

fn browser(user_agent: &str, mobile: bool) -> String {
    let found = BROWSERS.iter().find_map(|(marker, name)| Some((*name, user_agent.split_once(marker)?.1)));
    match found {
        Some((name, rest)) => {
            let name = match (name, mobile) {
                ("Safari", true) => "Mobile Safari",
                ("Chrome", true) => "Chrome Mobile",
                (name, _) => name,
            };
            format!("{name}/{}", version(rest, 3))
        }
        None => UNKNOWN.to_owned(),
    }
}

/// The first parts of a version number.
fn version(text: &str, parts: usize) -> String {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').take(20).collect();
    digits.split('.').filter(|part| !part.is_empty()).take(parts).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(user_agent: &str) -> (&'static str, String, &'static str, String) {
        let device = Device::of(user_agent);
        (device.os, device.os_version, device.name, device.browser)
    }

    #[test]
    fn devices_and_browsers_are_named_as_keycloak_names_them() {
        let linux = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        assert_eq!(told(linux), ("Linux", "Unknown".into(), "Other", "Firefox/140.0".into()));
        let windows =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(told(windows), ("Windows", "10".into(), "Other", "Chrome/140.0.0".into()));
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 \
                     Mobile/15E148 Safari/604.1";
        assert_eq!(told(phone), ("iOS", "18.0".into(), "iPhone", "Mobile Safari/18.0".into()));
        assert!(Device::of(phone).mobile);
        assert_eq!(Device::of(phone).in_words(), Some(("Mobile Safari 18".to_owned(), "iOS")));
        assert_eq!(Device::of("curl/8").in_words(), None);
        assert_eq!(told("curl/8"), ("Other", "Unknown".into(), "Other", "Other/Unknown".into()));
    }

    proptest! {
        #[test]
        fn any_header_is_some_device(user_agent in "\\PC{0,80}(Windows NT |Android |Chrome/|Version/)?\\PC{0,20}") {
            prop_assert!(Device::of(&user_agent).browser.len() < 64);
        }
    }
}
