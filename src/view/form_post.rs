//! The page that carries an authorization response to the client as a form (OAuth 2.0 Form Post Response Mode §2).
//!
//! A static script sends it at once; without JavaScript the user presses the button. The policy has to allow the redirect URI's
//! origin as `form-action`.

use serde::Serialize;

use super::Page;

/// The response's parameters in their order, and where they go.
#[derive(Clone, Debug, Serialize)]
pub struct FormPost {
    pub redirect_uri: String,
    pub fields: Vec<(String, String)>,
}

impl Page for FormPost {
    const TEMPLATE: &'static str = "login/form-post.html";

    fn sample() -> Self {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Self {
            redirect_uri: "https://client.example/cb".into(),
            fields: vec![
                field("state", "a b&c=d/é\"<>"),
                field("code", "c0de"),
                field("iss", "https://id.example/realms/sample"),
            ],
        }
    }
}
