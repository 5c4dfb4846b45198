//! Locking users whose password somebody guesses at. What was granted before goes on: a lock stops sign-ins, not tokens.

use time::format_description::well_known::Rfc3339;

use super::context::Cx;
use super::event;
use crate::model::event::EventKind;
use crate::model::login_failure::{DISABLED_REASON, LoginFailures, PERMANENT_LOCKOUT};
use crate::model::{User, UserId};
use crate::oidc::brute_force::{self, Consequence, Lock};
use crate::store::{self, Db, StoreError, login_failure};

/// What administrators read of the guesses at a user's password.
#[derive(Clone, Debug)]
pub struct Status {
    pub failures: LoginFailures,
    pub lock: Option<Lock>,
}

pub fn is_on(cx: &Cx) -> bool {
    cx.settings().brute_force.is_on
}

/// Whether the user is locked now.
pub async fn lock_of(cx: &Cx, db: &mut Db<'_>, user: &User) -> Result<Option<Lock>, StoreError> {
    if is_locked_for_good(user) {
        return Ok(Some(Lock::Permanent));
    }
    let failures = login_failure::find_failures(db, &cx.snapshot().realm.id, &user.id).await?;
    Ok(failures.is_locked(cx.now).then_some(Lock::Temporary))
}

/// An administrator's look; of a user who is not there it is as of one who never failed (Keycloak).
pub async fn status(cx: &Cx, user: &UserId) -> Result<Status, StoreError> {
    let (realm, mut db) = (&cx.snapshot().realm.id, cx.store().db().await?);
    let failures = login_failure::find_failures(&mut db, realm, user).await?;
    let is_for_good = store::user::find_user(&mut db, realm, user).await?.is_some_and(|user| is_locked_for_good(&user));
    let temporary = failures.is_locked(cx.now).then_some(Lock::Temporary);
    Ok(Status { failures, lock: if is_for_good { Some(Lock::Permanent) } else { temporary } })
}

/// Disabled by too many guesses, and not by an administrator.
pub fn is_locked_for_good(user: &User) -> bool {
    let reason = user.attributes.get(DISABLED_REASON);
    !user.enabled && reason.is_some_and(|values| values.iter().any(|value| value == PERMANENT_LOCKOUT))
}

/// A right password or code: the wrong ones before it are forgotten. Answers the lock, if enough of them have come meanwhile.
///
/// The row is held first and looked at then: a failure that is being counted at this moment counts.
pub async fn forget(cx: &Cx, user: &User) -> Result<Option<Lock>, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let lock = cx.store().in_tx(async |db| {
        let Some(failures) = login_failure::hold_failures(db, realm, &user.id).await? else { return Ok(None) };
        if failures.is_locked(cx.now) {
            return Ok(Some(Lock::Temporary));
        }
        if store::user::find_user(db, realm, &user.id).await?.is_some_and(|user| is_locked_for_good(&user)) {
            return Ok(Some(Lock::Permanent));
        }
        login_failure::delete_failures(db, realm, &user.id).await?;
        Ok(None)
    });
    lock.await
}

/// A wrong password.
pub async fn count(cx: &Cx, user: &User) -> Result<(), StoreError> {
    let (realm, rules) = (&cx.snapshot().realm.id, &cx.settings().brute_force);
    let locks_for_good = cx.store().in_tx(async |db| {
        // Users are locked before their failures everywhere, so that two writers do not wait for each other.
        if rules.permanent {
            store::user::lock(db, realm, &user.id).await?;
        }
        let before = login_failure::lock_failures(db, realm, &user.id).await?;
        let Some(before) = before.filter(|before| !before.is_locked(cx.now)) else { return Ok(false) };
        let (after, consequence) = brute_force::failed(rules, &before, cx.now, &cx.origin.ip_address);
        login_failure::update_failures(db, realm, &user.id, &after).await?;
        match consequence {
            Consequence::Nothing => {}
            Consequence::Temporary => tell(cx, db, user, &after, EventKind::UserDisabledByTemporaryLockout).await?,
            // Who is disabled already, by an administrator or a failure before, stays as it is.
            Consequence::Permanent if login_failure::disable_user(db, realm, &user.id).await? => {
                tell(cx, db, user, &after, EventKind::UserDisabledByPermanentLockout).await?;
                return Ok(true);
            }
            Consequence::Permanent => {}
        }
        Ok(false)
    });
    if locks_for_good.await? {
        cx.server.realms.read_user(cx.store(), realm, &user.id).await?;
    }
    Ok(())
}

async fn tell(cx: &Cx, db: &mut Db<'_>, user: &User, failures: &LoginFailures, kind: EventKind) -> Result<(), StoreError> {
    let mut locked = event::new(cx, kind)
        .detail("reason", "brute_force_attack detected")
        .detail("num_failures", failures.failures.to_string());
    if kind == EventKind::UserDisabledByTemporaryLockout {
        let until = failures.locked_until.and_then(|until| until.to_offset().format(&Rfc3339).ok());
        event::put(&mut locked.details, "not_before", until);
    }
    locked.user_id = Some(user.id.clone());
    tracing::warn!(realm.name = %cx.snapshot().realm.name, user.id = %user.id, kind = kind.as_str(), "wrong passwords lock a user");
    event::record_in(cx, db, &locked).await
}
