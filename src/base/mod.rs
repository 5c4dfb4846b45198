//! The ground floor: clock, entropy, ids, secrets and points in time.
//!
//! Nothing in here knows a word of the domain. Everything above takes time and randomness from here, handed in, so that a
//! test can move the one and fix the other.

mod clock;
mod entropy;
mod id;
mod sealing;
mod secret;
mod timestamp;

pub use clock::Clock;
pub use entropy::Entropy;
pub(crate) use id::text_id;
pub use sealing::{SealError, Sealer, SealingKeysError};
pub use secret::{Secret, constant_time_eq, sha256, sha384};
pub use timestamp::Timestamp;
