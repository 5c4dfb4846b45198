//! The program: its verbs, what it prints, how it starts and stops.
//!
//! The outermost layer; it may use every other. What a server consists of is put together in [`server`] alone; the rest is
//! what surrounds one: options, signals, the banner, and the Postgres that `start-dev` brings along.

pub mod banner;
mod command;
mod config_check;
mod demo_realm;
mod dev_key;
mod difference;
pub mod embedded;
mod healthcheck;
mod main;
mod output;
mod realm_file;
pub mod server;
mod signals;

pub use command::command;
pub use main::main;
pub use output::line as print_line;
