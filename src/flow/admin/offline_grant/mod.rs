//! Every grant of offline access of a realm, as an administrator sees and ends it.

mod revoke;
pub mod room;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Refusal;
use crate::base::Timestamp;
use crate::flow::context::Cx;
use crate::model::{Client, SessionKind, UserId};
use crate::oidc::session_limits::{self, End, Usage};
use crate::store::offline_grant::{self, FoundGrant, GrantCounts, GrantCutoffs, GrantFilter, Place, StaleGrants};

pub use revoke::{Preview, Progress, end, preview, revoke};

/// A grant that lives.
#[derive(Clone, Debug)]
pub struct OfflineGrant {
    pub client: Arc<Client>,
    pub found: FoundGrant,
    pub end: End,
}

/// A page of grants, and where the next one begins; none if this is the last.
#[derive(Clone, Debug)]
pub struct Page {
    pub grants: Vec<OfflineGrant>,
    pub next: Option<Place>,
}

/// Which grants somebody asks for. Points in time are milliseconds since 1970, spans seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Asked {
    /// The client's `client_id`.
    pub client_id: Option<String>,
    pub user_id: Option<String>,
    /// Granted from there, or used from there last.
    pub ip_address: Option<String>,
    pub unused_for: Option<u64>,
    pub scope: Option<String>,
    pub granted_from: Option<i64>,
    pub granted_before: Option<i64>,
    /// Over by then, if they stay unused.
    pub ends_before: Option<i64>,
}

impl Asked {
    /// What it means at a moment.
    fn filter(&self, cx: &Cx, at: Timestamp) -> Result<GrantFilter, Refusal> {
        let client = match self.client_id.as_deref() {
            Some(id) => Some(cx.snapshot().client(id).ok_or(Refusal::NotFound("Could not find client"))?.as_ref()),
            None => None,
        };
        Ok(GrantFilter {
            client: client.map(|client| client.uuid.clone()),
            user: self.user_id.as_deref().map(UserId::new),
            ip_address: self.ip_address.clone(),
            unused_since: self.unused_for.filter(|n| *n > 0).map(|n| at - Duration::from_secs(n)),
            scope: self.scope.clone(),
            granted_from: self.granted_from.map(Timestamp::from_unix_millis),
            granted_until: self.granted_before.map(Timestamp::from_unix_millis),
            live: cutoffs(cx, client, cx.now),
            ends_before: self.ends_before.map(|end| cutoffs(cx, client, Timestamp::from_unix_millis(end))),
        })
    }
}

/// The limits of these clients' grants, seen from a moment.
fn cutoffs(cx: &Cx, only: Option<&Client>, at: Timestamp) -> GrantCutoffs {
    let clients: Vec<&Client> = match only {
        Some(client) => vec![client],
        None => cx.snapshot().clients.values().map(AsRef::as_ref).collect(),
    };
    let of = |client: &Client| session_limits::of_client(cx.settings(), client, SessionKind::Offline, false).cutoffs(at);
    let parts: Vec<_> = clients.iter().map(|client| of(client)).collect();
    let session = session_limits::of_session(cx.settings(), SessionKind::Offline, false).cutoffs(at);
    GrantCutoffs {
        clients: clients.iter().map(|client| client.uuid.clone()).collect(),
        idle: parts.iter().map(|cut| cut.idle).collect(),
        max: parts.iter().map(|cut| cut.max).collect(),
        session_idle: session.idle,
        session_max: session.max,
    }
}

pub async fn list(cx: &Cx, asked: &Asked, after: Option<&Place>, limit: i64) -> Result<Page, Refusal> {
    let (filter, realm) = (asked.filter(cx, cx.now)?, &cx.snapshot().realm.id);
    let page = cx.store().in_tx(async |db| offline_grant::list(db, realm, &filter, after, limit).await).await?;
    Ok(Page { grants: page.grants.into_iter().filter_map(|found| judge(cx, found)).collect(), next: page.next })
}

/// How many there are; exact up to [`offline_grant::COUNTED`].
pub async fn count(cx: &Cx, asked: &Asked) -> Result<GrantCounts, Refusal> {
    let (filter, realm) = (asked.filter(cx, cx.now)?, &cx.snapshot().realm.id);
    Ok(cx.store().in_tx(async |db| offline_grant::count(db, realm, &filter).await).await?)
}

/// How the grants of each client are used: for how many of the spans each has been left alone.
pub async fn stale(cx: &Cx, asked: &Asked, spans: [Duration; 3]) -> Result<Vec<(Arc<Client>, StaleGrants)>, Refusal> {
    let (filter, realm) = (asked.filter(cx, cx.now)?, &cx.snapshot().realm.id);
    let moments = spans.map(|span| cx.now - span);
    let found = cx.store().in_tx(async |db| offline_grant::stale(db, realm, &filter, moments).await).await?;
    let known = |grants: StaleGrants| cx.snapshot().clients.get(&grants.client).map(|client| (Arc::clone(client), grants));
    Ok(found.into_iter().filter_map(known).collect())
}

fn judge(cx: &Cx, found: FoundGrant) -> Option<OfflineGrant> {
    let client = cx.snapshot().clients.get(&found.client).map(Arc::clone)?;
    let of_client = session_limits::of_client(cx.settings(), &client, SessionKind::Offline, false);
    let of_session = session_limits::of_session(cx.settings(), SessionKind::Offline, false);
    let part = Usage { started_at: found.granted_at, last_used_at: found.last_used_at };
    let session = Usage { started_at: found.session_started_at, last_used_at: found.session_used_at };
    let end = session_limits::end_of((of_client, part), (of_session, session));
    Some(OfflineGrant { client, found, end })
}
