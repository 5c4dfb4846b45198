//! Components of a realm: which providers there are, how they may be configured, and the keys that some of them hold.

pub mod catalog;
pub mod key;
pub mod policies;
pub mod property;
pub mod purpose;
