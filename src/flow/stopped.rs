//! Why nothing of a transaction was written.

use crate::store::StoreError;

/// The error of work that is decided anew where what it was decided on has moved.
#[derive(Debug)]
pub enum Stopped {
    Moved,
    Failed(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}
