//! Whether a password is the user's: with the same work for a name that nobody has, and for a user who is locked.

use super::context::Cx;
use super::password::Check;
use super::{brute_force, second_factor};
use crate::base::Secret;
use crate::model::credential::{Credential, PASSWORD};
use crate::model::user::UPDATE_PASSWORD;
use crate::model::{User, UserId};
use crate::oidc::brute_force::Lock;
use crate::oidc::one_time_password::Device;
use crate::oidc::password_policy::PasswordPolicy;
use crate::store::{self, StoreError};

/// What a check of a password came to.
#[derive(Clone, Debug)]
pub enum Checked {
    Right(Box<Proven>),
    Wrong,
    /// Too many wrong ones came before, right or wrong as this one may be. Whoever tries is told that it is wrong.
    Locked(Lock),
    /// Too many are being checked.
    Busy,
}

/// A user whose password was right.
#[derive(Clone, Debug)]
pub struct Proven {
    /// As it is now: who has a password that is too old has been asked for a new one.
    pub user: User,
    /// The devices of which a one-time code is to come, too; some, and empty, if the user has none that can be read.
    pub second_factor: Option<Vec<Device>>,
}

/// Checks the password, and counts it where it is wrong.
///
/// A lock is looked at before the check, and after it with the count held: of guesses that were sent all at once the right one
/// does not count once enough wrong ones were.
pub async fn check(cx: &Cx, user: Option<User>, password: &Secret) -> Result<Checked, StoreError> {
    let policy = &cx.realm.password_policy.policy;
    let Some(user) = user else {
        // For nothing, so that it takes as long.
        let check = cx.server.passwords.check(&policy.hash, password, None).await;
        return Ok(if check == Check::Busy { Checked::Busy } else { Checked::Wrong });
    };
    let is_guarded = brute_force::is_on(cx);
    if is_guarded && let Some(lock) = brute_force::lock_of(cx, &mut cx.store().db().await?, &user).await? {
        cx.server.passwords.check(&policy.hash, password, None).await;
        return Ok(Checked::Locked(lock));
    }
    let realm = &cx.snapshot().realm.id;
    let credentials = store::credential::list_credentials(&mut cx.store().db().await?, realm, &user.id).await?;
    let stored = credentials.iter().find(|c| c.kind == PASSWORD);
    let check = cx.server.passwords.check(&policy.hash, password, stored).await;
    let stored = match (check, stored) {
        (Check::Busy, _) => return Ok(Checked::Busy),
        (Check::Right | Check::RightButWeak, Some(stored)) => stored,
        _ => {
            if is_guarded {
                brute_force::count(cx, &user).await?;
            }
            return Ok(Checked::Wrong);
        }
    };
    let second_factor = second_factor::among(&credentials);
    // With a second factor only that forgets: whoever has the password would guess codes for ever.
    if is_guarded
        && second_factor.is_none()
        && let Some(lock) = brute_force::forget(cx, &user).await?
    {
        return Ok(Checked::Locked(lock));
    }
    if check == Check::RightButWeak {
        rehash(cx, policy, &user.id, stored, password).await?;
    }
    let is_too_old = policy.expires_after.is_some_and(|age| cx.now.since(stored.created_at) > age);
    let user = if is_too_old { ask_for_new(cx, user).await? } else { user };
    Ok(Checked::Right(Box::new(Proven { user, second_factor })))
}

/// Replaces the hash of a password that was just proven by one of the present kind and cost.
async fn rehash(cx: &Cx, policy: &PasswordPolicy, user: &UserId, old: &Credential, password: &Secret) -> Result<(), StoreError> {
    let better = cx.server.passwords.hash(&policy.hash, cx.entropy(), password, cx.now).await;
    let Some(better) = better else { return Ok(()) };
    let mut db = cx.store().db().await?;
    let realm = &cx.snapshot().realm.id;
    store::credential::rehash_password(&mut db, realm, user, old, &better.secret_data, &better.credential_data).await?;
    Ok(())
}

async fn ask_for_new(cx: &Cx, user: User) -> Result<User, StoreError> {
    let (realm, mut db) = (&cx.snapshot().realm.id, cx.store().db().await?);
    if !store::user::add_required_action(&mut db, realm, &user.id, UPDATE_PASSWORD).await? {
        return Ok(user);
    }
    drop(db);
    let fresh = cx.server.realms.read_user(cx.store(), realm, &user.id).await?;
    Ok(fresh.map_or(user, |fresh| fresh.as_ref().clone()))
}
