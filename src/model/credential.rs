//! A password or another means by which a user proves who they are, in Keycloak's stored form.

use serde_json::Value;

use super::CredentialId;
use crate::base::{Secret, Timestamp};

pub const PASSWORD: &str = "password";
/// A device that shows one-time codes.
pub const OTP: &str = "otp";
/// A password of before: a new one has to differ from it.
pub const PASSWORD_HISTORY: &str = "password-history";

/// One stored credential. `secret_data` and `credential_data` are Keycloak's JSON texts.
#[derive(Clone, Debug)]
pub struct Credential {
    pub id: CredentialId,
    /// `password`, `otp`, …
    pub kind: String,
    pub user_label: Option<String>,
    pub created_at: Timestamp,
    /// Password: `{"value":"<base64>","salt":"<base64>"}`.
    pub secret_data: Secret,
    /// Password: `{"hashIterations":5,"algorithm":"argon2","additionalParameters":{…}}`.
    pub credential_data: Value,
    pub priority: i32,
    /// Of a device: the step of the last code that was taken.
    pub last_step: Option<i64>,
}
