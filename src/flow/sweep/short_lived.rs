//! Codes, tabs and notes of revoked tokens past their time, and events that the realm keeps no longer.

use std::time::Duration;

use super::{SweepRules, Swept};
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::flow::realms::LoadedRealm;
use crate::store::StoreError;
use crate::store::sweep::short_lived;

/// A tab is kept for a day after its time: a user who comes back late is led on instead of being told off.
const TABS_KEPT: Duration = Duration::from_secs(86_400);

/// Whatever the realm.
pub(super) async fn sweep(server: &Server, rules: SweepRules, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
    let (cutoff, limit) = (now - rules.margin, i64::from(rules.batch));
    let tabs_cutoff = cutoff - TABS_KEPT;
    if rules.dry_run {
        let mut db = server.store.db().await?;
        [swept.codes, swept.tabs, swept.revoked_tokens] = short_lived::count_short_lived(&mut db, cutoff, tabs_cutoff).await?;
        return Ok(());
    }
    loop {
        let mut db = server.store.db().await?;
        let codes = short_lived::delete_codes(&mut db, cutoff, limit).await?;
        let tabs = short_lived::delete_tabs(&mut db, tabs_cutoff, limit).await?;
        let revoked = short_lived::delete_revoked(&mut db, cutoff, limit).await?;
        swept.codes += codes;
        swept.tabs += tabs;
        swept.revoked_tokens += revoked;
        swept.batches += 1;
        if [codes, tabs, revoked].into_iter().all(|n| n < u64::from(rules.batch)) {
            return Ok(());
        }
    }
}

/// The events of a realm that are older than it keeps them; how many went.
pub(super) async fn events(server: &Server, realm: &LoadedRealm, rules: SweepRules, now: Timestamp) -> Result<u64, StoreError> {
    let realm = &realm.snapshot.realm;
    let Some(kept) = realm.settings.events_expiration else { return Ok(0) };
    let cutoff = now - kept;
    let mut db = server.store.db().await?;
    if rules.dry_run {
        return short_lived::count_old_events(&mut db, &realm.id, cutoff).await;
    }
    let mut removed = 0;
    loop {
        let batch = short_lived::delete_old_events(&mut db, &realm.id, cutoff, i64::from(rules.batch)).await?;
        removed += batch;
        if batch < u64::from(rules.batch) {
            return Ok(removed);
        }
    }
}
