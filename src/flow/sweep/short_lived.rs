//! Codes, tabs, notes of revoked tokens and used assertions, and links of letters past their time; and events that the realm keeps
//! no longer.

use std::time::Duration;

use super::{SweepRules, Swept};
use crate::base::Timestamp;
use crate::flow::context::Server;
use crate::flow::realms::LoadedRealm;
use crate::store::StoreError;
use crate::store::sweep::short_lived::{self, EventLog};

/// A tab is kept for a day after its time: a user who comes back late is led on instead of being told off.
const TABS_KEPT: Duration = Duration::from_secs(86_400);

/// Whatever the realm.
pub(super) async fn sweep(server: &Server, rules: SweepRules, now: Timestamp, swept: &mut Swept) -> Result<(), StoreError> {
    let (cutoff, limit) = (now - rules.margin, i64::from(rules.batch));
    let tabs_cutoff = cutoff - TABS_KEPT;
    if rules.dry_run {
        let mut db = server.store.db().await?;
        let counts = short_lived::count_short_lived(&mut db, cutoff, tabs_cutoff).await?;
        [swept.codes, swept.tabs, swept.revoked_tokens, swept.assertions, swept.action_tokens, swept.initial_access] = counts;
        return Ok(());
    }
    loop {
        let mut db = server.store.db().await?;
        let codes = short_lived::delete_codes(&mut db, cutoff, limit).await?;
        let tabs = short_lived::delete_tabs(&mut db, tabs_cutoff, limit).await?;
        let revoked = short_lived::delete_revoked(&mut db, cutoff, limit).await?;
        let assertions = short_lived::delete_assertions(&mut db, cutoff, limit).await?;
        let links = short_lived::delete_action_tokens(&mut db, cutoff, limit).await?;
        let initial_access = short_lived::delete_initial_access(&mut db, cutoff, limit).await?;
        swept.codes += codes;
        swept.tabs += tabs;
        swept.revoked_tokens += revoked;
        swept.assertions += assertions;
        swept.action_tokens += links;
        swept.initial_access += initial_access;
        swept.batches += 1;
        if [codes, tabs, revoked, assertions, links, initial_access].into_iter().all(|n| n < u64::from(rules.batch)) {
            return Ok(());
        }
    }
}

/// The events of a realm, and those of its administrators, that are older than it keeps them; how many went.
pub(super) async fn events(server: &Server, realm: &LoadedRealm, rules: SweepRules, now: Timestamp) -> Result<u64, StoreError> {
    let (id, settings) = (&realm.snapshot.realm.id, &realm.snapshot.realm.settings);
    let kept = [(EventLog::Users, settings.events_expiration), (EventLog::Administrators, settings.admin_events_expiration)];
    let mut db = server.store.db().await?;
    let mut removed = 0;
    for (log, kept) in kept {
        let Some(kept) = kept else { continue };
        if rules.dry_run {
            removed += short_lived::count_old_events(&mut db, log, id, now - kept).await?;
            continue;
        }
        loop {
            let batch = short_lived::delete_old_events(&mut db, log, id, now - kept, i64::from(rules.batch)).await?;
            removed += batch;
            if batch < u64::from(rules.batch) {
                break;
            }
        }
    }
    Ok(removed)
}
