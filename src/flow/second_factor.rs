//! The one-time code after the password.

use super::brute_force;
use super::context::Cx;
use crate::model::User;
use crate::model::credential::OTP;
use crate::oidc::brute_force::Lock;
use crate::oidc::one_time_password::Device;
use crate::store::{self, StoreError};

/// What a check of a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Right,
    Wrong,
    /// Too many wrong passwords and codes came before.
    Locked(Lock),
}

/// The user's devices, the one to ask first first.
pub async fn devices(cx: &Cx, user: &User) -> Result<Vec<Device>, StoreError> {
    let mut db = cx.store().db().await?;
    let held = store::credential::list_credentials(&mut db, &cx.snapshot().realm.id, &user.id).await?;
    Ok(held.iter().filter(|credential| credential.kind == OTP).filter_map(Device::read).collect())
}

/// Checks the code of a device: the one with this id, else the first. A wrong one counts like a wrong password, a right one is
/// taken once.
pub async fn check(cx: &Cx, user: &User, device: Option<&str>, code: &str) -> Result<Checked, StoreError> {
    let is_guarded = brute_force::is_on(cx);
    if is_guarded && let Some(lock) = brute_force::lock_of(cx, &mut cx.store().db().await?, user).await? {
        return Ok(Checked::Locked(lock));
    }
    let devices = devices(cx, user).await?;
    let meant = match device.filter(|id| !id.is_empty()) {
        Some(id) => devices.iter().find(|device| device.id.as_str() == id),
        None => devices.first(),
    };
    if !matches(cx, user, meant, code).await? {
        if is_guarded {
            brute_force::count(cx, user).await?;
        }
        return Ok(Checked::Wrong);
    }
    if is_guarded && brute_force::forget(cx, user).await? {
        return Ok(Checked::Locked(Lock::Temporary));
    }
    Ok(Checked::Right)
}

async fn matches(cx: &Cx, user: &User, device: Option<&Device>, code: &str) -> Result<bool, StoreError> {
    let policy = &cx.settings().otp;
    let Some(device) = device else { return Ok(false) };
    let Some(step) = device.step_of(code, policy, cx.now) else { return Ok(false) };
    let (realm, mut db) = (&cx.snapshot().realm.id, cx.store().db().await?);
    let is_first = store::credential::take_step(&mut db, realm, &user.id, &device.id, step).await?;
    Ok(is_first || policy.is_reusable && !policy.is_counted)
}
