//! Users and groups as a realm's file describes them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::lenient::{Flag, Hidden, Ignored, Names, Number, Text, lists, text, texts};
use super::role::role_refs;
use crate::base::{Entropy, Secret, Timestamp};
use crate::model::credential::{Credential, PASSWORD};
use crate::model::realm_import::{ConsentImport, GroupImport, PasswordImport, UserImport};
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{CredentialId, GroupId, UserId};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ImportedUser {
    id: Option<Text>,
    username: Option<Text>,
    email: Option<Text>,
    email_verified: Option<Flag>,
    first_name: Option<Text>,
    last_name: Option<Text>,
    enabled: Option<Flag>,
    not_before: Option<Number>,
    attributes: Option<BTreeMap<String, OneOrMany>>,
    required_actions: Option<Vec<Text>>,
    created_timestamp: Option<i64>,
    service_account_client_id: Option<Text>,
    federated_identities: Option<Vec<ImportedLink>>,
    realm_roles: Option<Vec<Text>>,
    client_roles: Option<BTreeMap<String, Vec<Text>>>,
    groups: Option<Vec<Text>>,
    credentials: Option<Vec<ImportedCredential>>,
    client_consents: Option<Vec<ImportedConsent>>,
    #[serde(flatten)]
    ignored: Ignored<UserFields>,
}

#[derive(Clone, Debug)]
struct UserFields;

impl Names for UserFields {
    const NAMES: &'static [&'static str] =
        &["applicationRoles", "federationLink", "issuedVerifiableCredentials", "socialLinks", "verifiableCredentials"];
    const DERIVED: &'static [&'static str] =
        &["access", "disableableCredentialTypes", "origin", "self", "totp", "userProfileMetadata"];
}

/// Who the user is at an identity provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ImportedLink {
    identity_provider: Option<Text>,
    user_id: Option<Text>,
    user_name: Option<Text>,
}

impl ImportedLink {
    fn kept(&self) -> Value {
        let said = |text: &Option<Text>| text.as_ref().map_or("", |text| text.0.as_str()).to_owned();
        json!({"identityProvider": said(&self.identity_provider), "userId": said(&self.user_id), "userName": said(&self.user_name)})
    }
}

/// Old files have a single text where a list is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Text>),
    One(Text),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ImportedConsent {
    client_id: Option<Text>,
    granted_client_scopes: Option<Vec<Text>>,
    created_date: Option<i64>,
    last_updated_date: Option<i64>,
    #[serde(flatten)]
    ignored: Ignored<ConsentFields>,
}

#[derive(Clone, Debug)]
struct ConsentFields;

impl Names for ConsentFields {
    const NAMES: &'static [&'static str] = &["grantedRealmRoles"];
    const DERIVED: &'static [&'static str] = &["additionalGrants"];
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ImportedCredential {
    id: Option<Text>,
    #[serde(rename = "type")]
    kind: Option<Text>,
    user_label: Option<Text>,
    created_date: Option<i64>,
    value: Option<Hidden>,
    temporary: Option<Flag>,
    secret_data: Option<Hidden>,
    credential_data: Option<Text>,
    priority: Option<i32>,
    #[serde(flatten)]
    ignored: Ignored<CredentialFields>,
}

#[derive(Clone, Debug)]
struct CredentialFields;

impl Names for CredentialFields {
    const NAMES: &'static [&'static str] = &[
        "algorithm",
        "config",
        "counter",
        "device",
        "digits",
        "federationLink",
        "hashIterations",
        "hashedSaltedValue",
        "period",
        "salt",
    ];
}

impl ImportedCredential {
    /// Whether a credential comes of it: a password in the clear, or one as it was stored.
    fn is_read(&self) -> bool {
        match (&self.secret_data, &self.credential_data) {
            (Some(_), Some(data)) => serde_json::from_str::<Value>(&data.0).is_ok(),
            _ => self.value.is_some() && self.kind.as_ref().is_none_or(|kind| kind.0 == PASSWORD),
        }
    }

    fn to_import(&self, now: Timestamp, entropy: &Entropy) -> Option<PasswordImport> {
        let kind = text(self.kind.as_ref()).unwrap_or_else(|| PASSWORD.to_owned());
        if let (Some(Hidden(secret_data)), Some(data)) = (&self.secret_data, &self.credential_data) {
            return Some(PasswordImport::Stored(Credential {
                id: CredentialId::new(text(self.id.as_ref()).unwrap_or_else(|| entropy.uuid())),
                kind,
                user_label: text(self.user_label.as_ref()),
                created_at: self.created_date.map_or(now, Timestamp::from_unix_millis),
                secret_data: secret_data.clone(),
                credential_data: serde_json::from_str(&data.0).unwrap_or_else(|_| json!({})),
                priority: self.priority.unwrap_or(10),
                last_step: None,
            }));
        }
        let clear = self.value.as_ref().filter(|_| kind == PASSWORD)?;
        Some(PasswordImport::Clear(Secret::new(clear.0.expose())))
    }
}

impl ImportedUser {
    /// What of the user is lost.
    pub(super) fn report(&self, report: &mut Vec<String>) {
        let path = format!("users.{}", text(self.username.as_ref()).unwrap_or_default());
        self.ignored.report(&path, report);
        for credential in self.credentials.iter().flatten() {
            let kind = text(credential.kind.as_ref()).unwrap_or_else(|| PASSWORD.to_owned());
            let path = format!("{path}.credentials.{kind}");
            credential.ignored.report(&path, report);
            if !credential.is_read() {
                report.push(path);
            }
        }
        for consent in self.client_consents.iter().flatten() {
            consent.ignored.report(&format!("{path}.clientConsents"), report);
        }
    }

    pub(crate) fn to_import(&self, now: Timestamp, entropy: &Entropy) -> UserImport {
        let credentials = self.credentials.as_deref().unwrap_or_default();
        let mut required_actions = self.required_actions.as_deref().map(texts).unwrap_or_default();
        let temporary = credentials.iter().any(|c| c.temporary == Some(Flag(true)));
        if temporary && !required_actions.iter().any(|a| a == UPDATE_PASSWORD) {
            required_actions.push(UPDATE_PASSWORD.to_owned());
        }
        let attributes = self.attributes.iter().flatten().map(|(name, values)| match values {
            OneOrMany::Many(values) => (name.clone(), values.clone()),
            OneOrMany::One(value) => (name.clone(), vec![value.clone()]),
        });
        UserImport {
            id: text(self.id.as_ref()).map(UserId::new),
            username: text(self.username.as_ref()).unwrap_or_default(),
            email: text(self.email.as_ref()).filter(|e| !e.is_empty()),
            email_verified: self.email_verified.is_some_and(|f| f.0),
            first_name: text(self.first_name.as_ref()),
            last_name: text(self.last_name.as_ref()),
            enabled: self.enabled.is_some_and(|f| f.0),
            not_before: self.not_before.map_or(0, |n| n.0),
            attributes: lists(&attributes.collect()),
            required_actions,
            created_at: self.created_timestamp.map(Timestamp::from_unix_millis),
            service_account_of: text(self.service_account_client_id.as_ref()),
            federated_identities: self.federated_identities.iter().flatten().map(ImportedLink::kept).collect(),
            roles: role_refs(self.realm_roles.as_deref(), self.client_roles.as_ref()),
            groups: self.groups.as_deref().map(texts).unwrap_or_default(),
            passwords: credentials.iter().filter_map(|c| c.to_import(now, entropy)).collect(),
            consents: self.client_consents.iter().flatten().map(consent).collect(),
        }
    }
}

fn consent(given: &ImportedConsent) -> ConsentImport {
    ConsentImport {
        client: text(given.client_id.as_ref()).unwrap_or_default(),
        scopes: given.granted_client_scopes.as_deref().map(texts).unwrap_or_default(),
        created_at: given.created_date.map(Timestamp::from_unix_millis),
        updated_at: given.last_updated_date.map(Timestamp::from_unix_millis),
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ImportedGroup {
    id: Option<Text>,
    name: Option<Text>,
    description: Option<Text>,
    attributes: Option<BTreeMap<String, Vec<Text>>>,
    realm_roles: Option<Vec<Text>>,
    client_roles: Option<BTreeMap<String, Vec<Text>>>,
    sub_groups: Option<Vec<ImportedGroup>>,
    /// Looked at where groups are added to those of a realm.
    pub(super) path: Option<Text>,
    #[serde(flatten)]
    _ignored: Ignored<GroupFields>,
}

#[derive(Clone, Debug)]
struct GroupFields;

impl Names for GroupFields {
    const NAMES: &'static [&'static str] = &[];
    const DERIVED: &'static [&'static str] = &["access", "parentId", "subGroupCount"];
}

impl ImportedGroup {
    pub(crate) fn to_import(&self) -> GroupImport {
        GroupImport {
            id: text(self.id.as_ref()).map(GroupId::new),
            name: text(self.name.as_ref()).unwrap_or_default(),
            description: text(self.description.as_ref()),
            attributes: self.attributes.as_ref().map(lists).unwrap_or_default(),
            roles: role_refs(self.realm_roles.as_deref(), self.client_roles.as_ref()),
            groups: self.sub_groups.iter().flatten().map(Self::to_import).collect(),
        }
    }
}
