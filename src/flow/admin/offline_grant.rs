//! Every grant of offline access of a realm, as an administrator sees and ends it.

use std::sync::Arc;

use crate::base::Timestamp;
use crate::flow::context::Cx;
use crate::flow::event;
use crate::model::event::EventKind;
use crate::model::{Client, SessionId, SessionKind};
use crate::oidc::session_limits::{self, Lapse, Usage};
use crate::store::StoreError;
use crate::store::client_session::{self, WhenEmpty};
use crate::store::offline_grant::{self, FoundGrant, GrantFilter};

/// A grant that lives.
#[derive(Clone, Debug)]
pub struct OfflineGrant {
    pub client: Arc<Client>,
    pub found: FoundGrant,
    /// When it ends, and by which limit: unused until then, or at the latest.
    pub ends_at: Timestamp,
    pub by: Lapse,
}

/// A page of grants, and where the next one begins; none if this is the last.
#[derive(Clone, Debug)]
pub struct Page {
    pub grants: Vec<OfflineGrant>,
    pub next: Option<(String, String)>,
}

/// Lapsed grants are left out, so that a page may be shorter than asked, or empty, and yet have a next.
pub async fn list(cx: &Cx, filter: GrantFilter<'_>) -> Result<Page, StoreError> {
    let page = cx.store().in_tx(async |db| offline_grant::list(db, &cx.snapshot().realm.id, filter).await).await?;
    let grants = page.grants.into_iter().filter_map(|found| judge(cx, found)).filter(|grant| grant.ends_at > cx.now);
    Ok(Page { grants: grants.collect(), next: page.next })
}

fn judge(cx: &Cx, found: FoundGrant) -> Option<OfflineGrant> {
    let client = cx.snapshot().clients.get(&found.client).map(Arc::clone)?;
    let of_client = session_limits::of_client(cx.settings(), &client, SessionKind::Offline, false);
    let of_session = session_limits::of_session(cx.settings(), SessionKind::Offline, false);
    let part = of_client.lapses_at(Usage { started_at: found.granted_at, last_used_at: found.last_used_at });
    let session = of_session.lapses_at(Usage { started_at: found.session_started_at, last_used_at: found.session_used_at });
    let (ends_at, by) = if part.0 <= session.0 { part } else { session };
    Some(OfflineGrant { client, found, ends_at, by })
}

/// Ends one grant; the session goes along with its last. False if there is none.
pub async fn end(cx: &Cx, session: &SessionId, client: &Client) -> Result<bool, StoreError> {
    let mut ended = event::new(cx, EventKind::RevokeGrant).detail("reason", "administrator");
    ended.client_id = Some(client.client_id.to_string());
    ended.session_id = Some(session.clone());
    cx.store()
        .in_tx(async |db| {
            let rule = (WhenEmpty::End, cx.now);
            let realm = &cx.snapshot().realm.id;
            let is_ended = client_session::detach(db, SessionKind::Offline, realm, session, &client.uuid, rule).await?;
            if is_ended {
                event::record_in(cx, db, &ended).await?;
            }
            Ok(is_ended)
        })
        .await
}
