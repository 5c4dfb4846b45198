//! How a browser comes into the Account Console: by the ordinary authorization code flow, as the client `account-console`.
//!
//! The browser's session with this server is the console's session: nothing is kept beside it, and signing out ends both. The
//! flow makes sure that everything that a sign-in asks of a user has been done.

use std::sync::Arc;

use crate::base::{constant_time_eq, sha256};
use crate::flow::browser::Browser;
use crate::flow::context::Cx;
use crate::flow::grant::{self, authorization_code};
use crate::flow::keys;
use crate::flow::pending;
use crate::flow::session_lookup::ATTEMPTS;
use crate::flow::signed_in::{self, SignedIn};
use crate::model::Client;
use crate::oidc::admission::{self, Subject};
use crate::oidc::scope::{self, GrantedScopes};
use crate::oidc::token_request::{CodeExchange, GrantType};
use crate::store::StoreError;

const CONSOLE: &str = "account-console";
const ACCOUNT: &str = "account";

/// What the browser keeps while it signs in; each value is random.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    pub state: String,
    pub verifier: String,
}

/// The client of the console, if the realm has it switched on.
pub fn client(cx: &Cx) -> Option<&Arc<Client>> {
    cx.snapshot().client(CONSOLE).filter(|c| c.enabled)
}

/// What a browser that wants to see the console gets.
#[derive(Debug)]
pub enum Visit {
    /// The user is signed in, and may use the console as any other client.
    Welcome(Box<SignedIn>),
    /// It has to sign in first, or to do there what a sign-in asks for.
    SignIn,
    /// The realm or the console is switched off.
    Closed(&'static str),
}

pub async fn visit(cx: &Cx, browser: &Browser) -> Result<Visit, StoreError> {
    if !cx.snapshot().realm.enabled {
        return Ok(Visit::Closed("realmNotEnabledMessage"));
    }
    let Some(console) = client(cx) else { return Ok(Visit::Closed("clientDisabledMessage")) };
    let found = signed_in::signed_in(cx, browser).await?;
    let Some(present) = found.filter(|present| pending::next(cx, &present.user, &[]).is_none()) else { return Ok(Visit::SignIn) };
    let since = present.session.auth_time.unwrap_or_else(|| present.session.started_at.unix_seconds());
    let subject = Subject {
        realm: cx.snapshot(),
        client: console,
        user: &present.user,
        issued_at: Some(since),
        offline: false,
        scope: None,
    };
    Ok(if admission::admit(&subject).is_ok() { Visit::Welcome(Box::new(present)) } else { Visit::SignIn })
}

/// Whether the user holds one of these roles of the client `account`, and the console's scope lets it through.
pub fn may(cx: &Cx, present: &SignedIn, any_of: &[&str]) -> bool {
    let snapshot = cx.snapshot();
    let (Some(console), Some(account)) = (client(cx), snapshot.client(ACCOUNT)) else { return false };
    let held = snapshot.roles_of(&present.user);
    let scopes = GrantedScopes::resolve(snapshot, console, None, &held);
    let effective = scope::effective_roles(snapshot, console, &scopes.permitted, &held);
    any_of.iter().any(|name| snapshot.client_role(&account.uuid, name).is_some_and(|role| effective.contains(&role.id)))
}

/// Begins a sign-in that comes back to `redirect_uri`: where the browser goes, and what it keeps.
pub fn begin(cx: &Cx, redirect_uri: &str) -> (String, SignIn) {
    let kept = SignIn { state: cx.entropy().token::<16>(), verifier: cx.entropy().token::<32>() };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("client_id", CONSOLE)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("response_type", "code")
        .append_pair("scope", "openid")
        .append_pair("state", &kept.state)
        .append_pair("code_challenge", &base64url(&sha256(kept.verifier.as_bytes())))
        .append_pair("code_challenge_method", "S256");
    (format!("{}/protocol/openid-connect/auth?{}", cx.issuer, query.finish()), kept)
}

/// Ends a sign-in with the code that came back. False if it does not belong to what this browser keeps, or is not good.
pub async fn finish(cx: &Cx, kept: &SignIn, state: &str, code: &str, redirect_uri: &str) -> Result<bool, StoreError> {
    if !constant_time_eq(kept.state.as_bytes(), state.as_bytes()) {
        return Ok(false);
    }
    let exchange = CodeExchange {
        code: code.to_owned(),
        redirect_uri: Some(redirect_uri.to_owned()),
        verifier: Some(kept.verifier.clone()),
    };
    let mut cx = cx.clone();
    for attempted in 1..=ATTEMPTS {
        let _held = cx.hold_if(attempted == ATTEMPTS).await?;
        if attempted > 1 {
            match cx.refreshed().await? {
                Some(fresh) => cx = fresh,
                None => return Ok(false),
            }
        }
        let Some(console) = client(&cx).map(Arc::clone) else { return Ok(false) };
        // A key is written to the realm: not while it is held, for that would wait for itself.
        let is_ready = match attempted {
            ATTEMPTS => keys::can_sign_for(&cx, &console),
            _ => keys::provide(&cx, &console).await? == keys::Provided::WasThere,
        };
        if is_ready && let Some(outcome) = authorization_code::run(&cx, &console, &exchange).await? {
            grant::record(&cx, GrantType::AuthorizationCode, &console, &outcome).await?;
            return Ok(outcome.is_ok());
        }
    }
    Err(StoreError::Busy)
}

/// What goes with every form of the console: it follows from the secret in the browser's cookie, which other sites do not know.
pub fn form_token(browser: &Browser) -> String {
    let secret = browser.identity.as_deref().unwrap_or_default();
    base64url(&sha256(format!("account console form|{secret}").as_bytes()))
}

pub fn is_own_form(browser: &Browser, token: &str) -> bool {
    browser.identity.is_some() && constant_time_eq(form_token(browser).as_bytes(), token.as_bytes())
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_belongs_to_one_browser() {
        let of = |identity: Option<&str>| Browser { identity: identity.map(str::to_owned), ..Browser::default() };
        let token = form_token(&of(Some("secret")));
        assert!(is_own_form(&of(Some("secret")), &token));
        assert!(!is_own_form(&of(Some("other")), &token));
        assert!(!is_own_form(&of(None), &form_token(&of(None))), "who has no session sends no form");
    }
}
