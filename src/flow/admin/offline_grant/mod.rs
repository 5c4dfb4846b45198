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
use crate::store::StoreError;
use crate::store::offline_grant::{
    self, FoundGrant, GrantCounts, GrantCutoffs, GrantFilter, PartCutoffs, Place, Reach, StaleGrants,
};

pub use revoke::{Asker, Preview, Progress, end, preview, revoke};

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

/// What a revocation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Grants of offline access.
    #[default]
    Offline,
    /// What clients hold in browsers' sign-ins; a sign-in goes along with its last client.
    Online,
    /// Every token of a client, of a user or of the realm that was issued before: by a not-before. Sessions go on.
    Tokens,
}

impl Kind {
    /// The sessions that it is about.
    fn sessions(self) -> &'static [SessionKind] {
        match self {
            Self::Offline => &[SessionKind::Offline],
            Self::Online => &[SessionKind::Online],
            Self::Tokens => &[SessionKind::Offline, SessionKind::Online],
        }
    }
}

/// Which grants somebody asks for. Points in time are milliseconds since 1970, spans seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Asked {
    /// Of a revocation; lists are of offline access.
    pub kind: Kind,
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
    fn client<'a>(&self, cx: &'a Cx) -> Result<Option<&'a Client>, Refusal> {
        let known = |id: &str| cx.snapshot().client(id).map(Arc::as_ref).ok_or(Refusal::NotFound("Could not find client"));
        self.client_id.as_deref().map(known).transpose()
    }

    /// Whether the filters fit the kind.
    fn check(&self) -> Result<(), Refusal> {
        let Self { kind, client_id, user_id, .. } = self;
        let owner = Self { kind: *kind, client_id: client_id.clone(), user_id: user_id.clone(), ..Self::default() };
        match kind {
            Kind::Tokens if *self != owner || client_id.is_some() && user_id.is_some() => {
                Err(Refusal::Invalid("kind tokens takes clientId, userId, or neither".to_owned()))
            }
            Kind::Online if self.ends_before.is_some() => Err(Refusal::Invalid("endsBefore is for offline access".to_owned())),
            _ => Ok(()),
        }
    }

    /// What it means at a moment.
    fn filter(&self, cx: &Cx, kind: SessionKind, at: Timestamp) -> Result<GrantFilter, Refusal> {
        let client = self.client(cx)?;
        Ok(GrantFilter {
            client: client.map(|client| client.uuid.clone()),
            user: self.user_id.as_deref().map(UserId::new),
            ip_address: self.ip_address.clone(),
            unused_since: self.unused_for.filter(|n| *n > 0).map(|n| at - Duration::from_secs(n)),
            scope: self.scope.clone(),
            granted_from: self.granted_from.map(Timestamp::from_unix_millis),
            granted_until: self.granted_before.map(Timestamp::from_unix_millis),
            ends_before: self.ends_before.map(|end| cutoffs(cx, kind, client, Timestamp::from_unix_millis(end)).plain),
            ..GrantFilter::all(kind, cutoffs(cx, kind, client, cx.now))
        })
    }
}

/// The limits of these clients' grants, seen from a moment.
fn cutoffs(cx: &Cx, kind: SessionKind, only: Option<&Client>, at: Timestamp) -> GrantCutoffs {
    let clients: Vec<&Client> = match only {
        Some(client) => vec![client],
        None => cx.snapshot().clients.values().map(AsRef::as_ref).collect(),
    };
    let of = |remember_me: bool| {
        let parts = clients.iter().map(|client| session_limits::of_client(cx.settings(), client, kind, remember_me).cutoffs(at));
        let (idle, max) = parts.map(|cut| (cut.idle, cut.max)).unzip();
        let session = session_limits::of_session(cx.settings(), kind, remember_me).cutoffs(at);
        PartCutoffs { idle, max, session_idle: session.idle, session_max: session.max }
    };
    GrantCutoffs {
        clients: clients.iter().map(|client| client.uuid.clone()).collect(),
        plain: of(false),
        remembered: cx.settings().remember_me.then(|| of(true)),
    }
}

pub async fn list(cx: &Cx, asked: &Asked, after: Option<&Place>, limit: i64) -> Result<Page, Refusal> {
    let (filter, realm) = (asked.filter(cx, SessionKind::Offline, cx.now)?, &cx.snapshot().realm.id);
    let page = cx.store().in_tx(async |db| offline_grant::list(db, realm, &filter, after, Reach::page(limit)).await).await?;
    Ok(Page {
        grants: page.grants.into_iter().filter_map(|found| judge(cx, SessionKind::Offline, found)).collect(),
        next: page.next,
    })
}

/// What a user has granted, to one client or to all, the one used last first; so many at most.
pub async fn of_user(cx: &Cx, user: &UserId, client: Option<&Client>, limit: i64) -> Result<Vec<OfflineGrant>, StoreError> {
    let filter = GrantFilter {
        client: client.map(|client| client.uuid.clone()),
        user: Some(user.clone()),
        ..GrantFilter::all(SessionKind::Offline, cutoffs(cx, SessionKind::Offline, client, cx.now))
    };
    let realm = &cx.snapshot().realm.id;
    let page = cx.store().in_tx(async |db| offline_grant::list(db, realm, &filter, None, Reach::page(limit)).await).await?;
    let mut grants: Vec<OfflineGrant> =
        page.grants.into_iter().filter_map(|found| judge(cx, SessionKind::Offline, found)).collect();
    grants.sort_by_key(|grant| std::cmp::Reverse(grant.found.last_used_at));
    Ok(grants)
}

/// How far a list is counted.
const COUNTED: Reach = Reach::report(100_000);

/// How many there are, or at least are.
pub async fn count(cx: &Cx, asked: &Asked) -> Result<GrantCounts, Refusal> {
    let (filter, realm) = (asked.filter(cx, SessionKind::Offline, cx.now)?, &cx.snapshot().realm.id);
    Ok(cx.store().in_report(async |db| offline_grant::count(db, realm, &filter, COUNTED).await).await?)
}

/// How the grants of each client are used: for how many of the spans each has been left alone.
pub async fn stale(cx: &Cx, asked: &Asked, spans: [Duration; 3]) -> Result<Vec<(Arc<Client>, StaleGrants)>, Refusal> {
    let (filter, realm) = (asked.filter(cx, SessionKind::Offline, cx.now)?, &cx.snapshot().realm.id);
    let moments = spans.map(|span| cx.now - span);
    let found = cx.store().in_report(async |db| offline_grant::stale(db, realm, &filter, moments).await).await?;
    let known = |grants: StaleGrants| cx.snapshot().clients.get(&grants.client).map(|client| (Arc::clone(client), grants));
    Ok(found.into_iter().filter_map(known).collect())
}

fn judge(cx: &Cx, kind: SessionKind, found: FoundGrant) -> Option<OfflineGrant> {
    let client = cx.snapshot().clients.get(&found.client).map(Arc::clone)?;
    let of_client = session_limits::of_client(cx.settings(), &client, kind, found.remember_me);
    let of_session = session_limits::of_session(cx.settings(), kind, found.remember_me);
    let part = Usage { started_at: found.granted_at, last_used_at: found.last_used_at };
    let session = Usage { started_at: found.session_started_at, last_used_at: found.session_used_at };
    let end = session_limits::end_of((of_client, part), (of_session, session));
    Some(OfflineGrant { client, found, end })
}
