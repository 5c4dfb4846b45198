//! What administrators do to a realm's configuration: each change in one transaction, with the version of what it was decided on.

pub mod authentication_flow;
pub mod client;
pub mod client_certificate;
pub mod client_rules;
pub mod client_scope;
pub mod component;
pub mod consent;
pub mod evaluate;
pub mod explain;
pub mod group;
pub mod identity_provider;
pub mod impersonation;
pub mod initial_access;
pub mod letter;
pub mod login_failure;
pub mod offline_grant;
pub mod partial_import;
pub mod protocol_mapper;
pub mod push;
pub mod realm;
pub mod realm_document;
pub mod realm_rules;
pub mod required_action;
pub mod role;
pub mod session;
pub mod user;
pub mod user_holding;
pub mod user_password;

use thiserror::Error;

use super::Cx;
use crate::model::MAX_NAME;
use crate::oidc::OAuthError;
use crate::store::{self, Db, StoreError};

/// How often a change is decided anew before the crowd of writers is told apart from a bug.
const ATTEMPTS: usize = 8;

/// Why a change was not made. Nothing of it was written.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Somebody else changed the realm in between: the change is to be decided anew.
    #[error("the realm has been changed meanwhile")]
    Moved,
    #[error("{0}")]
    NotFound(&'static str),
    /// A value that is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// A value of a client that is not allowed.
    #[error("{0}")]
    InvalidClient(String),
    /// The same, said shortly: `{"error": "…"}`.
    #[error("{0}")]
    Plain(&'static str),
    #[error("{0}")]
    PlainText(String),
    /// Something that is not done at all.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// A component of a provider that Keycloak does not know either.
    #[error("Invalid provider type or no such provider")]
    NoProvider,
    #[error("{0}")]
    Exists(String),
    /// A name or an id is taken, and Keycloak does not say which.
    #[error("Duplicate resource error")]
    Duplicate,
    /// The same, and Keycloak says what.
    #[error("{0}")]
    DuplicateOf(&'static str),
    #[error("not allowed")]
    Forbidden,
    /// In the words of a protocol endpoint.
    #[error("{}", .0.code.as_str())]
    Protocol(OAuthError),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => Self::Duplicate,
            other => Self::Store(other),
        }
    }
}

/// Explains the conflict with one constraint; others stay what they are.
fn taken(error: StoreError, constraint: &str, text: impl FnOnce() -> String) -> Refusal {
    if error.is_conflict(constraint) { Refusal::Exists(text()) } else { error.into() }
}

/// Refuses a name that is longer than Keycloak's tables hold.
fn fits(name: &str) -> Result<(), Refusal> {
    if name.chars().count() <= MAX_NAME { Ok(()) } else { Err(Refusal::Invalid("Database operation failed".to_owned())) }
}

/// First in the transaction of a change that was decided on `cx`.
async fn decided_on(cx: &Cx, db: &mut Db<'_>) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    if store::realm::touch_at(db, &realm.id, realm.version).await? { Ok(()) } else { Err(Refusal::Moved) }
}

/// Writes to the realm's configuration what was decided on `cx`, if the realm is still as it was then.
pub(in crate::flow) async fn write_decided<T>(
    cx: &Cx,
    work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, Refusal>,
) -> Result<T, Refusal> {
    let written = cx.store().in_tx_or(async |db| {
        decided_on(cx, db).await?;
        work(db).await
    });
    let written = written.await?;
    cx.server.realms.invalidate(&cx.snapshot().realm.id);
    Ok(written)
}

/// Writes to the realm's configuration what is right however the realm is configured by now.
async fn write_realm<T>(cx: &Cx, work: impl AsyncFnOnce(&mut Db<'_>) -> Result<T, Refusal>) -> Result<T, Refusal> {
    let realm = &cx.snapshot().realm.id;
    let written = cx.store().in_tx_or(async |db| {
        store::realm::touch(db, realm).await?;
        work(db).await
    });
    let written = written.await?;
    cx.server.realms.invalidate(realm);
    Ok(written)
}

/// Decides and applies a change, again on the realm as it stands now whenever somebody else was first.
pub async fn settled<T, F>(cx: Cx, attempt: impl Fn(Cx) -> F) -> Result<T, Refusal>
where
    F: Future<Output = Result<T, Refusal>>,
{
    let mut cx = cx;
    for _ in 0..ATTEMPTS {
        match attempt(cx.clone()).await {
            Err(Refusal::Moved) => {
                cx.server.realms.invalidate(&cx.snapshot().realm.id);
                cx = cx.refreshed().await?.ok_or(Refusal::NotFound("Realm not found."))?;
            }
            // Nothing was written: whoever is refused, perhaps without saying who he is, costs nobody a reading of the realm.
            Err(refusal) if !matches!(refusal, Refusal::Store(_)) => return Err(refusal),
            settled => {
                cx.server.realms.invalidate(&cx.snapshot().realm.id);
                return settled;
            }
        }
    }
    Err(StoreError::Busy.into())
}
