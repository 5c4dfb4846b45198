//! The pages of sign-in and the forms they send.

pub(crate) mod cookies;
