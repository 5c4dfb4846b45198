//! RP-initiated logout: where a client may send the browser afterwards (OpenID Connect RP-Initiated Logout §3).

use super::redirect_uri;
use super::response_mode::{Response, ResponseMode};
use crate::model::Client;

/// Whether the target is registered; `server` is this server's own address. The client's `post.logout.redirect.uris` holds patterns separated by `##`; absent, empty
/// or `+` stand for its redirect URIs, `-` for none.
pub fn allows_target(client: &Client, target: &str, server: &str) -> bool {
    let setting = client.attribute("post.logout.redirect.uris").unwrap_or("+");
    let mut registered = Vec::new();
    for entry in setting.split("##") {
        match entry {
            "-" => {}
            "+" => registered.extend(client.settings.redirect_uris.iter().cloned()),
            other => registered.push(other.to_owned()),
        }
    }
    redirect_uri::matches(target, &registered, &client.root_url(server))
}

/// The target with the client's `state`.
pub fn target_with_state(target: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return target.to_owned() };
    let fields = vec![("state", state.to_owned())];
    Response { redirect_uri: target.to_owned(), mode: ResponseMode::Query, fields }.location()
}
