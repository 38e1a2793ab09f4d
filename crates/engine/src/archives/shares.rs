//! Archives whose members are being loaded: which of them are settled whole.
//!
//! A member that failed keeps its share, so that its archive is opened again
//! by the next run.

use std::collections::HashMap;
use std::sync::Arc;

use decant_core::Receipt;

use super::ArchiveFile;
use crate::ingest::PlannedFile;
use crate::tables::Table;

/// An archive whose members are being loaded.
pub(crate) struct Sharing {
    /// The archive's own ledger row to be, if it needs one.
    pub(crate) row: Option<PlannedFile>,
    /// What its row has for a checksum.
    pub(crate) checksum: i64,
    /// Where its members go.
    pub(crate) table: Arc<Table>,
    /// What is acknowledged when all of them are settled.
    pub(crate) receipt: Receipt,
    /// Keeps the members readable.
    pub(crate) archive: Arc<ArchiveFile>,
}

/// The shares of all archives of a run.
#[derive(Default)]
pub(crate) struct Shares {
    next: u64,
    open: HashMap<u64, (usize, Sharing)>,
}

impl Shares {
    /// Hands out `count` shares of one number, at least one.
    pub(crate) fn hand_out(&mut self, count: usize, sharing: Sharing) -> Receipt {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (count, sharing));
        Receipt::Share(number)
    }

    /// Takes one share back; the last one brings the archive.
    pub(crate) fn take_back(&mut self, number: u64) -> Option<Sharing> {
        let (left, _) = self.open.get_mut(&number)?;
        *left = left.saturating_sub(1);
        if *left > 0 {
            return None;
        }
        self.open.remove(&number).map(|(_, sharing)| sharing)
    }
}
