//! What becomes of a presented refresh token: the answers of the rotation step (security of refresh tokens, RFC 9700 §4.14.2).
//!
//! The step itself is one conditional statement (`store::chain::step`): it compares the generation and the id that the token
//! carries with the row, and moves the row or does not. Here stands what each outcome means.

use std::time::Duration;

use crate::model::RealmSettings;

/// How refresh tokens of a realm rotate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationMode {
    /// Every token of the client's part works, any number of times.
    Off,
    /// Each token works once, and `max_reuse` times more while it is the one used last.
    Strict { max_reuse: i32 },
}

impl RotationMode {
    pub fn of(realm: &RealmSettings) -> Self {
        if realm.revoke_refresh_token {
            Self::Strict { max_reuse: i32::try_from(realm.refresh_token_max_reuse.max(0)).unwrap_or(i32::MAX) }
        } else {
            Self::Off
        }
    }

    pub fn is_on(self) -> bool {
        self != Self::Off
    }
}

/// What the row said of the presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The current token: the row moved to its successor.
    Rotated,
    /// The token used last, within its allowed reuse: answered with the same successor again.
    Replayed,
    /// The token is ahead of the row: commits were lost in a failover. Accepted, with an alarm.
    Ahead,
    /// The token used last, once too often.
    Reuse,
    /// A token that was superseded before.
    Older,
    /// Rotation is off: the use is noted and nothing moves.
    Used,
}

impl Outcome {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "rotated" => Some(Self::Rotated),
            "replayed" => Some(Self::Replayed),
            "ahead" => Some(Self::Ahead),
            "reuse" => Some(Self::Reuse),
            "older" => Some(Self::Older),
            "used" => Some(Self::Used),
            _ => None,
        }
    }

    /// The words for the client if the token was stolen or used twice; none if it is accepted.
    pub fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Reuse => Some("Maximum allowed refresh token reuse exceeded"),
            Self::Older => Some("Stale token"),
            Self::Rotated | Self::Replayed | Self::Ahead | Self::Used => None,
        }
    }
}

/// The span to which the last refresh is rounded for the sweeper's index: it moves four times per idle time.
pub fn bucket_span(idle: Duration) -> Duration {
    (idle / 4).max(Duration::from_secs(1))
}
