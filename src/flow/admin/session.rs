//! Sessions as an administrator sees and ends them. A lapsed session is neither listed nor counted.

use std::sync::Arc;
use std::time::Duration;

use super::{Refusal, write_realm};
use crate::base::Timestamp;
use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::flow::logout_notice::{self, Ending};
use crate::flow::session_lookup::live_cutoffs;
use crate::model::admin_event::ResourceType;
use crate::model::{Client, ClientUuid, SessionKind, UserId};
use crate::store::session_list::{self, ClientPage, ListedSession, RealmPage};
use crate::store::{self, StoreError};

/// Ends a user's online sessions and makes every token that the user has stale. Offline sessions stay, listed and stale
/// (Keycloak). False if there is no such user.
pub async fn log_out_user(cx: &Cx, user: &UserId) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut notices = Vec::new();
    let is_there = super::user::write(cx, user, async |db| {
        store::user::raise_not_before(db, realm, user, cx.now.unix_seconds()).await?;
        let told = logout_notice::find(cx, db, SessionKind::Online, Ending::OfUser { user, except: None }).await?;
        store::session::end_all_of_user(db, SessionKind::Online, realm, user, None).await?;
        notices = logout_notice::write(cx, db, &told).await?;
        note(cx, db, Change::action(ResourceType::User)).await
    });
    let is_there = is_there.await?;
    logout_notice::send(cx, notices).await;
    Ok(is_there)
}

/// How long the answer waits until the last session is gone.
const WAIT: Duration = Duration::from_secs(10);
/// How far the clocks of nodes may be apart.
const AHEAD: Duration = Duration::from_secs(2);
/// How often in a row the same sessions are tried to end.
const ATTEMPTS: u32 = 8;

/// Ends every session of the realm, offline ones too, and makes every token stale; the caller's as well.
///
/// The tokens first: when that is written none works any more, however many rows there are to remove, and whatever becomes of it.
pub async fn log_out_all(cx: &Cx) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        store::realm::raise_not_before(db, realm, cx.now.unix_seconds()).await?;
        Ok(note(cx, db, Change::action(ResourceType::Realm)).await?)
    })
    .await?;
    // Whatever was there when that was written, on nodes whose clocks are ahead, too.
    let begun_by = cx.server.clock.now() + AHEAD;
    // Behind the answer where it takes long, and whether or not the caller waits for it.
    let ending = tokio::spawn(end_all(cx.clone(), begun_by));
    match tokio::time::timeout(WAIT, ending).await {
        Ok(Ok(ended)) => Ok(ended?),
        Ok(Err(stopped)) => Err(StoreError::Inconsistent(format!("the end of all sessions stopped: {stopped}")).into()),
        Err(_) => Ok(()),
    }
}

/// Those of browsers first: they open new tokens, where the others only hold stale ones.
async fn end_all(cx: Cx, begun_by: Timestamp) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    for kind in [SessionKind::Online, SessionKind::Offline] {
        let (mut last, mut failed) = (None, 0);
        loop {
            let ended = match cx.store().db().await {
                Ok(mut db) => store::session::end_next(&mut db, kind, realm, (begun_by, last.as_ref())).await,
                Err(error) => Err(error),
            };
            match ended {
                Ok(None) => break,
                Ok(next) => (last, failed) = (next, 0),
                // Somebody who ends sessions in another order was in the way: the same ones again.
                Err(error) if failed < ATTEMPTS => {
                    tracing::warn!(%error, "some sessions of a realm could not be ended yet");
                    failed += 1;
                }
                Err(error) => {
                    tracing::error!(%error, "not every session of a realm was ended");
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// The user's sessions, the one used last first; so many at most, if there is a limit.
pub async fn of_user(cx: &Cx, kind: SessionKind, user: &UserId, limit: Option<i64>) -> Result<Vec<ListedSession>, StoreError> {
    let live = live_cutoffs(cx.settings(), None, kind, cx.now);
    session_list::of_user(&mut cx.store().db().await?, kind, &cx.snapshot().realm.id, user, &live, limit).await
}

pub async fn of_client(
    cx: &Cx,
    kind: SessionKind,
    client: &Client,
    page: ClientPage<'_>,
) -> Result<Vec<ListedSession>, StoreError> {
    let live = live_cutoffs(cx.settings(), Some(client), kind, cx.now);
    let realm = &cx.snapshot().realm.id;
    if page.is_far_down() {
        return cx.store().in_report(async |db| session_list::of_client(db, kind, realm, page, &live).await).await;
    }
    session_list::of_client(&mut cx.store().db().await?, kind, realm, page, &live).await
}

pub async fn count_of_client(cx: &Cx, kind: SessionKind, client: &Client) -> Result<i64, StoreError> {
    let live = live_cutoffs(cx.settings(), Some(client), kind, cx.now);
    let realm = &cx.snapshot().realm.id;
    cx.store().in_report(async |db| session_list::count_of_client(db, kind, realm, &client.uuid, &live).await).await
}

/// The realm's sessions of these kinds, one kind after the other, in one list.
pub async fn of_realm(
    cx: &Cx,
    kinds: &[SessionKind],
    page: RealmPage<'_>,
) -> Result<Vec<(SessionKind, ListedSession)>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let client = page.client.and_then(|uuid| cx.snapshot().clients.get(uuid));
    let mut db = cx.store().db().await?;
    let (mut found, mut rest) = (Vec::new(), page);
    for kind in kinds {
        let live = live_cutoffs(cx.settings(), client.map(Arc::as_ref), *kind, cx.now);
        let sessions = session_list::of_realm(&mut db, *kind, realm, rest, &live).await?;
        let there = match sessions.len() {
            0 if rest.first > 0 => session_list::count_of_realm(&mut db, *kind, realm, rest, &live).await?,
            shown => rest.first + i64::try_from(shown).unwrap_or(i64::MAX),
        };
        rest.max -= i64::try_from(sessions.len()).unwrap_or(i64::MAX);
        rest.first = (rest.first - there).max(0);
        found.extend(sessions.into_iter().map(|session| (*kind, session)));
    }
    Ok(found)
}

/// How many sessions a client has.
#[derive(Clone, Debug)]
pub struct Statistics {
    pub client: Arc<Client>,
    pub online: i64,
    pub offline: i64,
}

/// The clients that have a session, by `client_id`.
pub async fn statistics(cx: &Cx) -> Result<Vec<Statistics>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let mut clients: Vec<ClientUuid> = Vec::new();
    for kind in [SessionKind::Online, SessionKind::Offline] {
        clients.extend(session_list::clients_with_parts(&mut cx.store().db().await?, kind, realm).await?);
    }
    let mut clients: Vec<&Arc<Client>> = clients.iter().filter_map(|uuid| cx.snapshot().clients.get(uuid)).collect();
    clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    clients.dedup_by(|a, b| a.uuid == b.uuid);
    let mut found = Vec::new();
    for client in clients {
        let online = count_of_client(cx, SessionKind::Online, client).await?;
        let offline = count_of_client(cx, SessionKind::Offline, client).await?;
        if online + offline > 0 {
            found.push(Statistics { client: Arc::clone(client), online, offline });
        }
    }
    Ok(found)
}
