//! The realm's policies for clients that register themselves, and what of the request they have to be told.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::bearer::Bearer;
use super::refusal::forbidden;
use crate::flow::Cx;
use crate::flow::admin::{Refusal, client_rules};
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ComponentId};
use crate::oidc::registration_policy::{Policies, Question, Trust, is_sender, rejection};
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::{self, StoreError};

/// How long the names of trusted hosts may take to be looked up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The realm's policies for one way of registering, and which of those that ask who sends trust the sender.
pub(super) struct Asked {
    pub(super) policies: Policies,
    trusting: HashSet<ComponentId>,
}

impl Asked {
    pub(super) async fn of(cx: &Cx, trust: Trust) -> Result<Self, StoreError> {
        let policies = of_realm(cx, trust).await?;
        let mut trusting = HashSet::new();
        for (policy, hosts) in policies.trusted_senders() {
            if comes_from(&cx.origin.ip_address, &hosts).await {
                trusting.insert(policy.clone());
            }
        }
        Ok(Self { policies, trusting })
    }

    pub(super) fn web_origins(&self, bearer: &Bearer) -> Vec<String> {
        origins(&self.policies, bearer)
    }
}

/// Pages of these origins may do this with the token: those that it names, and those that the realm's policies name.
pub async fn web_origins(cx: &Cx, bearer: &Bearer) -> Result<Vec<String>, StoreError> {
    Ok(origins(&of_realm(cx, bearer.trust()).await?, bearer))
}

fn origins(policies: &Policies, bearer: &Bearer) -> Vec<String> {
    let mut origins = policies.web_origins();
    match bearer {
        Bearer::Initial { web_origins, .. } => origins.extend(web_origins.iter().cloned()),
        Bearer::Client(token) => origins.extend(token.web_origins.iter().flatten().cloned()),
        Bearer::Nobody | Bearer::Administrator(_) => {}
    }
    origins
}

async fn of_realm(cx: &Cx, trust: Trust) -> Result<Policies, StoreError> {
    let components = store::component::list_components(&mut cx.store().db().await?, &cx.snapshot().realm.id).await?;
    Ok(Policies::of(components, trust))
}

/// Whether the policies let the sender see or delete what it has the token of.
pub(super) async fn check_sender(cx: &Cx, bearer: &Bearer) -> Result<(), Refusal> {
    let asked = Asked::of(cx, bearer.trust()).await?;
    let objected = asked.policies.check_sender(&asked.trusting);
    objected.map_err(|objection| forbidden(rejection(&objection)))
}

/// A domain as a whole (`*.example.org`) says which addresses a client may have, not who sends: that would be the word of
/// whoever owns the sender's address.
async fn comes_from(sender: &str, hosts: &[&str]) -> bool {
    let Ok(sender) = sender.parse::<IpAddr>() else { return false };
    for host in hosts.iter().filter(|host| !host.starts_with("*.")) {
        if is_sender(host, sender) {
            return true;
        }
        let lookup = tokio::time::timeout(LOOKUP_TIMEOUT, tokio::net::lookup_host((*host, 0))).await;
        if let Ok(Ok(mut found)) = lookup
            && found.any(|address| address.ip().to_canonical() == sender.to_canonical())
        {
            return true;
        }
    }
    false
}

/// Whether nothing speaks against the client as it would become.
pub(super) fn check(cx: &Cx, asked: &Asked, before: Option<&Client>, client: &ClientImport) -> Result<(), Refusal> {
    let question = Question { realm: cx.snapshot(), before, trusting: &asked.trusting };
    if let Err(refusal) = client_rules::redirect_uris(&client.settings) {
        let text = refusal.to_string();
        return Err(Refusal::Protocol(OAuthError::new(400, OAuthErrorCode::InvalidRedirectUri, text)));
    }
    asked.policies.check(&question, client).map_err(|objection| forbidden(rejection(&objection)))
}
