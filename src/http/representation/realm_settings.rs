//! The settings of a realm's representation: which there are, and of which kind. Identity and contents stand elsewhere.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::lenient::{Flag, Number, Text, says_nothing, text_map, texts};
use super::realm_part;
use crate::flow::masking::MASK;
use crate::model::realm::{MAIL, MAIL_SECRETS, fresh_document};

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Flag,
    Number,
    Texts,
    TextMap,
    /// Kept as it is.
    Document,
    /// What has addresses of its own: read from a file, and left alone by a change of the realm.
    Part,
    /// Known, and not kept.
    Ignored,
    /// Known, and nothing is lost without it.
    Derived,
}

/// Settings that a fresh realm does not answer with.
const UNSET: [(&str, Kind); 16] = [
    ("displayName", Kind::Text),
    ("displayNameHtml", Kind::Text),
    ("loginTheme", Kind::Text),
    ("accountTheme", Kind::Text),
    ("adminTheme", Kind::Text),
    ("emailTheme", Kind::Text),
    ("defaultLocale", Kind::Text),
    ("passwordPolicy", Kind::Text),
    ("eventsExpiration", Kind::Number),
    ("supportedLocales", Kind::Texts),
    ("localizationTexts", Kind::Part),
    ("requiredActions", Kind::Part),
    ("authenticationFlows", Kind::Part),
    ("authenticatorConfig", Kind::Part),
    ("identityProviders", Kind::Part),
    ("identityProviderMappers", Kind::Part),
];

/// What Keycloak works out itself, or has given up.
const DERIVED: [&str; 5] =
    ["keycloakVersion", "realmCacheEnabled", "social", "userCacheEnabled", "webAuthnPolicyPasswordlessPasskeysEnabled"];

/// Parts of a representation that nothing here acts on.
const IGNORED: [&str; 19] = [
    "adminPermissionsClient",
    "applicationScopeMappings",
    "applications",
    "certificate",
    "clientTemplates",
    "codeSecret",
    "defaultRoles",
    "federatedUsers",
    "oauthClients",
    "organizations",
    "passwordCredentialGrantAllowed",
    "privateKey",
    "protocolMappers",
    "publicKey",
    "socialProviders",
    "updateProfileOnInitialSocialLogin",
    "userFederationMappers",
    "userFederationProviders",
    "workflows",
];

/// Settings that are kept as attributes of the realm, too.
const ECHOED: [&str; 6] = [
    "clientOfflineSessionIdleTimeout",
    "clientOfflineSessionMaxLifespan",
    "clientSessionIdleTimeout",
    "clientSessionMaxLifespan",
    "oauth2DeviceCodeLifespan",
    "oauth2DevicePollingInterval",
];

/// Attributes of the server's own: they stay when an administrator's attributes are replaced.
const OWN_ATTRIBUTES: [&str; 3] = ["ciba", "oauth2Device", "parRequestUriLifespan"];

const ATTRIBUTES: &str = "attributes";
/// What says where its secrets go, with what each is where it is left out.
const MAIL_PLACE: [(&str, &str); 8] = [
    ("host", ""),
    ("port", ""),
    ("ssl", "false"),
    ("starttls", "false"),
    ("user", ""),
    ("authType", "basic"),
    ("authTokenUrl", ""),
    ("authTokenClientId", ""),
];

/// The settings that a representation names, each as it is kept. Null counts as absent.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(super) values: Map<String, Value>,
    /// The names of parts that said something and are not kept.
    pub(super) ignored: Vec<String>,
}

/// Names only: the password of the mail server is among the values.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("names", &self.values.keys()).field("ignored", &self.ignored).finish()
    }
}

fn kind(name: &str) -> Option<Kind> {
    if let Some((_, kind)) = UNSET.iter().find(|(n, _)| *n == name) {
        return Some(*kind);
    }
    match fresh_document().get(name) {
        Some(Value::Bool(_)) => Some(Kind::Flag),
        Some(Value::Number(_)) => Some(Kind::Number),
        Some(Value::String(_)) => Some(Kind::Text),
        Some(Value::Array(_)) => Some(Kind::Texts),
        Some(Value::Object(_)) if name.starts_with("client") => Some(Kind::Document),
        Some(Value::Object(_)) => Some(Kind::TextMap),
        Some(Value::Null) | None if IGNORED.contains(&name) => Some(Kind::Ignored),
        Some(Value::Null) | None => DERIVED.contains(&name).then_some(Kind::Derived),
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Settings;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the settings of a realm")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Settings, A::Error> {
                let mut settings = Settings::default();
                while let Some(name) = map.next_key::<String>()? {
                    let kind = kind(&name).ok_or_else(|| A::Error::unknown_field(&name, &[]))?;
                    if kind == Kind::Derived {
                        map.next_value::<IgnoredAny>()?;
                    } else if kind == Kind::Ignored {
                        if !says_nothing(&map.next_value()?) {
                            settings.ignored.push(name);
                        }
                    } else if let Some(value) = kept(&name, kind, map.next_value()?).map_err(A::Error::custom)? {
                        settings.values.insert(name, value);
                    }
                }
                Ok(settings)
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

fn is_part(name: &str) -> bool {
    kind(name) == Some(Kind::Part)
}

/// The value as it is kept.
fn kept(name: &str, kind: Kind, value: Value) -> Result<Option<Value>, serde_json::Error> {
    fn read<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
        serde_json::from_value(value)
    }
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(match kind {
        Kind::Text => json!(read::<Text>(value)?.0),
        Kind::Flag => json!(read::<Flag>(value)?.0),
        Kind::Number => json!(read::<Number>(value)?.0),
        Kind::Texts => json!(texts(&read::<Vec<Text>>(value)?)),
        Kind::TextMap => json!(text_map(&read::<BTreeMap<String, Option<Text>>>(value)?)),
        Kind::Part => realm_part::read(name, value)?,
        Kind::Document | Kind::Ignored | Kind::Derived => value,
    }))
}

impl Settings {
    /// What was named, as it is kept.
    pub(crate) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    /// For a realm that is made: beside the attributes of the file stand those that every realm has.
    pub(crate) fn for_new_realm(&self) -> Map<String, Value> {
        let fresh = fresh_document();
        let mut document = self.values.clone();
        let mut attributes = object(fresh.get(ATTRIBUTES));
        attributes.extend(object(self.values.get(ATTRIBUTES)));
        if let Some(Value::Object(mail)) = document.get_mut(MAIL) {
            keep_secrets(mail, &Map::new());
        }
        self.echo(fresh, &mut attributes);
        document.insert(ATTRIBUTES.to_owned(), Value::from(attributes));
        if let Some(given) = self.values.get("browserSecurityHeaders") {
            let mut headers = object(fresh.get("browserSecurityHeaders"));
            headers.extend(object(Some(given)));
            document.insert("browserSecurityHeaders".to_owned(), Value::from(headers));
        }
        document
    }

    /// The document with what this names, but for what has addresses of its own, which ask for other rights (Keycloak). Attributes
    /// are replaced, save the server's own; a masked secret stays.
    pub(crate) fn put_on(&self, before: &Map<String, Value>) -> Map<String, Value> {
        let mut document = before.clone();
        document.extend(self.values.clone().into_iter().filter(|(name, _)| !is_part(name)));
        let old = object(before.get(ATTRIBUTES));
        let mut attributes = match self.values.get(ATTRIBUTES) {
            None => old,
            Some(given) => {
                let own = |name: &String| OWN_ATTRIBUTES.iter().any(|prefix| name.starts_with(prefix));
                let mut kept: Map<String, Value> = old.into_iter().filter(|(name, _)| own(name)).collect();
                kept.extend(object(Some(given)));
                kept
            }
        };
        self.echo(before, &mut attributes);
        document.insert(ATTRIBUTES.to_owned(), Value::from(attributes));
        if let Some(Value::Object(mail)) = document.get_mut(MAIL) {
            keep_secrets(mail, &object(before.get(MAIL)));
        }
        document
    }

    fn echo(&self, before: &Map<String, Value>, attributes: &mut Map<String, Value>) {
        for name in ECHOED {
            if let Some(value) = self.values.get(name).filter(|v| before.get(name) != Some(*v)) {
                attributes.insert(name.to_owned(), Value::from(value.to_string()));
            }
        }
    }
}

/// A masked secret stays as it was, for the server that it was given for. For another one the mask stays, which no realm may have.
fn keep_secrets(mail: &mut Map<String, Value>, before: &Map<String, Value>) {
    let is_same_place = mail_place(mail) == mail_place(before);
    for name in MAIL_SECRETS.into_iter().filter(|name| is_masked(mail, name)).collect::<Vec<_>>() {
        match before.get(name) {
            Some(secret) if is_same_place => mail.insert(name.to_owned(), secret.clone()),
            Some(_) => None,
            None => mail.remove(name),
        };
    }
}

/// Where letters are handed over and who signs in there. What is as usual counts as left out.
fn mail_place(mail: &Map<String, Value>) -> Vec<String> {
    let text = |(name, usual): &(&str, &str)| {
        let text = match mail.get(*name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if text == *usual { String::new() } else { text }
    };
    MAIL_PLACE.iter().map(text).collect()
}

fn is_masked(mail: &Map<String, Value>, name: &str) -> bool {
    mail.get(name).and_then(Value::as_str) == Some(MASK)
}

/// The settings as they are shown: the secrets of the mail server are masked.
pub(crate) fn shown(document: &Map<String, Value>) -> Map<String, Value> {
    let mut shown = document.clone();
    shown.retain(|name, _| !is_part(name));
    if let Some(Value::Object(mail)) = shown.get_mut(MAIL) {
        for name in MAIL_SECRETS {
            mail.entry(name).and_modify(|secret| *secret = Value::from(MASK));
        }
    }
    shown
}

fn object(value: Option<&Value>) -> Map<String, Value> {
    value.and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: Value) -> Settings {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_setting_of_a_fresh_realm_is_known_and_comes_back_unchanged() {
        let fresh = fresh_document();
        let again = settings(Value::from(fresh.clone()));
        assert_eq!(again.put_on(fresh), *fresh);
        assert_eq!(again.for_new_realm(), *fresh);
    }

    #[test]
    fn attributes_are_replaced_save_the_servers_own() {
        let mut before = fresh_document().clone();
        before.insert(ATTRIBUTES.to_owned(), json!({"cibaInterval": "5", "one": "1", "two": "2"}));
        let after = settings(json!({"attributes": {"three": "3", "four": null}})).put_on(&before);
        assert_eq!(after[ATTRIBUTES], json!({"cibaInterval": "5", "three": "3"}));
    }

    #[test]
    fn a_changed_lifespan_of_clients_is_an_attribute_too() {
        let after = settings(json!({"clientSessionIdleTimeout": "1201"})).put_on(fresh_document());
        assert_eq!(after["clientSessionIdleTimeout"], json!(1201));
        assert_eq!(after[ATTRIBUTES]["clientSessionIdleTimeout"], json!("1201"));
    }

    #[test]
    fn the_mask_leaves_the_password_of_the_mail_server() {
        let mail = json!({"password": "hidden", "authTokenClientSecret": "too", "port": 25});
        let before = settings(json!({"smtpServer": mail})).for_new_realm();
        assert_eq!(shown(&before)[MAIL], json!({"password": MASK, "authTokenClientSecret": MASK, "port": "25"}));
        let masked = |port: u16| json!({"smtpServer": {"password": MASK, "authTokenClientSecret": MASK, "port": port}});
        let after = settings(masked(25)).put_on(&before);
        assert_eq!(after[MAIL], json!({"password": "hidden", "authTokenClientSecret": "too", "port": "25"}));
        // Somebody else would get them there.
        let moved = settings(masked(26)).put_on(&before);
        assert_eq!(moved[MAIL], json!({"password": MASK, "authTokenClientSecret": MASK, "port": "26"}));
    }
}
