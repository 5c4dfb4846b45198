//! Clients that are registered by themselves (RFC 7591, RFC 7592; Keycloak: client registration service).
//!
//! Who registers brings nothing, an initial access token, or an administrator's access token. The client gets a registration access
//! token, by which it reads, changes and deletes itself. That token is one at a time: each change gives a new one, and the one of
//! before is worth nothing. What a client may look like say the realm's policies.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::admin::{Refusal, client as clients, client_rules, settled, write_decided};
use super::issue_tokens::sign;
use super::{Cx, event, keys};
use crate::model::event::EventKind;
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientId, InitialAccessId};
use crate::oidc::registration_policy::{Policies, Question, Trust, is_sender, rejection};
use crate::oidc::registration_token::{self, Kind, RegistrationToken};
use crate::oidc::{OAuthError, OAuthErrorCode};
use crate::store::{self, Db, StoreError};

/// How long the names of trusted hosts may take to be looked up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

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
    fn trust(&self) -> Trust {
        match self {
            Self::Nobody => Trust::Anonymous,
            Self::Administrator(_) | Self::Initial { .. } => Trust::Authenticated,
            Self::Client(token) => token.trust,
        }
    }

    /// Who makes a client with the token of another brings nothing for this one.
    fn for_a_new_client(&self) -> Self {
        if matches!(self, Self::Client(_)) { Self::Nobody } else { self.clone() }
    }

    fn has_any_of(&self, roles: &[&str]) -> bool {
        matches!(self, Self::Administrator(held) if roles.iter().any(|role| held.contains(*role)))
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

/// A client as it stands now.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The request on the realm that has the client so.
    pub cx: Cx,
    pub client: std::sync::Arc<Client>,
    /// The registration access token, for whoever holds one; an administrator gets one only with a new client.
    pub token: Option<String>,
}

const VIEW: &[&str] = &["view-clients", "manage-clients"];
const MANAGE: &[&str] = &["manage-clients"];
const CREATE: &[&str] = &["create-client", "manage-clients"];
const NOT_TO_VIEW: &str = "Not authorized to view client. Not valid token or client credentials provided.";
const NOT_TO_UPDATE: &str = "Not authorized to update client. Maybe missing token or bad token type.";

fn invalid_token(text: &'static str) -> Refusal {
    Refusal::Protocol(OAuthError::new(401, OAuthErrorCode::InvalidToken, text))
}

fn forbidden(text: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::Protocol(OAuthError::new(403, OAuthErrorCode::InsufficientScope, text))
}

fn bad_metadata(text: impl Into<std::borrow::Cow<'static, str>>) -> Refusal {
    Refusal::Protocol(OAuthError::new(400, OAuthErrorCode::InvalidClientMetadata, text))
}

/// Registers a client. One that brings no id gets one.
pub async fn register(cx: Cx, bearer: &Bearer, wish: &ClientImport) -> Result<Registered, Refusal> {
    let bearer = &bearer.for_a_new_client();
    let attempt = |cx: Cx| async move {
        let registered = make(&cx, bearer, wish.clone()).await;
        told(&cx, EventKind::ClientRegister, None, registered).await
    };
    settled(cx, attempt).await
}

async fn make(cx: &Cx, bearer: &Bearer, mut client: ClientImport) -> Result<Registered, Refusal> {
    match bearer {
        Bearer::Administrator(_) if !bearer.has_any_of(CREATE) => return Err(forbidden("Forbidden")),
        Bearer::Initial { id, .. } => {
            let mut db = cx.store().db().await?;
            match store::initial_access::find_remaining(&mut db, &cx.snapshot().realm.id, id).await? {
                None => return Err(invalid_token("Initial Access Token not found")),
                Some(0) => return Err(used_up()),
                Some(_) => {}
            }
        }
        _ => {}
    }
    let trust = bearer.trust();
    let (policies, sender_is_trusted) = policies(cx, trust).await?;
    policies.shape(&mut client);
    check(cx, &policies, sender_is_trusted, None, &client)?;
    if client.client_id.is_empty() {
        client.client_id = client.uuid.get_or_insert_with(|| crate::model::ClientUuid::new(cx.entropy().uuid())).to_string();
    }
    let token = RegistrationToken { id: cx.entropy().uuid(), trust, web_origins: Some(Vec::new()) };
    let (id, realm) = (ClientId::new(client.client_id.as_str()), &cx.snapshot().realm.id);
    write_decided(cx, async |db| {
        if let Bearer::Initial { id, .. } = bearer
            && !store::initial_access::use_initial_access(db, realm, id, cx.now).await?
        {
            return Err(used_up());
        }
        let uuid = clients::create_in(cx, db, client).await.map_err(in_words_of_registration)?;
        store::client::put_registration_token(db, realm, &uuid, &token.id).await?;
        Ok(record(cx, db, EventKind::ClientRegister, &id).await?)
    })
    .await?;
    registered(cx, &id, Some(&token)).await
}

fn used_up() -> Refusal {
    invalid_token("No remaining count on initial access token")
}

/// The client, for whoever may see it. Its own token stays good.
pub async fn read(cx: &Cx, bearer: &Bearer, id: &str) -> Result<Registered, Refusal> {
    let found = match admitted(cx, bearer, id, VIEW, NOT_TO_VIEW) {
        Ok(_) => registered(cx, &ClientId::new(id), own_token(bearer)).await,
        Err(refusal) => Err(refusal),
    };
    told(cx, EventKind::ClientInfo, Some(id), found).await
}

/// Makes of the client what `change` says; whoever holds its token gets a new one.
pub async fn change(
    cx: Cx,
    bearer: &Bearer,
    id: &str,
    change: impl Fn(&Cx, &Client) -> Result<ClientImport, Refusal>,
) -> Result<Registered, Refusal> {
    let change = &change;
    let attempt = |cx: Cx| async move {
        let changed = put(&cx, bearer, id, change).await;
        told(&cx, EventKind::ClientUpdate, Some(id), changed).await
    };
    settled(cx, attempt).await
}

async fn put(
    cx: &Cx,
    bearer: &Bearer,
    id: &str,
    change: &impl Fn(&Cx, &Client) -> Result<ClientImport, Refusal>,
) -> Result<Registered, Refusal> {
    let before = admitted(cx, bearer, id, MANAGE, NOT_TO_UPDATE)?;
    let new = change(cx, before)?;
    if new.client_id != before.client_id.as_str() {
        return Err(bad_metadata("Client Identifier modified"));
    }
    let (policies, sender_is_trusted) = policies(cx, bearer.trust()).await?;
    check(cx, &policies, sender_is_trusted, Some(before), &new)?;
    let after = Client {
        enabled: new.enabled,
        not_before: new.not_before,
        secret: new.secret.clone(),
        settings: new.settings.clone(),
        ..before.clone()
    };
    let next = own_token(bearer).map(|token| RegistrationToken { id: cx.entropy().uuid(), ..token.clone() });
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        clients::update_in(cx, db, before, &after).await.map_err(in_words_of_registration)?;
        clients::replace_parts(cx, db, before, &new).await?;
        if let Some(next) = &next {
            store::client::put_registration_token(db, realm, &before.uuid, &next.id).await?;
        }
        Ok(record(cx, db, EventKind::ClientUpdate, &before.client_id).await?)
    })
    .await?;
    registered(cx, &ClientId::new(id), next.as_ref()).await
}

/// Deletes the client, and with it its token.
pub async fn delete(cx: Cx, bearer: &Bearer, id: &str) -> Result<(), Refusal> {
    let attempt = |cx: Cx| async move {
        let deleted = match admitted(&cx, bearer, id, MANAGE, NOT_TO_UPDATE) {
            Ok(client) => {
                write_decided(&cx, async |db| {
                    clients::delete_in(&cx, db, client).await?;
                    Ok(record(&cx, db, EventKind::ClientDelete, &client.client_id).await?)
                })
                .await
            }
            Err(refusal) => Err(refusal),
        };
        told(&cx, EventKind::ClientDelete, Some(id), deleted).await
    };
    settled(cx, attempt).await
}

/// Gives the client a new registration access token, for an administrator to hand on.
pub async fn renew_token(cx: &Cx, client: &Client) -> Result<String, Refusal> {
    let token = RegistrationToken { id: cx.entropy().uuid(), trust: Trust::Authenticated, web_origins: None };
    let realm = &cx.snapshot().realm.id;
    super::admin::client::write_registration_token(cx, client, &token.id).await?;
    let claims = registration_token::registration(&token, &cx.issuer, cx.now);
    Ok(sign(keys::internal_key(&cx.realm.keys, realm)?, "JWT", &claims)?)
}

/// The client, if the bearer may do this with it. A token of a client is good for that client, while it is the newest and the
/// client enabled (CVE-2026-9705).
fn admitted<'a>(cx: &'a Cx, bearer: &Bearer, id: &str, roles: &[&str], refusal: &'static str) -> Result<&'a Client, Refusal> {
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

fn own_token(bearer: &Bearer) -> Option<&RegistrationToken> {
    if let Bearer::Client(token) = bearer { Some(token) } else { None }
}

/// The client as it stands in the database now.
async fn registered(cx: &Cx, id: &ClientId, token: Option<&RegistrationToken>) -> Result<Registered, Refusal> {
    let gone = || invalid_token(NOT_TO_VIEW);
    let cx = cx.refreshed().await?.ok_or_else(gone)?;
    let client = cx.snapshot().client(id.as_str()).cloned().ok_or_else(gone)?;
    let token = match token {
        Some(token) => {
            let claims = registration_token::registration(token, &cx.issuer, cx.now);
            Some(sign(keys::internal_key(&cx.realm.keys, &cx.snapshot().realm.id)?, "JWT", &claims)?)
        }
        None => None,
    };
    Ok(Registered { cx, client, token })
}

/// Pages of these origins may do this with the token: those that it names, and those that the realm's policies name.
pub async fn web_origins(cx: &Cx, bearer: &Bearer) -> Result<Vec<String>, StoreError> {
    let mut origins = of_realm(cx, bearer.trust()).await?.web_origins();
    match bearer {
        Bearer::Initial { web_origins, .. } => origins.extend(web_origins.iter().cloned()),
        Bearer::Client(token) => origins.extend(token.web_origins.iter().flatten().cloned()),
        Bearer::Nobody | Bearer::Administrator(_) => {}
    }
    Ok(origins)
}

async fn of_realm(cx: &Cx, trust: Trust) -> Result<Policies, StoreError> {
    let components = store::component::list_components(&mut cx.store().db().await?, &cx.snapshot().realm.id).await?;
    Ok(Policies::of(components, trust))
}

/// The realm's policies, and whether they trust the host that sent the request.
async fn policies(cx: &Cx, trust: Trust) -> Result<(Policies, bool), StoreError> {
    let policies = of_realm(cx, trust).await?;
    let is_trusted = match policies.trusted_senders() {
        Some(hosts) => comes_from(&cx.origin.ip_address, &hosts).await,
        None => true,
    };
    Ok((policies, is_trusted))
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

fn check(
    cx: &Cx,
    policies: &Policies,
    sender_is_trusted: bool,
    before: Option<&Client>,
    client: &ClientImport,
) -> Result<(), Refusal> {
    let question = Question { realm: cx.snapshot(), before, sender_is_trusted };
    if let Err(refusal) = client_rules::redirect_uris(&client.settings) {
        let text = refusal.to_string();
        return Err(Refusal::Protocol(OAuthError::new(400, OAuthErrorCode::InvalidRedirectUri, text)));
    }
    policies.check(&question, client).map_err(|objection| forbidden(rejection(&objection)))
}

fn in_words_of_registration(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::InvalidClient(text) | Refusal::Invalid(text) => bad_metadata(text),
        Refusal::Exists(_) | Refusal::Duplicate => bad_metadata("Client Identifier in use"),
        other => other,
    }
}

async fn record(cx: &Cx, db: &mut Db<'_>, kind: EventKind, id: &ClientId) -> Result<(), StoreError> {
    let mut told = event::new(cx, kind);
    told.client_id = Some(id.to_string());
    event::record_in(cx, db, &told).await
}

/// Tells of a request that was refused before it was known who asks.
pub async fn refused(cx: &Cx, kind: EventKind, id: Option<&str>, text: &'static str) -> Result<Refusal, StoreError> {
    match told::<()>(cx, kind, id, Err(invalid_token(text))).await {
        Err(Refusal::Store(error)) => Err(error),
        Err(refusal) => Ok(refusal),
        Ok(()) => Ok(invalid_token(text)),
    }
}

/// Tells of what was refused, and of what was only read. What changed something is told where it was written.
async fn told<T>(cx: &Cx, kind: EventKind, id: Option<&str>, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
    let mut told = event::new(cx, kind);
    told.client_id = id.filter(|id| cx.snapshot().client(id).is_some()).map(str::to_owned);
    match &outcome {
        Ok(_) if kind == EventKind::ClientInfo => event::record(cx, &told).await?,
        Err(Refusal::Protocol(error)) => {
            told.error = Some(error.code.as_str().to_owned());
            if let Some(text) = &error.description {
                told = told.detail("reason", text.as_ref());
            }
            event::record(cx, &told).await?;
        }
        _ => {}
    }
    outcome
}
