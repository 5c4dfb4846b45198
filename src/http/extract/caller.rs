//! Who calls, and at which address: from the connection, and from a proxy's headers where it is trusted.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use crate::flow::Origin;
use crate::http::state::App;

/// Longer names of browsers are cut: they are only shown and logged.
const MAX_USER_AGENT: usize = 255;

#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The address that the server was called by, without a slash at the end.
    pub base: String,
    pub origin: Origin,
}

impl Caller {
    pub(crate) fn of(app: &App, parts: &Parts) -> Self {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = connection.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
        let user_agent = parts.headers.get(USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        Self {
            base: app.urls.base(&parts.headers, peer),
            origin: Origin {
                ip_address: app.urls.client_address(&parts.headers, peer).to_string(),
                user_agent: user_agent.chars().take(MAX_USER_AGENT).collect(),
            },
        }
    }

    pub(crate) fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{}", self.base, crate::http::path_segment(realm))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(Self::of(app, parts))
    }
}
