//! The cookies that a browser is given: names, lifetimes, attributes.

pub(crate) const AUTH_SESSION_ID: &str = "AUTH_SESSION_ID";
pub(crate) const IDENTITY: &str = "KEYCLOAK_IDENTITY";
pub(crate) const REMEMBER_ME: &str = "KEYCLOAK_REMEMBER_ME";
