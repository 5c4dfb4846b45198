//! What can go wrong below: a conflict that the caller may explain, or trouble with the database.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum StoreError {
    /// A unique or foreign key refused the write; the name of the constraint.
    #[error("the write conflicts with {0}")]
    Conflict(String),
    /// What was read cannot be what was written: a bug, or a hand in the database.
    #[error("stored data is inconsistent: {0}")]
    Inconsistent(String),
    #[error("a sealed value does not open; is the key-encryption key the right one?")]
    Sealed(#[source] crate::base::SealError),
    /// A text or a number that Postgres does not take, such as one with a NUL: the caller's to explain.
    #[error("the database does not take a value")]
    Refused(#[source] sqlx::Error),
    /// Others keep changing what a decision is taken on.
    #[error("realm and user keep changing")]
    Busy,
    #[error("the schema could not be brought up to date")]
    Migration(#[source] sqlx::migrate::MigrateError),
    /// The database is down, slow or gone; whether the write happened is not known.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
}

impl StoreError {
    pub(super) fn sealed(error: crate::base::SealError) -> Self {
        Self::Sealed(error)
    }

    pub(super) fn migration(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(error)
    }

    pub(super) fn inconsistent(what: impl std::fmt::Display) -> Self {
        Self::Inconsistent(what.to_string())
    }

    /// Whether this constraint refused the write.
    pub fn is_conflict(&self, constraint: &str) -> bool {
        matches!(self, Self::Conflict(name) if name == constraint)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(db) if db.is_unique_violation() || db.is_foreign_key_violation() || db.is_check_violation() => {
                Self::Conflict(db.constraint().unwrap_or_default().to_owned())
            }
            // Classes 22, data exception, and 54, program limit exceeded.
            sqlx::Error::Database(db) if db.code().is_some_and(|c| c.starts_with("22") || c.starts_with("54")) => {
                Self::Refused(error)
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::Inconsistent(error.to_string()),
            _ => Self::Unavailable(error),
        }
    }
}
