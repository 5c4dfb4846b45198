//! The page that shows an authorization response to a user whose client has no address to be sent to
//! (`urn:ietf:wg:oauth:2.0:oob`): the code is copied by hand.

use serde::Serialize;

use super::Page;

/// Either a code, or an error with perhaps a description.
#[derive(Clone, Debug, Serialize)]
pub struct Oob {
    pub code: Option<String>,
    pub error: Option<String>,
    pub error_description: Option<String>,
}

impl Oob {
    pub fn code(code: impl Into<String>) -> Self {
        Self { code: Some(code.into()), error: None, error_description: None }
    }

    pub fn error(error: impl Into<String>, description: Option<String>) -> Self {
        Self { code: None, error: Some(error.into()), error_description: description }
    }
}

impl Page for Oob {
    const TEMPLATE: &'static str = "login/oob.html";

    fn sample() -> Self {
        Self::code("0b1f8e5c-7c1e-4b93-9d4e-0f7d2c6a5b10.tET_GYEccVGTGfJUPMslpv4O.2c6a5b10-9d4e-4b93-7c1e-0b1f8e5c0f7d")
    }
}
