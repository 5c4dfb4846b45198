//! `/attack-detection/brute-force`: who is locked after wrong passwords, and letting them in again.

use axum::extract::Path;
use serde_json::json;

use super::answer::{Answer, done, shown};
use super::routes::{Routes, delete, get};
use super::{Admin, ManageUsers, ViewUsers};
use crate::flow::admin::login_failure as failures;
use crate::flow::brute_force;
use crate::model::UserId;
use crate::oidc::brute_force::Lock;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/attack-detection/brute-force/users", delete(clear_all))
        .route("/{realm}/attack-detection/brute-force/users/{user}", get(read).delete(clear))
}

/// Who has never failed, or is not there, has zeroes (Keycloak).
async fn read(admin: Admin<ViewUsers>, Path((_, user)): Path<(String, String)>) -> Answer {
    let status = brute_force::status(&admin.cx, &UserId::new(user)).await?;
    let not_before = match status.lock {
        None => 0,
        Some(Lock::Temporary) => status.failures.locked_until.map_or(0, |until| until.unix_seconds()),
        Some(Lock::Permanent) => i64::MAX,
    };
    Ok(shown(&json!({
        "disabled": status.lock.is_some(),
        "failedLoginNotBefore": not_before,
        "lastFailure": status.failures.last_at.map_or(0, |at| at.unix_millis()),
        "lastIPFailure": status.failures.last_ip_address.as_deref().unwrap_or("n/a"),
        "numFailures": status.failures.failures,
        "numSecondaryAuthFailures": 0,
        "numTemporaryLockouts": status.failures.temporary_lockouts,
    })))
}

async fn clear(admin: Admin<ManageUsers>, Path((_, user)): Path<(String, String)>) -> Answer {
    failures::clear(&admin.cx, &UserId::new(user)).await?;
    Ok(done())
}

async fn clear_all(admin: Admin<ManageUsers>) -> Answer {
    failures::clear_all(&admin.cx).await?;
    Ok(done())
}
