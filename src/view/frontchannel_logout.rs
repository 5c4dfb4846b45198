//! "Logging out": the clients that hear of it by a frame in the browser (OpenID Connect Front-Channel Logout 1.0 §3).

use serde::Serialize;

use super::Page;

/// The browser loads the frames; the user goes on by hand, as nothing here runs.
#[derive(Clone, Debug, Serialize)]
pub struct FrontchannelLogout {
    pub clients: Vec<ToldClient>,
    /// Where the client that asked for the logout wants the user to go.
    pub target: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ToldClient {
    /// May be a key of the message files.
    pub name: String,
    pub frame: String,
}

impl Page for FrontchannelLogout {
    const TEMPLATE: &'static str = "login/frontchannel-logout.html";

    fn sample() -> Self {
        let client = |name: &str| ToldClient { name: name.into(), frame: "https://client.example/logout?sid=x".into() };
        Self { clients: vec![client("Mail Reader"), client("Calendar")], target: Some("https://client.example/bye".into()) }
    }
}
