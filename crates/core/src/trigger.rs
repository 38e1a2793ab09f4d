//! Where arrivals come from.

use async_trait::async_trait;

use crate::error::Result;
use crate::file::FileVersion;

/// What must be acknowledged once an arrival has been dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// Nothing to acknowledge: the arrival came from a listing.
    None,
    /// An opaque handle of the trigger that made it.
    Handle(String),
    /// A member's share of its archive's receipt, which is acknowledged once
    /// all of its shares are. Made by the engine, never by a trigger.
    Share(u64),
}

/// A file version that a trigger reports.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// What arrived.
    pub file: FileVersion,
    /// What to acknowledge after commit.
    pub receipt: Receipt,
}

/// A source of arrivals. It promises at-least-once and nothing more: the
/// ledger decides what is new.
#[async_trait]
pub trait Trigger: Send {
    /// The next arrivals, in ascending byte order of their keys where the
    /// trigger lists; `None` once there are no more, which ends a run.
    /// An empty page is allowed and says only that more may come.
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>>;

    /// Says that an arrival has been settled. Called only after commit, and
    /// harmless when called twice.
    async fn acknowledge(&mut self, receipt: &Receipt) -> Result<()>;
}
