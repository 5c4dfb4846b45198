//! Room for one more grant of a user, where realm or client limit their number.

use std::cmp::Reverse;

use super::{cutoffs, revoke};
use crate::flow::context::Cx;
use crate::model::event::EndReason;
use crate::model::{Client, SessionId, SessionKind, UserId};
use crate::oidc::grant_limits::{AtLimit, GrantLimits};
use crate::store::offline_grant::{self, FoundGrant, GrantFilter, Reach};
use crate::store::{self, Db, StoreError};

/// How many grants of a user are looked at.
const LOOKED_AT: i64 = 10_000;

/// Whether one more may be opened; ends those that give way to it. Call it first in the transaction that opens the grant: the
/// user's row is locked from here on, so that two grants at once do not both find the last place.
pub async fn make(cx: &Cx, db: &mut Db<'_>, client: &Client, user: &UserId, session: &SessionId) -> Result<bool, StoreError> {
    let limits = GrantLimits::of(cx.settings(), client);
    if !limits.are_set() {
        return Ok(true);
    }
    let realm = &cx.snapshot().realm.id;
    store::user::lock(db, realm, user).await?;
    for (limit, only) in [(limits.of_client, Some(client)), (limits.of_realm, None)] {
        let Some(limit) = limit else { continue };
        let others = others(cx, db, only, user, (session, client)).await?;
        let surplus = (others.len() + 1).saturating_sub(limit);
        if surplus == 0 {
            continue;
        }
        if limits.at_limit == AtLimit::Deny {
            return Ok(false);
        }
        revoke::end_these(cx, db, &others[others.len() - surplus..], EndReason::TooManyGrants).await?;
    }
    Ok(true)
}

/// The user's live grants, the one used last first, without the one that is about to be given again.
async fn others(
    cx: &Cx,
    db: &mut Db<'_>,
    only: Option<&Client>,
    user: &UserId,
    (session, client): (&SessionId, &Client),
) -> Result<Vec<FoundGrant>, StoreError> {
    let filter = GrantFilter {
        client: only.map(|client| client.uuid.clone()),
        user: Some(user.clone()),
        ..GrantFilter::all(SessionKind::Offline, cutoffs(cx, SessionKind::Offline, only, cx.now))
    };
    let mut found = offline_grant::list(db, &cx.snapshot().realm.id, &filter, None, Reach::page(LOOKED_AT)).await?.grants;
    found.retain(|grant| grant.session != *session || grant.client != client.uuid);
    found.sort_by_key(|grant| Reverse(grant.last_used_at));
    Ok(found)
}
