//! The embedded default: a private Postgres for `start-dev`, from the programs that are on this machine.
//!
//! The server does not start Postgres itself but a *guard*: this program again, in a process group of its own, with a pipe as
//! its standard input. The pipe's end tells the guard that the server is gone, however it went, and the guard stops
//! Postgres. So nothing stays behind after `kill -9`, and Ctrl-C in a terminal reaches the server alone.
//!
//! The data folder holds `nightlatch.lock` (held by the guard), `postgres/` (the database), `postgres.log` and `kek`. There
//! is no TCP port: only a socket in a folder that nobody else may enter, which is why no password is asked.

mod binaries;
mod cluster;
mod data_dir;
mod error;
mod guard;
mod leftovers;
mod lock;
mod os_user;
mod owner;
mod plan;
mod process;

pub use data_dir::prepare as prepare_data_dir;
pub use error::EmbeddedError;
pub(super) use guard::run as guard;
pub use owner::{EmbeddedPostgres, start};
pub(super) use plan::GuardArgs;
