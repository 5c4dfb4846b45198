//! Credentials as Keycloak shows them, without their secrets, and passwords as it reads them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::lenient::{Flag, Hidden, Ignored, Names, Text};
use crate::flow::admin::user_password::NewPassword;
use crate::http::extract::Representation;
use crate::model::credential::{Credential, PASSWORD};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CredentialRepresentation {
    #[serde(rename = "type")]
    pub kind: Option<Text>,
    pub value: Option<Hidden>,
    pub temporary: Option<Flag>,
    #[serde(flatten)]
    _ignored: Ignored<CredentialFields>,
}

#[derive(Clone, Debug)]
struct CredentialFields;

impl Names for CredentialFields {
    const NAMES: &'static [&'static str] = &[
        "algorithm",
        "config",
        "counter",
        "createdDate",
        "credentialData",
        "device",
        "digits",
        "federationLink",
        "hashIterations",
        "hashedSaltedValue",
        "id",
        "period",
        "priority",
        "salt",
        "secretData",
        "userLabel",
    ];
}

impl Representation for CredentialRepresentation {
    const NAME: &'static str = "CredentialRepresentation";
}

impl CredentialRepresentation {
    /// A credential without a type is a password.
    pub(crate) fn is_password(&self) -> bool {
        self.kind.as_ref().is_none_or(|k| k.0 == PASSWORD)
    }

    pub(crate) fn to_password(&self) -> NewPassword {
        NewPassword { value: self.value.as_ref().map(|v| v.0.clone()), temporary: self.temporary.is_some_and(|f| f.0) }
    }
}

pub(crate) fn credential(credential: &Credential) -> Value {
    let mut shown = Map::new();
    shown.insert("id".to_owned(), json!(credential.id));
    shown.insert("type".to_owned(), json!(credential.kind));
    if let Some(label) = &credential.user_label {
        shown.insert("userLabel".to_owned(), json!(label));
    }
    shown.insert("createdDate".to_owned(), json!(credential.created_at.unix_millis()));
    shown.insert("credentialData".to_owned(), json!(credential.credential_data.to_string()));
    Value::from(shown)
}
