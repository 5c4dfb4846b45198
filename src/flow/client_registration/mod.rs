//! Clients that are registered by themselves (RFC 7591, RFC 7592; Keycloak: client registration service).
//!
//! Who registers brings nothing, an initial access token, or an administrator's access token. The client gets a registration access
//! token, by which it reads, changes and deletes itself. That token is one at a time: each change gives a new one, and the one of
//! before is worth nothing. What a client may look like say the realm's policies.

mod bearer;
mod policy;
mod refusal;
mod wish;

use std::fmt;
use std::sync::Arc;

pub use bearer::{Bearer, kind_of};
pub use policy::web_origins;

use self::bearer::{CREATE, MANAGE, NOT_TO_UPDATE, NOT_TO_VIEW, VIEW, admitted};
use self::policy::{Asked, check, check_sender};
use self::refusal::{bad_metadata, forbidden, invalid_token};
use super::admin::{Refusal, client as clients, settled, write_decided};
use super::issue_tokens::sign;
use super::{Cx, event, keys};
use crate::model::event::EventKind;
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientId, ClientUuid};
use crate::oidc::registration_policy::Trust;
use crate::oidc::registration_token::{self, RegistrationToken};
use crate::store::{self, Db, StoreError};

/// A client as it stands now.
#[derive(Clone)]
pub struct Registered {
    /// The request on the realm that has the client so.
    pub cx: Cx,
    pub client: Arc<Client>,
    /// The registration access token, for whoever holds one; an administrator gets one only with a new client.
    pub token: Option<String>,
}

/// Not the token.
impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("client", &self.client.client_id).finish_non_exhaustive()
    }
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

async fn make(cx: &Cx, bearer: &Bearer, wish: ClientImport) -> Result<Registered, Refusal> {
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
    let mut client = wish::heard(cx, bearer, None, wish)?;
    let asked = Asked::of(cx, trust).await?;
    asked.policies.shape(&mut client);
    check(cx, &asked, None, &client)?;
    if client.client_id.is_empty() {
        client.client_id = client.uuid.get_or_insert_with(|| ClientUuid::new(cx.entropy().uuid())).to_string();
    }
    let token = RegistrationToken { id: cx.entropy().uuid(), trust, web_origins: Some(asked.web_origins(bearer)) };
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
    told(cx, EventKind::ClientInfo, Some(id), show(cx, bearer, id).await).await
}

async fn show(cx: &Cx, bearer: &Bearer, id: &str) -> Result<Registered, Refusal> {
    admitted(cx, bearer, id, VIEW, NOT_TO_VIEW)?;
    check_sender(cx, bearer).await?;
    registered(cx, &ClientId::new(id), bearer.own_token()).await
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
    let new = wish::heard(cx, bearer, Some(before), change(cx, before)?)?;
    if new.client_id != before.client_id.as_str() {
        return Err(bad_metadata("Client Identifier modified"));
    }
    check(cx, &Asked::of(cx, bearer.trust()).await?, Some(before), &new)?;
    let after = Client {
        enabled: new.enabled,
        not_before: new.not_before,
        secret: new.secret.clone(),
        settings: new.settings.clone(),
        ..before.clone()
    };
    let next = bearer.own_token().map(|token| RegistrationToken { id: cx.entropy().uuid(), ..token.clone() });
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        clients::update_in(cx, db, before, &after).await.map_err(in_words_of_registration)?;
        clients::replace_parts(cx, db, before, &new).await.map_err(in_words_of_registration)?;
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
        let deleted = remove(&cx, bearer, id).await;
        told(&cx, EventKind::ClientDelete, Some(id), deleted).await
    };
    settled(cx, attempt).await
}

async fn remove(cx: &Cx, bearer: &Bearer, id: &str) -> Result<(), Refusal> {
    let client = admitted(cx, bearer, id, MANAGE, NOT_TO_UPDATE)?;
    check_sender(cx, bearer).await?;
    write_decided(cx, async |db| {
        clients::delete_in(cx, db, client).await?;
        Ok(record(cx, db, EventKind::ClientDelete, &client.client_id).await?)
    })
    .await
}

/// Gives the client a new registration access token, for an administrator to hand on.
pub async fn renew_token(cx: &Cx, client: &Client) -> Result<String, Refusal> {
    let token = RegistrationToken { id: cx.entropy().uuid(), trust: Trust::Authenticated, web_origins: None };
    let realm = &cx.snapshot().realm.id;
    clients::write_registration_token(cx, client, &token.id).await?;
    let claims = registration_token::registration(&token, &cx.issuer, cx.now);
    Ok(sign(keys::internal_key(&cx.realm.keys, realm)?, "JWT", &claims)?)
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
