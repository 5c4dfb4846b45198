//! Users as Keycloak shows them, and as it reads them.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::credential::CredentialRepresentation;
use super::lenient::{Flag, Ignored, Names, Text, text, texts};
use crate::flow::admin::user::UserChange;
use crate::flow::admin::user_password::NewPassword;
use crate::http::extract::Representation;
use crate::model::login_failure::DISABLED_REASON;
use crate::model::{RealmSnapshot, User};
use crate::oidc::user_profile;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct UserRepresentation {
    pub username: Option<Text>,
    pub email: Option<Text>,
    pub email_verified: Option<Flag>,
    pub first_name: Option<Text>,
    pub last_name: Option<Text>,
    pub enabled: Option<Flag>,
    pub attributes: Option<BTreeMap<String, Option<Values>>>,
    pub required_actions: Option<Vec<Text>>,
    pub credentials: Option<Vec<CredentialRepresentation>>,
    /// Paths.
    pub groups: Option<Vec<Text>>,
    #[serde(flatten)]
    _ignored: Ignored<UserFields>,
}

/// The values of an attribute; one alone may stand without brackets.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Values {
    Many(Vec<Option<Text>>),
    One(Text),
}

impl Values {
    fn to_list(&self) -> Vec<String> {
        match self {
            Self::Many(values) => values.iter().flatten().map(|v| v.0.clone()).collect(),
            Self::One(value) if value.0.is_empty() => Vec::new(),
            Self::One(value) => vec![value.0.clone()],
        }
    }
}

#[derive(Clone, Debug)]
struct UserFields;

impl Names for UserFields {
    const NAMES: &'static [&'static str] = &[
        "access",
        "applicationRoles",
        "clientConsents",
        "clientRoles",
        "createdTimestamp",
        "disableableCredentialTypes",
        "federatedIdentities",
        "federationLink",
        "id",
        "issuedVerifiableCredentials",
        "notBefore",
        "origin",
        "realmRoles",
        "self",
        "serviceAccountClientId",
        "socialLinks",
        "totp",
        "userProfileMetadata",
        "verifiableCredentials",
    ];
}

impl Representation for UserRepresentation {
    const NAME: &'static str = "UserRepresentation";
}

impl UserRepresentation {
    /// What an administrator changes with this. Roles and, on change, groups have addresses of their own.
    pub(crate) fn to_change(&self) -> UserChange {
        let values =
            |(name, values): (&String, &Option<Values>)| (name.clone(), values.as_ref().map(Values::to_list).unwrap_or_default());
        UserChange {
            username: text(self.username.as_ref()),
            email: text(self.email.as_ref()),
            email_verified: self.email_verified.map(|f| f.0),
            first_name: text(self.first_name.as_ref()),
            last_name: text(self.last_name.as_ref()),
            enabled: self.enabled.map(|f| f.0),
            attributes: self.attributes.as_ref().map(|all| all.iter().map(values).collect()),
            required_actions: self.required_actions.as_deref().map(texts),
            passwords: self.passwords(),
        }
    }

    fn passwords(&self) -> Vec<NewPassword> {
        self.credentials.iter().flatten().filter(|c| c.is_password()).map(CredentialRepresentation::to_password).collect()
    }
}

/// A user without what only lists in full show.
pub(crate) fn brief_user(user: &User) -> Map<String, Value> {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(user.id));
    shown.insert("username".to_owned(), json!(user.username));
    for (name, value) in [("firstName", &user.first_name), ("lastName", &user.last_name), ("email", &user.email)] {
        if let Some(value) = value {
            shown.insert(name.to_owned(), json!(value));
        }
    }
    shown.insert("emailVerified".to_owned(), json!(user.email_verified));
    shown.insert("enabled".to_owned(), json!(user.enabled));
    shown.insert("createdTimestamp".to_owned(), json!(user.created_at.unix_millis()));
    shown
}

/// A user in full. `has_otp`: whether a one-time password is set up.
pub(crate) fn user(snapshot: &RealmSnapshot, user: &User, has_otp: bool) -> Map<String, Value> {
    let mut shown = brief_user(user);
    let attributes = visible_attributes(snapshot, user);
    if !attributes.is_empty() {
        shown.insert("attributes".to_owned(), json!(attributes));
    }
    shown.insert("totp".to_owned(), json!(has_otp));
    shown.insert("disableableCredentialTypes".to_owned(), json!([]));
    shown.insert("requiredActions".to_owned(), json!(user.required_actions));
    shown.insert("notBefore".to_owned(), json!(user.not_before));
    shown
}

/// The attributes that the profile lets administrators see, and why a user is disabled.
fn visible_attributes<'a>(snapshot: &RealmSnapshot, user: &'a User) -> BTreeMap<&'a String, &'a Vec<String>> {
    let profile = snapshot.realm.user_profile.as_ref();
    let shows_all = user_profile::shows_unmanaged(profile);
    let is_shown = |name: &str| shows_all || name == DISABLED_REASON || user_profile::names(profile, name);
    user.attributes.iter().filter(|(name, _)| is_shown(name)).collect()
}

/// The attributes that the profile does not name.
pub(crate) fn unmanaged_attributes(snapshot: &RealmSnapshot, user: &User) -> Value {
    let profile = snapshot.realm.user_profile.as_ref();
    let attributes = visible_attributes(snapshot, user);
    let unmanaged: HashMap<_, _> = attributes.into_iter().filter(|(name, _)| !user_profile::names(profile, name)).collect();
    json!(unmanaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_as_it_was_shown_can_be_put_back() {
        let shown = r#"{"id":"1","username":"alice","access":{"manage":true},"createdTimestamp":1,"totp":false,"notBefore":0,
            "disableableCredentialTypes":[],"requiredActions":[],"attributes":{"a":["1",null],"b":"2","c":null}}"#;
        let change = serde_json::from_str::<UserRepresentation>(shown).unwrap().to_change();
        assert_eq!(change.username.as_deref(), Some("alice"));
        let attributes = change.attributes.unwrap();
        assert_eq!((attributes["a"].join(","), attributes["b"].join(","), attributes["c"].len()), ("1".into(), "2".into(), 0));
    }

    #[test]
    fn an_unknown_field_is_named() {
        let error = serde_json::from_str::<UserRepresentation>(r#"{"username":"x","nosuchfield":1}"#).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `nosuchfield`"), "{error}");
    }
}
