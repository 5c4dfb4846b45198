//! Points in time, in whole microseconds.
//!
//! Postgres keeps microseconds; a value that changed on its first round trip would break every comparison, so a
//! [`Timestamp`] is cut to microseconds when it is made. Tokens carry whole seconds, the Admin REST API milliseconds.

use std::ops::{Add, Sub};
use std::time::Duration;

use time::OffsetDateTime;

/// A point in time, in microseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Postgres' `timestamptz` and `time` both end before these.
const EARLIEST: i64 = -62_000_000_000_000_000;
const LATEST: i64 = 253_000_000_000_000_000;

impl Timestamp {
    pub const EARLIEST: Self = Self(EARLIEST);
    pub const LATEST: Self = Self(LATEST);

    pub fn from_offset(moment: OffsetDateTime) -> Self {
        let micros = moment.unix_timestamp_nanos().div_euclid(1_000);
        Self::from_unix_micros(i64::try_from(micros).unwrap_or(LATEST))
    }

    pub fn from_unix_micros(micros: i64) -> Self {
        Self(micros.clamp(EARLIEST, LATEST))
    }

    pub fn from_unix_millis(millis: i64) -> Self {
        Self::from_unix_micros(millis.saturating_mul(1_000))
    }

    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_micros(seconds.saturating_mul(1_000_000))
    }

    pub fn unix_micros(self) -> i64 {
        self.0
    }

    pub fn unix_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since 1970, cut: the form of `iat`, `exp` and not-before.
    pub fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    pub fn to_offset(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// The beginning of the span of length `span`, counted from 1970, in which this point lies.
    pub fn floor_to(self, span: Duration) -> Self {
        let span = micros(span).max(1);
        Self(self.0.div_euclid(span) * span)
    }

    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, by: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_add(micros(by)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, by: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_sub(micros(by)))
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Timestamp({})", self.to_offset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seconds_are_cut_and_not_rounded() {
        assert_eq!(Timestamp::from_unix_micros(1_999_999).unix_seconds(), 1);
        assert_eq!(Timestamp::from_unix_micros(-1).unix_seconds(), -1);
    }

    proptest! {
        #[test]
        fn a_timestamp_survives_its_round_trip(micros in any::<i64>()) {
            let there = Timestamp::from_unix_micros(micros);
            prop_assert_eq!(Timestamp::from_offset(there.to_offset()), there);
        }

        #[test]
        fn the_floor_is_never_later_and_less_than_a_span_earlier(micros in 0..LATEST, span in 1_u64..10_000_000) {
            let at = Timestamp::from_unix_micros(micros);
            let floor = at.floor_to(Duration::from_secs(span));
            prop_assert!(floor <= at && at < floor + Duration::from_secs(span));
        }
    }
}
