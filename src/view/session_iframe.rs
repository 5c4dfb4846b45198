//! The frame in which a browser client watches whether its user is still signed in (OpenID Connect Session Management 1.0
//! §3.2, as keycloak-js speaks it).
//!
//! The client posts `{client id} {session id}` and hears `unchanged`, `changed` or `error`. Once per frame the script asks
//! `{its own address}/init?client_id=&origin=` whether the client may know; then it compares the SHA-384 of the session id with
//! the cookie `KEYCLOAK_SESSION`. The policy needs `connect-src 'self'` besides the script.

use super::AdapterPage;

/// `…/protocol/openid-connect/login-status-iframe.html`
pub const SESSION_IFRAME: AdapterPage = AdapterPage::new(include_str!("../../templates/adapter/login-status-iframe.html"));
