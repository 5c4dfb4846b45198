//! HTTP: addresses, parameters, headers and the shapes of answers. Nothing here decides who may have what.

pub mod admin;
mod cors;
pub mod error;
mod extract;
mod login;
mod management;
mod middleware;
mod oidc;
pub mod representation;
mod router;
mod serve;
mod state;

pub use management::management_router;
pub use router::router;
pub use serve::serve;
pub use state::{App, AppParts, Urls};
