//! Who the client of a request is (RFC 6749 §2.3): by its secret, or by an assertion that it signed (RFC 7523).
//!
//! A client proves itself by the kind of authentication that it is set to, and by no other. Order and words are Keycloak's, whose
//! authenticators are asked one after the other; a client that none of them identifies is told no more than that.

use std::sync::Arc;

use super::client_key;
use super::context::Cx;
use crate::jose::{self, Header, Key};
use crate::model::Client;
use crate::oidc::client_assertion::{self as assertion, Kind, Sent};
use crate::oidc::client_authentication::{self, Presented};
use crate::oidc::form::Parameters;
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::{self, StoreError};

/// What one request presents. An assertion that it has used up is its own, however often the request is decided anew.
#[derive(Debug)]
pub struct Proof {
    presented: Option<Presented>,
    /// Whether a header or form brings a secret, or anything in its place.
    has_secret: bool,
    sent: Sent,
    is_used: bool,
}

/// Why the client is not believed.
#[derive(Debug)]
pub struct Rejected {
    pub error: OAuthError,
    /// Whether it is known who the request speaks of.
    pub names_client: bool,
}

impl Proof {
    pub fn read(authorization: Option<&str>, form: &Parameters) -> Self {
        let presented = client_authentication::read(authorization, form);
        let has_secret = presented.as_ref().is_some_and(|p| p.secret.is_some()) || form.get("client_secret").is_some();
        // A request that contradicts itself names nobody, whatever else it brings (CVE-2026-118669).
        let is_confused = presented.is_none() && form.get("client_id").is_some();
        let sent = if is_confused { Sent::default() } else { Sent::read(form) };
        Self { presented, has_secret, sent, is_used: false }
    }

    /// The `client_id` that the request claims to be of.
    pub fn claimed(&self) -> Option<String> {
        self.presented.as_ref().map(|p| p.client_id.clone()).or_else(|| self.issuer())
    }

    fn issuer(&self) -> Option<String> {
        let (_, claims) = jose::peek(self.sent.assertion().ok()?)?;
        assertion::client_of(&claims).ok().map(str::to_owned)
    }
}

/// The client that the request proves to be of.
pub async fn authenticate(cx: &Cx, proof: &mut Proof) -> Result<Result<Arc<Client>, Rejected>, StoreError> {
    let unknown = || Ok(Err(Rejected { error: OAuthError::invalid_client(), names_client: false }));
    let Some(claimed) = proof.claimed() else { return unknown() };
    let Some(client) = cx.snapshot().client(&claimed) else { return unknown() };
    let rejected = |error: OAuthError| Ok(Err(Rejected { error, names_client: true }));
    if !client.enabled {
        return rejected(OAuthError::invalid_client());
    }
    let kind = Kind::of(client).filter(|_| !client.settings.public_client);
    let Some(kind) = kind else {
        let Some(presented) = &proof.presented else { return unknown() };
        return match client_authentication::verify(client, presented) {
            Ok(()) => Ok(Ok(Arc::clone(client))),
            Err(error) => rejected(error),
        };
    };
    // RFC 6749 §2.3: one method in each request (CVE-2026-16093).
    if proof.has_secret && proof.sent.assertion.is_some() {
        return rejected(OAuthError::invalid_request("Only one kind of client authentication may be used in a request"));
    }
    match check(cx, client, kind, proof).await? {
        Ok(()) => Ok(Ok(Arc::clone(client))),
        Err(error) => rejected(error),
    }
}

fn refusal(text: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(400, OAuthErrorCode::InvalidClient, text)
}

/// Whether the assertion is the client's, for this server, of this hour, and not used before: in Keycloak's order.
async fn check(cx: &Cx, client: &Client, kind: Kind, proof: &mut Proof) -> Result<Result<(), OAuthError>, StoreError> {
    let token = match proof.sent.assertion() {
        Ok(token) => token,
        Err(text) => return Ok(Err(refusal(text))),
    };
    let Some((header, claims)) = jose::peek(token) else { return Ok(Err(refusal("Invalid client assertion"))) };
    match assertion::client_of(&claims) {
        Ok(issuer) if issuer == client.client_id.as_str() => {}
        Ok(_) => return Ok(Err(refusal("client_id parameter does not match sub claim"))),
        Err(text) => return Ok(Err(refusal(text))),
    }
    if !allows(client, kind, &header) {
        return Ok(Err(refusal("Invalid signature algorithm")));
    }
    if let Err(error) = check_signature(cx, client, kind, &header, token).await {
        return Ok(Err(error));
    }
    let checked = assertion::check_audience(&claims, &cx.issuer).and_then(|()| assertion::check_time(&claims, client, cx.now));
    let used = match checked {
        Ok(used) => used,
        Err(text) => return Ok(Err(refusal(text))),
    };
    if !proof.is_used {
        let mut db = cx.store().db().await?;
        let realm = &cx.snapshot().realm.id;
        if !store::used_assertion::use_once(&mut db, realm, &client.uuid, &used.jti, used.until).await? {
            return Ok(Err(refusal("Token reuse detected")));
        }
        proof.is_used = true;
    }
    Ok(Ok(()))
}

/// The client's own algorithm where it has one, and of the kind that it is set to in any case: a secret signs nothing where a key
/// is asked for, nor the other way round.
fn allows(client: &Client, kind: Kind, header: &Header) -> bool {
    let chosen = client.attribute("token.endpoint.auth.signing.alg");
    header.algorithm.is_symmetric() == (kind == Kind::Secret) && chosen.is_none_or(|name| name == header.algorithm.as_str())
}

async fn check_signature(cx: &Cx, client: &Client, kind: Kind, header: &Header, token: &str) -> Result<(), OAuthError> {
    let signed_by = |key: &Key| jose::verify(token, |_| Some(key)).is_ok();
    match kind {
        Kind::PrivateKey => {
            let keys = client_key::candidates(cx, client, header.kid.as_deref(), header.algorithm).await;
            if keys.is_empty() {
                return Err(refusal("Unable to load public key"));
            }
            let text = "Client authentication with signed JWT failed: Signature on JWT token failed validation";
            if keys.iter().any(signed_by) { Ok(()) } else { Err(refusal(text)) }
        }
        Kind::Secret => {
            let secret = client.secret.as_ref().filter(|secret| !secret.expose().is_empty());
            let key = secret.and_then(|s| Key::from_secret("", header.algorithm, s.expose().as_bytes()).ok());
            // Two blanks, as in Keycloak.
            let text = "Client authentication with client secret signed JWT failed: \
                        Signature on JWT token by client secret  failed validation";
            let wrong = OAuthError::new(400, OAuthErrorCode::UnauthorizedClient, text);
            if key.as_ref().is_some_and(signed_by) { Ok(()) } else { Err(wrong) }
        }
    }
}
