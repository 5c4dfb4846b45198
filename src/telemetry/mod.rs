//! What the server tells its operators: log lines and metrics.
//!
//! Log lines never carry tokens, codes, secrets, e-mail addresses or query strings. Metric labels are enums of this layer,
//! names of realms that exist and route templates: nothing that a stranger can make up, so that no request can make a new
//! time series. The words of the protocol are repeated here rather than imported: this layer sits below all that use it.

pub mod labels;
mod logs;
pub mod memory;
pub mod metrics;

pub use logs::{LogError, Stream, install as install_logs};
