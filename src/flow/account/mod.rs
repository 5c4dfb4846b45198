//! What users see and end of their own: the applications that may act for them, and where they are signed in.

pub mod applications;
pub mod console;
pub mod profile;
pub mod sessions;
