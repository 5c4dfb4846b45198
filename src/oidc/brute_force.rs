//! When wrong passwords lock a user, and for how long: Keycloak's rules (`DefaultBruteForceProtector`, 26.7.0).

use std::time::Duration;

use crate::base::Timestamp;
use crate::model::login_failure::LoginFailures;
use crate::model::realm::BruteForceSettings;

/// What a wrong password leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    Nothing,
    /// Nobody signs in as the user for a while.
    Temporary,
    /// The user is disabled until an administrator enables it again.
    Permanent,
}

/// How a user is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    Temporary,
    Permanent,
}

impl Lock {
    /// The word that events have for it.
    pub fn event_error(self) -> &'static str {
        match self {
            Self::Temporary => "user_temporarily_disabled",
            Self::Permanent => "user_disabled",
        }
    }
}

/// The user's failures after one more. While a user is locked nothing is counted, so that a stranger cannot prolong it.
pub fn failed(rules: &BruteForceSettings, before: &LoginFailures, now: Timestamp, ip: &str) -> (LoginFailures, Consequence) {
    let since = before.last_at.map(|last| now.since(last));
    let is_forgotten = since.is_some_and(|since| since > rules.max_delta);
    let mut after = if is_forgotten { LoginFailures::default() } else { before.clone() };
    after.failures = after.failures.saturating_add(1);
    after.last_at = Some(now);
    after.last_ip_address = Some(ip.to_owned());
    if rules.permanent && rules.max_temporary_lockouts == 0 {
        let is_over = after.failures >= rules.failure_factor;
        return (after, if is_over { Consequence::Permanent } else { Consequence::Nothing });
    }
    let is_quick = since.is_some_and(|since| since < rules.quick_login_check);
    let mut wait = wait(rules, after.failures);
    let is_counted = !wait.is_zero();
    if !is_counted && is_quick {
        wait = rules.minimum_quick_login_wait;
    }
    if wait.is_zero() {
        return (after, Consequence::Nothing);
    }
    // Whole seconds: that is what administrators are told.
    after.locked_until = Some(now.floor_to(Duration::from_secs(1)) + wait.min(rules.max_failure_wait));
    if is_counted {
        after.temporary_lockouts = after.temporary_lockouts.saturating_add(1);
    }
    let is_over = rules.permanent && after.temporary_lockouts > rules.max_temporary_lockouts;
    (after, if is_over { Consequence::Permanent } else { Consequence::Temporary })
}

/// How long so many failures lock: by each full round of the factor, or by each failure from it on.
fn wait(rules: &BruteForceSettings, failures: i32) -> Duration {
    let factor = rules.failure_factor.max(1);
    let steps = if rules.is_linear { failures.saturating_sub(factor).saturating_add(1) } else { failures / factor };
    rules.wait_increment.saturating_mul(u32::try_from(steps).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> BruteForceSettings {
        BruteForceSettings {
            is_on: true,
            permanent: false,
            max_temporary_lockouts: 0,
            is_linear: false,
            failure_factor: 3,
            wait_increment: Duration::from_secs(60),
            max_failure_wait: Duration::from_secs(150),
            quick_login_check: Duration::from_secs(1),
            minimum_quick_login_wait: Duration::from_secs(30),
            max_delta: Duration::from_secs(3_600),
        }
    }

    /// The lock after each of so many failures, one after the other with a pause, in seconds.
    fn locks(rules: &BruteForceSettings, count: usize, pause: u64) -> Vec<(i64, Consequence)> {
        let (mut failures, mut now) = (LoginFailures::default(), Timestamp::from_unix_seconds(1_000_000));
        (0..count)
            .map(|_| {
                let before = failures.locked_until;
                let (after, consequence) = failed(rules, &failures, now, "192.0.2.1");
                let until = after.locked_until.filter(|_| after.locked_until != before);
                let lock = until.map_or(0, |until| until.unix_seconds() - now.unix_seconds());
                (failures, now) = (after, now + Duration::from_secs(pause));
                (lock, consequence)
            })
            .collect()
    }

    #[test]
    fn each_round_of_the_factor_locks_longer_up_to_the_maximum() {
        use Consequence::{Nothing, Temporary};
        let expected = [(0, Nothing), (0, Nothing), (60, Temporary), (60, Temporary), (60, Temporary), (120, Temporary)];
        assert_eq!(locks(&rules(), 6, 200), expected);
        assert_eq!(locks(&rules(), 9, 200)[8], (150, Temporary));
        let linear = BruteForceSettings { is_linear: true, ..rules() };
        let expected = [(0, Nothing), (0, Nothing), (60, Temporary), (120, Temporary), (150, Temporary)];
        assert_eq!(locks(&linear, 5, 200), expected);
    }

    #[test]
    fn two_failures_within_a_moment_lock_for_a_short_while_and_old_ones_are_forgotten() {
        use Consequence::{Nothing, Temporary};
        assert_eq!(locks(&rules(), 2, 0), [(0, Nothing), (30, Temporary)]);
        assert_eq!(locks(&rules(), 4, 3_601), [(0, Nothing); 4]);
    }

    #[test]
    fn a_permanent_lock_comes_at_once_or_after_so_many_temporary_ones() {
        use Consequence::{Nothing, Permanent, Temporary};
        let at_once = BruteForceSettings { permanent: true, ..rules() };
        assert_eq!(locks(&at_once, 3, 200), [(0, Nothing), (0, Nothing), (0, Permanent)]);
        let later = BruteForceSettings { max_temporary_lockouts: 1, ..at_once };
        assert_eq!(locks(&later, 4, 200), [(0, Nothing), (0, Nothing), (60, Temporary), (60, Permanent)]);
    }
}
