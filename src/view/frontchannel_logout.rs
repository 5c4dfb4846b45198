//! The page that tells clients of a logout through the user's browser (OpenID Connect Front-Channel Logout 1.0 §3).
//!
//! It loads each client's logout address in a hidden frame and goes on when all have loaded, or after five seconds; without
//! JavaScript by a link. The policy has to allow the clients' origins as `frame-src`.

use serde::Serialize;

use super::Page;

/// The clients that are told, and where the user goes then.
#[derive(Clone, Debug, Serialize)]
pub struct FrontchannelLogout {
    pub clients: Vec<FrontchannelClient>,
    pub continue_url: Option<String>,
}

/// One client with its logout address, `iss` and `sid` included where it wants them.
#[derive(Clone, Debug, Serialize)]
pub struct FrontchannelClient {
    /// May be a key of the message files.
    pub name: String,
    pub url: String,
}

impl Page for FrontchannelLogout {
    const TEMPLATE: &'static str = "login/frontchannel-logout.html";

    fn sample() -> Self {
        let client = |name: &str, url: &str| FrontchannelClient { name: name.into(), url: url.into() };
        Self {
            clients: vec![
                client("Mail Reader", "https://client.example/front?iss=x&sid=y"),
                client("${client_account-console}", "https://other.example/front"),
            ],
            continue_url: Some("https://client.example/bye?state=x".into()),
        }
    }
}
