//! What the configuration is read for: not every command needs all of it.

/// What the settings are for, which decides what must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `start`: nothing is made up.
    Start,
    /// `start-dev`: what is missing is made up.
    StartDev,
    /// `migrate`: only the database, since a migration seals nothing.
    Migrate,
    /// `sweep`: the database, and the keys that open what a realm holds.
    Sweep,
    /// `export` and `import`: the same.
    Files,
    /// `healthcheck`: only where the server listens.
    Probe,
}
