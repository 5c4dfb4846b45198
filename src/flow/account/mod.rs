//! What users see and end of their own: the applications that may act for them, and where they are signed in.

/// How many sessions of a kind are looked at: those used last. Nobody reads a longer list, and a program that signs in over and
/// over must not make the page slow.
const MAX_SESSIONS: i64 = 200;

pub mod applications;
pub mod console;
pub mod profile;
pub mod sessions;
