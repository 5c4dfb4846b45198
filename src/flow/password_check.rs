//! Whether a password is the user's: with the same work for a name that nobody has, and for a user who is locked.

use super::brute_force;
use super::context::Cx;
use super::password::Check;
use crate::base::Secret;
use crate::model::credential::{Credential, PASSWORD};
use crate::model::{User, UserId};
use crate::oidc::brute_force::Lock;
use crate::store::{self, StoreError};

/// What a check of a password came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    Wrong,
    /// Too many wrong ones came before, right or wrong as this one may be. Whoever tries is told that it is wrong.
    Locked(Lock),
    /// Too many are being checked.
    Busy,
}

/// Checks the password, and counts it where it is wrong.
///
/// A lock is looked at before the check and after it: guesses that were sent all at once are checked a few at a time, and the
/// right one among them does not count once enough wrong ones were.
pub async fn check(cx: &Cx, user: Option<&User>, password: &Secret) -> Result<Checked, StoreError> {
    let guarded = user.filter(|_| brute_force::is_on(cx));
    if let Some(user) = guarded
        && let Some(lock) = brute_force::lock_of(cx, &mut cx.store().db().await?, user).await?
    {
        // For nothing, so that it takes as long.
        cx.server.passwords.check(password, None).await;
        return Ok(Checked::Locked(lock));
    }
    let checked = compare(cx, user, password).await?;
    let Some(user) = guarded else { return Ok(checked) };
    match checked {
        Checked::Right if brute_force::forget(cx, user).await? => Ok(Checked::Locked(Lock::Temporary)),
        Checked::Wrong => {
            brute_force::count(cx, user).await?;
            Ok(Checked::Wrong)
        }
        other => Ok(other),
    }
}

async fn compare(cx: &Cx, user: Option<&User>, password: &Secret) -> Result<Checked, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let credentials = match user {
        Some(user) => store::credential::list_credentials(&mut cx.store().db().await?, realm, &user.id).await?,
        None => Vec::new(),
    };
    let stored = credentials.iter().find(|c| c.kind == PASSWORD);
    let check = cx.server.passwords.check(password, stored).await;
    Ok(match (check, user, stored) {
        (Check::Busy, ..) => Checked::Busy,
        (Check::Right, Some(_), Some(_)) => Checked::Right,
        (Check::RightButWeak, Some(user), Some(stored)) => {
            rehash(cx, &user.id, stored, password).await?;
            Checked::Right
        }
        _ => Checked::Wrong,
    })
}

/// Replaces the hash of a password that was just proven by one of the present kind and cost.
async fn rehash(cx: &Cx, user: &UserId, old: &Credential, password: &Secret) -> Result<(), StoreError> {
    let Some(better) = cx.server.passwords.hash(cx.entropy(), password, cx.now).await else { return Ok(()) };
    let mut db = cx.store().db().await?;
    let realm = &cx.snapshot().realm.id;
    store::credential::rehash_password(&mut db, realm, user, old, &better.secret_data, &better.credential_data).await?;
    Ok(())
}
