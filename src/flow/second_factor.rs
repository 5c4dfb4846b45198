//! The one-time code after the password.

use super::brute_force;
use super::context::Cx;
use crate::model::credential::{Credential, OTP};
use crate::model::{CredentialId, User};
use crate::oidc::brute_force::Lock;
use crate::oidc::one_time_password::Device;
use crate::store::{self, Db, StoreError};

/// What a check of a code came to.
#[derive(Clone, Debug)]
pub enum Checked {
    Right(Proof),
    Wrong,
    /// Too many wrong passwords and codes came before.
    Locked(Lock),
}

/// A code that was right. It is good for one opening, which takes it.
#[derive(Clone, Debug)]
pub struct Proof {
    device: CredentialId,
    step: i64,
    may_come_again: bool,
}

/// The devices that can be read among a user's credentials; none if the user has no second factor at all.
pub fn among(credentials: &[Credential]) -> Option<Vec<Device>> {
    let mut held = credentials.iter().filter(|credential| credential.kind == OTP).peekable();
    held.peek()?;
    Some(held.filter_map(Device::read).collect())
}

/// Whether the user has a second factor, one that cannot be read included.
pub async fn has_device(cx: &Cx, user: &User) -> Result<bool, StoreError> {
    let mut db = cx.store().db().await?;
    let held = store::credential::list_credentials(&mut db, &cx.snapshot().realm.id, &user.id).await?;
    Ok(among(&held).is_some())
}

/// The user's devices, the one to ask first first.
pub async fn devices(cx: &Cx, user: &User) -> Result<Vec<Device>, StoreError> {
    let mut db = cx.store().db().await?;
    let held = store::credential::list_credentials(&mut db, &cx.snapshot().realm.id, &user.id).await?;
    Ok(among(&held).unwrap_or_default())
}

/// Checks the code of one of these devices: the one with this id, else the first. A wrong one counts like a wrong password.
pub async fn check(cx: &Cx, user: &User, devices: &[Device], chosen: Option<&str>, code: &str) -> Result<Checked, StoreError> {
    let is_guarded = brute_force::is_on(cx);
    if is_guarded && let Some(lock) = brute_force::lock_of(cx, &mut cx.store().db().await?, user).await? {
        return Ok(Checked::Locked(lock));
    }
    let meant = match chosen.filter(|id| !id.is_empty()) {
        Some(id) => devices.iter().find(|device| device.id.as_str() == id),
        None => devices.first(),
    };
    let policy = &cx.settings().otp;
    let found = meant.and_then(|device| Some((device, device.step_of(code, policy, cx.now)?)));
    let Some((device, step)) = found else {
        if is_guarded {
            brute_force::count(cx, user).await?;
        }
        return Ok(Checked::Wrong);
    };
    if is_guarded && let Some(lock) = brute_force::forget(cx, user).await? {
        return Ok(Checked::Locked(lock));
    }
    let may_come_again = policy.is_reusable && device.is_timed();
    Ok(Checked::Right(Proof { device: device.id.clone(), step, may_come_again }))
}

/// Takes the code, in the transaction of what it opens: undone with it, and false if another has taken it.
pub async fn take(cx: &Cx, db: &mut Db<'_>, user: &User, proof: &Proof) -> Result<bool, StoreError> {
    let realm = &cx.snapshot().realm.id;
    let is_first = store::credential::take_step(db, realm, &user.id, &proof.device, proof.step).await?;
    Ok(is_first || proof.may_come_again)
}
