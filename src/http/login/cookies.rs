//! The cookies that a browser is given: names, lifetimes, attributes.
//!
//! All are for this realm's paths only. They are sent with requests from other sites, because clients redirect from there and
//! adapters frame pages, and over TLS only; browsers make an exception for localhost.

use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::base::{sha256, sha384};
use crate::flow::browser::Keep;

pub(crate) const AUTH_SESSION_ID: &str = "AUTH_SESSION_ID";
/// Lets a page notice that another tab has finished the sign-in.
const AUTH_SESSION_HASH: &str = "KC_AUTH_SESSION_HASH";
/// There while a sign-in goes on; adapters and tests look for it.
const RESTART: &str = "KC_RESTART";
pub(crate) const IDENTITY: &str = "KEYCLOAK_IDENTITY";
/// What the session iframe compares: the SHA-384 of the session's id.
const SESSION: &str = "KEYCLOAK_SESSION";
pub(crate) const REMEMBER_ME: &str = "KEYCLOAK_REMEMBER_ME";

/// A year, in seconds.
const REMEMBER_NAME_FOR: i64 = 31_536_000;
const HASH_LIVES: i64 = 60;

/// Builds `Set-Cookie` values for the paths of one realm.
pub(super) struct Jar {
    /// `/realms/demo/`, with the server's relative path before it.
    pub path: String,
}

#[derive(Clone, Copy)]
enum Life {
    Browser,
    Seconds(i64),
}

impl Jar {
    /// The cookies of what the browser is told.
    pub(super) fn of(&self, keep: &Keep) -> Vec<HeaderValue> {
        let cookies = match keep {
            Keep::Tabs(handle) => vec![
                self.hidden(AUTH_SESSION_ID, handle, Life::Browser),
                self.open(AUTH_SESSION_HASH, &encode(&sha256(handle.as_bytes())), Life::Seconds(HASH_LIVES)),
                self.hidden(RESTART, "1", Life::Browser),
            ],
            Keep::SignedIn { identity, session, remember_for, username } => {
                let life = remember_for.map_or(Life::Browser, Life::Seconds);
                let mut cookies = vec![
                    self.hidden(IDENTITY, identity, life),
                    self.open(SESSION, &encode(&sha384(session.as_str().as_bytes())), life),
                    self.gone(RESTART),
                ];
                if remember_for.is_some() {
                    let name = utf8_percent_encode(username, NON_ALPHANUMERIC);
                    let value = format!("username:{name}");
                    cookies.push(self.hidden(REMEMBER_ME, &value, Life::Seconds(REMEMBER_NAME_FOR)));
                }
                cookies
            }
            Keep::ForgetName => vec![self.gone(REMEMBER_ME)],
            Keep::SignedOut => {
                [AUTH_SESSION_ID, AUTH_SESSION_HASH, RESTART, IDENTITY, SESSION].into_iter().map(|n| self.gone(n)).collect()
            }
        };
        // Names and values are made of characters that a header can hold.
        cookies.iter().filter_map(|c| HeaderValue::from_str(c).ok()).collect()
    }

    /// A cookie that scripts do not see.
    fn hidden(&self, name: &str, value: &str, life: Life) -> String {
        format!("{};HttpOnly", self.open(name, value, life))
    }

    fn open(&self, name: &str, value: &str, life: Life) -> String {
        let max_age = match life {
            Life::Browser => String::new(),
            Life::Seconds(seconds) => format!(";Max-Age={seconds}"),
        };
        format!("{name}={value};Path={}{max_age};Secure;SameSite=None", self.path)
    }

    fn gone(&self, name: &str) -> String {
        format!("{name}=;Path={};Max-Age=0;Secure;SameSite=None", self.path)
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
