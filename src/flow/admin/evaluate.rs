//! What a token of a client would hold for a user and a scope: tried out, with nothing opened and nothing signed.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::flow::Cx;
use crate::model::SessionKind;
use crate::model::{Client, ClientScope, RoleId, User};
use crate::oidc::access_token::{self, Envelope};
use crate::oidc::mapper::Facts;
use crate::oidc::scope::{self, GrantedScopes};
use crate::oidc::session_limits::{self, SessionEnds, Starts};
use crate::oidc::token_id::{self, GrantLetters, TokenSession};

/// Which example is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    AccessToken,
    IdToken,
    UserInfo,
}

/// The scopes that apply for these words, whoever asks for them. A word that the client does not have is passed over.
pub fn scopes<'a>(cx: &'a Cx, client: &'a Client, words: Option<&str>) -> Vec<&'a ClientScope> {
    GrantedScopes::resolve(cx.snapshot(), client, words, &every_role(cx)).requested
}

fn every_role(cx: &Cx) -> HashSet<&RoleId> {
    cx.snapshot().roles.keys().collect()
}

/// The roles that the client's tokens may hold for these words, if the user holds them.
pub fn roles<'a>(cx: &'a Cx, client: &'a Client, words: Option<&str>) -> HashSet<&'a RoleId> {
    scope::effective_roles(cx.snapshot(), client, &scopes(cx, client, words), &every_role(cx))
}

/// The claims of the example.
pub fn example(cx: &Cx, client: &Client, user: &User, words: Option<&str>, what: Example) -> Map<String, Value> {
    let held = cx.snapshot().roles_of(user);
    let granted = GrantedScopes::resolve(cx.snapshot(), client, words, &held);
    let roles = scope::effective_roles(cx.snapshot(), client, &granted.permitted, &held);
    let notes = Map::new();
    let facts = Facts {
        realm: cx.snapshot(),
        client,
        user,
        scopes: &granted.permitted,
        roles: &roles,
        notes: &notes,
        auth_time: None,
        level: 1,
        nonce: None,
    };
    if what == Example::UserInfo {
        return access_token::user_info(&facts);
    }
    let kind = if granted.asks_offline() { SessionKind::Offline } else { SessionKind::Online };
    let starts = Starts { session: cx.now, client: cx.now };
    let ends = SessionEnds::of(cx.settings(), client, kind, false, starts);
    let session_id = cx.entropy().uuid();
    let lightweight = client.uses_lightweight_access_tokens();
    let id = match what {
        Example::AccessToken => {
            token_id::access_token_id(cx.entropy(), TokenSession::of(kind), lightweight, GrantLetters::Unknown)
        }
        _ => cx.entropy().uuid(),
    };
    let envelope = Envelope {
        issuer: &cx.issuer,
        id: &id,
        issued_at: cx.now.unix_seconds(),
        expires_at: session_limits::access_token_expiry(cx.settings(), client, Some(ends), cx.now),
        session_id: Some(&session_id),
    };
    match what {
        Example::IdToken => access_token::id_claims(&facts, &envelope, None),
        _ => access_token::access_claims(&facts, &envelope, &granted.token_scope(), "Bearer"),
    }
}
