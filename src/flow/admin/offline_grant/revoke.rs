//! Ending grants: one, or all that a search finds, after a preview of what that will be.
//!
//! A preview says how many grants, users and clients are meant, and gives a token that ends exactly these: what was granted, or
//! used where it was searched as unused, after the preview is left alone. A run is cut into transactions, and a request takes as
//! many as it has time for: its answer brings a token that goes on where it stopped. What clients hold in browsers' sign-ins ends
//! the same way, and so do tokens, by a not-before.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Asked, COUNTED, Kind, OfflineGrant, judge};
use crate::base::Timestamp;
use crate::flow::admin::{Refusal, user, write_realm};
use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::flow::{event, keys, logout_notice};
use crate::jose;
use crate::model::admin_event::ResourceType;
use crate::model::event::{EndReason, EventKind};
use crate::model::{Client, SessionId, SessionKind, UserId};
use crate::store::client_session::{self, WhenEmpty};
use crate::store::logout_notice::EndingPart;
use crate::store::offline_grant::{self, FoundGrant, GrantCounts, GrantFilter, Place, Reach};
use crate::store::{self, Db, StoreError};

/// How long a preview may be acted on.
const GOOD_FOR: Duration = Duration::from_secs(600);
const SAMPLE: i64 = 10;
/// Grants in a transaction, and transactions in a request.
const BATCH: i64 = 256;
const BATCHES: usize = 50;
/// The type of the token of a preview: it is good for nothing else.
const TYPE: &str = "RevocationPreview";

/// What would be ended.
#[derive(Clone, Debug)]
pub struct Preview {
    /// By the kinds of session that it is about.
    pub counts: Vec<(SessionKind, GrantCounts)>,
    pub sample: Vec<OfflineGrant>,
    pub token: String,
    pub expires_at: Timestamp,
}

/// What a request has ended, and the token that goes on; none if that was all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    pub revoked: u64,
    /// What was issued before this is stale, in seconds since 1970; none if sessions were ended.
    pub not_before: Option<i64>,
    pub next: Option<String>,
}

/// What a token of a preview says: what was asked for, when, and how far it has been done.
#[derive(Debug, Serialize, Deserialize)]
struct Shown {
    asked: Asked,
    /// Microseconds since 1970.
    at: i64,
    after: Option<Place>,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    pub id: &'a UserId,
    /// What makes all tokens of a client stale is a setting of the client.
    pub manages_clients: bool,
}

impl Asker<'_> {
    fn check(self, asked: &Asked) -> Result<(), Refusal> {
        asked.check()?;
        let changes_client = asked.kind == Kind::Tokens && asked.client_id.is_some();
        if changes_client && !self.manages_clients { Err(Refusal::Forbidden) } else { Ok(()) }
    }
}

pub async fn preview(cx: &Cx, asked: &Asked, asker: Asker<'_>) -> Result<Preview, Refusal> {
    asker.check(asked)?;
    let realm = &cx.snapshot().realm.id;
    let (mut counts, mut sample) = (Vec::new(), Vec::new());
    for kind in asked.kind.sessions() {
        let filter = asked.filter(cx, *kind, cx.now)?;
        let found = cx.store().in_report(async |db| {
            let counts = offline_grant::count(db, realm, &filter, COUNTED).await?;
            Ok((counts, offline_grant::list(db, realm, &filter, None, Reach::report(SAMPLE)).await?.grants))
        });
        let (counted, found) = found.await?;
        counts.push((*kind, counted));
        sample.extend(found.into_iter().filter_map(|found| judge(cx, *kind, found)));
    }
    let expires_at = cx.now + GOOD_FOR;
    let token = sign(cx, &Shown { asked: asked.clone(), at: cx.now.unix_micros(), after: None }, asker.id)?;
    Ok(Preview { counts, sample, token, expires_at })
}

/// Ends what a preview of this administrator has shown, from where the token stands.
pub async fn revoke(cx: &Cx, token: &str, asker: Asker<'_>) -> Result<Progress, Refusal> {
    let not_valid = || Refusal::Invalid("The preview is not valid any more".to_owned());
    let mut shown = read(cx, token, asker.id).ok_or_else(not_valid)?;
    asker.check(&shown.asked)?;
    let at = Timestamp::from_unix_micros(shown.at);
    let kind = match shown.asked.kind {
        Kind::Offline => SessionKind::Offline,
        Kind::Online => SessionKind::Online,
        Kind::Tokens => return make_stale(cx, &shown.asked, at.unix_seconds()).await,
    };
    let mut filter = shown.asked.filter(cx, kind, at)?;
    let shown_until = at + Duration::from_micros(1);
    filter.granted_until = Some(filter.granted_until.map_or(shown_until, |until| until.min(shown_until)));
    let mut revoked = 0;
    for _ in 0..BATCHES {
        let (ended, next) = batch(cx, &filter, shown.after.as_ref()).await?;
        revoked += ended;
        shown.after = next;
        if shown.after.is_none() {
            return Ok(Progress { revoked, not_before: None, next: None });
        }
    }
    Ok(Progress { revoked, not_before: None, next: Some(sign(cx, &shown, asker.id)?) })
}

/// By the not-before of the client, the user or the realm, which nothing takes back to an earlier one.
async fn make_stale(cx: &Cx, asked: &Asked, not_before: i64) -> Result<Progress, Refusal> {
    let realm = &cx.snapshot().realm.id;
    let shown = json!({"notBefore": not_before});
    match (asked.client(cx)?, &asked.user_id) {
        (Some(client), _) => {
            write_realm(cx, async |db| {
                store::client::raise_not_before(db, realm, &client.uuid, not_before).await?;
                Ok(note(cx, db, Change::action(ResourceType::Client).showing(shown.clone())).await?)
            })
            .await?;
        }
        (None, Some(user)) => {
            let user = UserId::new(user.as_str());
            let is_there = user::write(cx, &user, async |db| {
                store::user::raise_not_before(db, realm, &user, not_before).await?;
                note(cx, db, Change::action(ResourceType::User).showing(shown.clone())).await
            });
            if !is_there.await? {
                return Err(Refusal::NotFound("User not found"));
            }
        }
        (None, None) => {
            write_realm(cx, async |db| {
                store::realm::raise_not_before(db, realm, not_before).await?;
                Ok(note(cx, db, Change::action(ResourceType::Realm).showing(shown.clone())).await?)
            })
            .await?;
        }
    }
    Ok(Progress { revoked: 0, not_before: Some(not_before), next: None })
}

/// A token that is good for [`GOOD_FOR`] from now.
fn sign(cx: &Cx, shown: &Shown, administrator: &UserId) -> Result<String, StoreError> {
    let claims = Map::from_iter([
        ("typ".to_owned(), Value::from(TYPE)),
        ("iss".to_owned(), Value::from(cx.issuer.as_str())),
        ("sub".to_owned(), Value::from(administrator.as_str())),
        ("shown".to_owned(), json!(shown)),
        ("exp".to_owned(), Value::from((cx.now + GOOD_FOR).unix_seconds())),
    ]);
    let key = keys::internal_key(&cx.realm.keys, &cx.snapshot().realm.id)?;
    jose::sign(key, "JWT", &claims)
        .map_err(|e| StoreError::Inconsistent(format!("the token of a preview could not be signed: {e}")))
}

fn read(cx: &Cx, token: &str, administrator: &UserId) -> Option<Shown> {
    let claims = keys::verified_internal_claims(cx, token)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let fits = text("typ") == Some(TYPE) && text("iss") == Some(&cx.issuer) && text("sub") == Some(administrator.as_str());
    if !fits || claims.get("exp").and_then(Value::as_i64)? <= cx.now.unix_seconds() {
        return None;
    }
    serde_json::from_value(claims.get("shown")?.clone()).ok()
}

/// One transaction: finds, locks, looks again, removes. How many went, and where the next begins.
async fn batch(cx: &Cx, filter: &GrantFilter, after: Option<&Place>) -> Result<(u64, Option<Place>), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let ended = cx.store().in_tx(async |db| {
        let page = offline_grant::list(db, realm, filter, after, Reach::batch(BATCH)).await?;
        let places: Vec<Place> = page.grants.iter().map(place).collect();
        let Some(last) = places.last() else { return Ok((0, page.next, Vec::new())) };
        offline_grant::lock_grants(db, filter.kind, realm, &places).await?;
        let still = offline_grant::between(db, realm, filter, (after, last), BATCH).await?;
        let meant: Vec<FoundGrant> = still.into_iter().filter(|grant| places.contains(&place(grant))).collect();
        let (removed, notices) = remove(cx, db, filter.kind, &meant, EndReason::Administrator).await?;
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
pub(super) async fn end_these(cx: &Cx, db: &mut Db<'_>, grants: &[FoundGrant], reason: EndReason) -> Result<(), StoreError> {
    let places: Vec<Place> = grants.iter().map(place).collect();
    offline_grant::lock_grants(db, SessionKind::Offline, &cx.snapshot().realm.id, &places).await?;
    remove(cx, db, SessionKind::Offline, grants, reason).await?;
    Ok(())
}

async fn remove(
    cx: &Cx,
    db: &mut Db<'_>,
    kind: SessionKind,
    grants: &[FoundGrant],
    reason: EndReason,
) -> Result<(u64, Vec<crate::model::logout_notice::LogoutNotice>), StoreError> {
    for grant in grants {
        let what = if kind == SessionKind::Offline { EventKind::RevokeGrant } else { EventKind::UserSessionDeleted };
        let mut ended = event::new(cx, what).because(reason).detail("session_kind", kind.as_str());
        ended.client_id = cx.snapshot().clients.get(&grant.client).map(|client| client.client_id.to_string());
        ended.user_id = Some(grant.user_id.clone());
        ended.session_id = Some(grant.session.clone());
        event::record_in(cx, db, &ended).await?;
    }
    let places: Vec<Place> = grants.iter().map(place).collect();
    let removed = offline_grant::remove_grants(db, kind, &cx.snapshot().realm.id, (&places, cx.now)).await?;
    let parts = grants.iter().map(|grant| EndingPart {
        session: grant.session.clone(),
        client: grant.client.clone(),
        user: grant.user_id.clone(),
    });
    Ok((removed, logout_notice::write(cx, db, &parts.collect::<Vec<_>>()).await?))
}

/// Ends one grant; the session goes along with its last. False if there is none.
pub async fn end(cx: &Cx, session: &SessionId, client: &Client) -> Result<bool, StoreError> {
    let mut ended = event::new(cx, EventKind::RevokeGrant).because(EndReason::Administrator);
    ended.client_id = Some(client.client_id.to_string());
    ended.session_id = Some(session.clone());
    let realm = &cx.snapshot().realm.id;
    let notices = cx.store().in_tx(async |db| {
        ended.user_id = store::session::find_owner(db, SessionKind::Offline, realm, session).await?;
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
