//! Ending grants: one, or all that a search finds, after a preview of what that will be.
//!
//! A preview says how many grants, users and clients are meant, and gives a token that ends exactly these: what was granted, or
//! used where it was searched as unused, after the preview is left alone. A run is cut into transactions, and a request into as
//! many as it has time for: the same token goes on where the last request stopped.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Asked, OfflineGrant, judge};
use crate::base::Timestamp;
use crate::flow::admin::Refusal;
use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::flow::{event, keys, logout_notice};
use crate::jose;
use crate::model::admin_event::ResourceType;
use crate::model::event::EventKind;
use crate::model::{Client, SessionId, SessionKind, UserId};
use crate::store::client_session::{self, WhenEmpty};
use crate::store::logout_notice::EndingPart;
use crate::store::offline_grant::{self, FoundGrant, GrantCounts, GrantFilter, Place};
use crate::store::{Db, StoreError};

/// How long a preview may be acted on.
const GOOD_FOR: Duration = Duration::from_secs(600);
const SAMPLE: i64 = 10;
/// Grants in a transaction, and transactions in a request.
const BATCH: i64 = 256;
const BATCHES: usize = 20;
/// The type of the token of a preview: it is good for nothing else.
const TYPE: &str = "RevocationPreview";

/// What would be ended.
#[derive(Clone, Debug)]
pub struct Preview {
    pub counts: GrantCounts,
    pub sample: Vec<OfflineGrant>,
    pub token: String,
    pub expires_at: Timestamp,
}

/// What a request has ended, and whether that was all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub revoked: u64,
    pub done: bool,
}

pub async fn preview(cx: &Cx, asked: &Asked, administrator: &UserId) -> Result<Preview, Refusal> {
    let (filter, realm) = (asked.filter(cx, cx.now)?, &cx.snapshot().realm.id);
    let found = cx.store().in_tx(async |db| {
        let counts = offline_grant::count(db, realm, &filter).await?;
        Ok((counts, offline_grant::list(db, realm, &filter, None, SAMPLE).await?))
    });
    let (counts, sample) = found.await?;
    let expires_at = cx.now + GOOD_FOR;
    let claims = Map::from_iter([
        ("typ".to_owned(), Value::from(TYPE)),
        ("iss".to_owned(), Value::from(cx.issuer.as_str())),
        ("sub".to_owned(), Value::from(administrator.as_str())),
        ("asked".to_owned(), json!(asked)),
        ("at".to_owned(), Value::from(cx.now.unix_micros())),
        ("exp".to_owned(), Value::from(expires_at.unix_seconds())),
    ]);
    let key = keys::internal_key(&cx.realm.keys, realm)?;
    let token = jose::sign(key, "JWT", &claims)
        .map_err(|e| StoreError::Inconsistent(format!("the token of a preview could not be signed: {e}")))?;
    let sample = sample.grants.into_iter().filter_map(|found| judge(cx, found)).collect();
    Ok(Preview { counts, sample, token, expires_at })
}

/// Ends what a preview of this administrator has shown.
pub async fn revoke(cx: &Cx, token: &str, administrator: &UserId) -> Result<Progress, Refusal> {
    let (asked, at) =
        read(cx, token, administrator).ok_or_else(|| Refusal::Invalid("The preview is not valid any more".to_owned()))?;
    let mut filter = asked.filter(cx, at)?;
    let shown_until = at + Duration::from_micros(1);
    filter.granted_until = Some(filter.granted_until.map_or(shown_until, |until| until.min(shown_until)));
    let (mut after, mut revoked) = (None, 0);
    for _ in 0..BATCHES {
        let (ended, next) = batch(cx, &filter, after.as_ref()).await?;
        revoked += ended;
        match next {
            Some(next) => after = Some(next),
            None => return Ok(Progress { revoked, done: true }),
        }
    }
    Ok(Progress { revoked, done: false })
}

fn read(cx: &Cx, token: &str, administrator: &UserId) -> Option<(Asked, Timestamp)> {
    let claims = keys::verified_internal_claims(cx, token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let number = |name: &str| claims.get(name).and_then(Value::as_i64);
    let fits = text("typ") == Some(TYPE) && text("iss") == Some(&cx.issuer) && text("sub") == Some(administrator.as_str());
    if !fits || number("exp")? <= cx.now.unix_seconds() {
        return None;
    }
    Some((serde_json::from_value(claims.get("asked")?.clone()).ok()?, Timestamp::from_unix_micros(number("at")?)))
}

/// One transaction: finds, locks, looks again, removes. How many went, and where the next begins.
async fn batch(cx: &Cx, filter: &GrantFilter, after: Option<&Place>) -> Result<(u64, Option<Place>), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let ended = cx.store().in_tx(async |db| {
        let page = offline_grant::list(db, realm, filter, after, BATCH).await?;
        let places: Vec<Place> = page.grants.iter().map(place).collect();
        let Some(last) = places.last() else { return Ok((0, page.next, Vec::new())) };
        offline_grant::lock_grants(db, realm, &places).await?;
        let still = offline_grant::between(db, realm, filter, (after, last), BATCH).await?;
        let meant: Vec<FoundGrant> = still.into_iter().filter(|grant| places.contains(&place(grant))).collect();
        let (removed, notices) = remove(cx, db, &meant, "administrator").await?;
        if removed > 0 {
            note(cx, db, Change::action(ResourceType::UserSession).showing(json!({"revoked": removed}))).await?;
        }
        Ok((removed, page.next, notices))
    });
    let (removed, next, notices) = ended.await?;
    logout_notice::send(cx, notices).await;
    Ok((removed, next))
}

fn place(grant: &FoundGrant) -> Place {
    (grant.session.to_string(), grant.client.to_string())
}

/// Ends these grants in the caller's transaction. Clients that want to know are told by the loop.
pub(super) async fn end_these(cx: &Cx, db: &mut Db<'_>, grants: &[FoundGrant], reason: &str) -> Result<(), StoreError> {
    let places: Vec<Place> = grants.iter().map(place).collect();
    offline_grant::lock_grants(db, &cx.snapshot().realm.id, &places).await?;
    remove(cx, db, grants, reason).await?;
    Ok(())
}

async fn remove(
    cx: &Cx,
    db: &mut Db<'_>,
    grants: &[FoundGrant],
    reason: &str,
) -> Result<(u64, Vec<crate::model::logout_notice::LogoutNotice>), StoreError> {
    for grant in grants {
        let mut ended = event::new(cx, EventKind::RevokeGrant).detail("reason", reason);
        ended.client_id = cx.snapshot().clients.get(&grant.client).map(|client| client.client_id.to_string());
        ended.user_id = Some(grant.user_id.clone());
        ended.session_id = Some(grant.session.clone());
        event::record_in(cx, db, &ended).await?;
    }
    let places: Vec<Place> = grants.iter().map(place).collect();
    let removed = offline_grant::remove_grants(db, &cx.snapshot().realm.id, &places, cx.now).await?;
    let parts = grants.iter().map(|grant| EndingPart {
        session: grant.session.clone(),
        client: grant.client.clone(),
        user: grant.user_id.clone(),
    });
    Ok((removed, logout_notice::write(cx, db, &parts.collect::<Vec<_>>()).await?))
}

/// Ends one grant; the session goes along with its last. False if there is none.
pub async fn end(cx: &Cx, session: &SessionId, client: &Client) -> Result<bool, StoreError> {
    let mut ended = event::new(cx, EventKind::RevokeGrant).detail("reason", "administrator");
    ended.client_id = Some(client.client_id.to_string());
    ended.session_id = Some(session.clone());
    let realm = &cx.snapshot().realm.id;
    let notices = cx.store().in_tx(async |db| {
        let all = logout_notice::find(cx, db, SessionKind::Offline, logout_notice::Ending::One(session)).await?;
        let told: Vec<EndingPart> = all.into_iter().filter(|part| part.client == client.uuid).collect();
        let rule = (WhenEmpty::End, cx.now);
        if !client_session::detach(db, SessionKind::Offline, realm, session, &client.uuid, rule).await? {
            return Ok(None);
        }
        event::record_in(cx, db, &ended).await?;
        note(cx, db, Change::delete(ResourceType::UserSession)).await?;
        Ok(Some(logout_notice::write(cx, db, &told).await?))
    });
    let Some(notices) = notices.await? else { return Ok(false) };
    logout_notice::send(cx, notices).await;
    Ok(true)
}
