//! Letting locked users in again.

use crate::flow::admin_event::{Change, note};
use crate::flow::context::Cx;
use crate::model::UserId;
use crate::model::admin_event::ResourceType;
use crate::store::{self, StoreError};

/// Forgets a user's wrong passwords.
pub async fn clear(cx: &Cx, user: &UserId) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let cleared = cx.store().in_tx(async |db| {
        if store::login_failure::delete_failures(db, realm, user).await? {
            note(cx, db, Change::delete(ResourceType::UserLoginFailure)).await?;
        }
        Ok(())
    });
    cleared.await
}

/// Forgets those of all users of the realm.
pub async fn clear_all(cx: &Cx) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    let cleared = cx.store().in_tx(async |db| {
        store::login_failure::delete_all_failures(db, realm).await?;
        note(cx, db, Change::delete(ResourceType::UserLoginFailure)).await
    });
    cleared.await
}
