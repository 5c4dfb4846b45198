//! What is asked at the token endpoint (RFC 6749 §4, §6): a closed set of grants.

use super::error::{OAuthError, OAuthErrorCode};
use super::form::Parameters;
use crate::base::Secret;

/// The grants that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    Password,
    ClientCredentials,
}

impl GrantType {
    pub const ALL: [Self; 4] = [Self::AuthorizationCode, Self::RefreshToken, Self::Password, Self::ClientCredentials];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::Password => "password",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant that a form asks for. It is read before the client is: a request without one is answered alike to everybody.
    pub fn of(form: &Parameters) -> Result<Self, OAuthError> {
        let name = form.get("grant_type").ok_or(OAuthError::invalid_request("Missing form parameter: grant_type"))?;
        let known = Self::ALL.into_iter().find(|g| g.as_str() == name);
        known.ok_or(OAuthError::new(400, OAuthErrorCode::UnsupportedGrantType, "Unsupported grant_type"))
    }
}

#[derive(Clone, Debug)]
pub struct CodeExchange {
    pub code: String,
    pub redirect_uri: Option<String>,
    pub verifier: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Refresh {
    pub token: String,
    pub scope: Option<String>,
}

#[derive(Clone, Debug)]
pub struct PasswordLogin {
    pub username: String,
    /// None where the parameter is missing: answered as a wrong one.
    pub password: Option<Secret>,
    /// Of who has a device for one-time codes.
    pub code: Option<Secret>,
    pub scope: Option<String>,
}

impl CodeExchange {
    pub fn parse(form: &Parameters) -> Result<Self, OAuthError> {
        let owned = |name: &str| form.get(name).map(str::to_owned);
        let code = owned("code").ok_or(OAuthError::invalid_request("Missing parameter: code"))?;
        Ok(Self { code, redirect_uri: form.filled("redirect_uri").map(str::to_owned), verifier: owned("code_verifier") })
    }
}

impl Refresh {
    pub fn parse(form: &Parameters) -> Result<Self, OAuthError> {
        let token = form.get("refresh_token").ok_or(OAuthError::invalid_request("No refresh token"))?;
        Ok(Self { token: token.to_owned(), scope: form.get("scope").map(str::to_owned) })
    }
}

impl PasswordLogin {
    pub fn parse(form: &Parameters) -> Result<Self, OAuthError> {
        let missing = || OAuthError::new(401, OAuthErrorCode::InvalidRequest, "Missing parameter: username");
        let username = form.get("username").ok_or_else(missing)?;
        Ok(Self {
            username: username.to_owned(),
            password: form.get("password").map(Secret::new),
            code: form.filled("totp").or(form.filled("otp")).map(Secret::new),
            scope: form.get("scope").map(str::to_owned),
        })
    }
}
