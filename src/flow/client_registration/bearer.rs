//! Who asks to register or change a client, and whether he may.

use std::collections::HashSet;

use super::refusal::{forbidden, invalid_token};
use crate::flow::admin::Refusal;
use crate::flow::{Cx, keys};
use crate::model::{Client, InitialAccessId};
use crate::oidc::registration_policy::Trust;
use crate::oidc::registration_token::{self, Kind, RegistrationToken};
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::StoreError;

pub(super) const VIEW: &[&str] = &["view-clients", "manage-clients"];
pub(super) const MANAGE: &[&str] = &["manage-clients"];
pub(super) const CREATE: &[&str] = &["create-client", "manage-clients"];
pub(super) const NOT_TO_VIEW: &str = "Not authorized to view client. Not valid token or client credentials provided.";
pub(super) const NOT_TO_UPDATE: &str = "Not authorized to update client. Maybe missing token or bad token type.";

/// Who asks.
#[derive(Clone, Debug)]
pub enum Bearer {
    Nobody,
    /// By the names of the administrative roles that the token lets through.
    Administrator(HashSet<String>),
    Initial {
        id: InitialAccessId,
        web_origins: Vec<String>,
    },
    Client(RegistrationToken),
}

impl Bearer {
    pub(super) fn trust(&self) -> Trust {
        match self {
            Self::Nobody => Trust::Anonymous,
            Self::Administrator(_) | Self::Initial { .. } => Trust::Authenticated,
            Self::Client(token) => token.trust,
        }
    }

    /// Who makes a client with the token of another brings nothing for this one.
    pub(super) fn for_a_new_client(&self) -> Self {
        if matches!(self, Self::Client(_)) { Self::Nobody } else { self.clone() }
    }

    pub(super) fn has_any_of(&self, roles: &[&str]) -> bool {
        matches!(self, Self::Administrator(held) if roles.iter().any(|role| held.contains(*role)))
    }

    /// The token that a client brings for itself.
    pub(super) fn own_token(&self) -> Option<&RegistrationToken> {
        if let Self::Client(token) = self { Some(token) } else { None }
    }
}

/// What a bearer token is; `None` if it is none of this realm, or has expired. What only this server reads is signed with the one
/// key that is for that.
pub async fn kind_of(cx: &Cx, token: &str) -> Result<Option<Kind>, StoreError> {
    let Some((cx, claims)) = keys::claims_of_any_node(cx, token).await? else { return Ok(None) };
    let kind = registration_token::read(&claims, &cx.issuer, cx.now);
    let is_internal = matches!(kind, Some(Kind::Initial { .. } | Kind::Registration(_)));
    if is_internal && keys::verified_internal_claims(&cx, token).is_none() {
        return Ok(None);
    }
    Ok(kind)
}

/// The client, if the bearer may do this with it. A token of a client is good for that client, while it is the newest and the
/// client enabled (CVE-2026-9705).
pub(super) fn admitted<'a>(
    cx: &'a Cx,
    bearer: &Bearer,
    id: &str,
    roles: &[&str],
    refusal: &'static str,
) -> Result<&'a Client, Refusal> {
    let found = cx.snapshot().client(id).map(AsRef::as_ref);
    match bearer {
        Bearer::Administrator(_) if !bearer.has_any_of(roles) => Err(forbidden("Forbidden")),
        Bearer::Administrator(_) => {
            let gone = OAuthError::new(404, OAuthErrorCode::InvalidRequest, "Client not found");
            found.ok_or(Refusal::Protocol(gone))
        }
        Bearer::Initial { .. } => Err(invalid_token("Not initial access token allowed")),
        Bearer::Client(token) => found
            .filter(|client: &&Client| client.enabled && client.registration_token.as_deref() == Some(token.id.as_str()))
            .ok_or_else(|| invalid_token(refusal)),
        Bearer::Nobody => Err(invalid_token(refusal)),
    }
}
