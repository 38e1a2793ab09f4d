//! Rows that were mended by hand, and the rejects that they mend.
//!
//! Invariant: no edited row is left out in silence. One whose reject is not
//! here, or is another row's, counts as still rejected, and is told by name.

use std::collections::{BTreeMap, BTreeSet};

use decant_core::ledger::{Status, StoredReject};
use decant_core::reject::Reason;
use decant_core::{Error, ErrorKind};

use super::is_open;
use crate::report::Tally;

/// Rows that are named in the report at most.
const TOLD_MAX: usize = 20;

/// An export that somebody edited.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// What stands in the header behind the name of the ids' column; `None`
    /// where there is no header.
    pub header: Option<Vec<u8>>,
    /// The rows by the ids of their rejects.
    pub rows: BTreeMap<i64, Edit>,
}

/// A row that was mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What [`StoredReject::tag`] was when it was exported.
    pub tag: String,
    /// What stands behind the id.
    pub text: Vec<u8>,
}

impl Edits {
    /// The mended text of this reject.
    pub(super) fn text_of(&self, stored: &StoredReject) -> Option<&[u8]> {
        let edit = self.rows.get(&stored.id).filter(|edit| edit.tag == stored.tag());
        edit.map(|edit| edit.text.as_slice())
    }
}

/// Which edited rows have met their rejects so far.
pub(super) struct Meeting<'a> {
    edits: &'a Edits,
    met: BTreeSet<i64>,
    /// Rows whose ids are other rows' here.
    strangers: BTreeSet<i64>,
    /// Rows that are loaded already.
    loaded: u64,
    /// Why rows cannot be replayed.
    refused: Vec<String>,
}

impl<'a> Meeting<'a> {
    pub(super) fn new(edits: &'a Edits) -> Self {
        let (met, strangers) = (BTreeSet::new(), BTreeSet::new());
        Self { edits, met, strangers, loaded: 0, refused: Vec::new() }
    }

    /// Whether an edited row is to be replayed for this reject.
    pub(super) fn meets(&mut self, stored: &StoredReject) -> bool {
        let Some(edit) = self.edits.rows.get(&stored.id) else { return false };
        if edit.tag != stored.tag() {
            self.strangers.insert(stored.id);
            self.refused.push(format!(
                "r{}-{}: the reject {} of this ledger is another row: row {} of {}",
                stored.id, edit.tag, stored.id, stored.reject.ordinal, stored.file.file
            ));
            return false;
        }
        self.met.insert(stored.id);
        if is_open(stored) {
            return true;
        }
        if stored.settled_at.is_some() || stored.reject.reason == Reason::Repaired {
            self.loaded += 1;
        } else if stored.file.status != Status::Loaded {
            let status = stored.file.status.as_str();
            self.refused.push(format!(
                "r{}-{}: {} is {status}, not loaded: load the file first",
                stored.id, edit.tag, stored.file.file
            ));
        }
        false
    }

    /// Says what became of the rows that were not replayed.
    pub(super) fn tell(mut self, tally: &Tally) {
        if self.loaded > 0 {
            tally.note(format!("loaded before: {} of the edited rows", self.loaded));
        }
        for (id, edit) in &self.edits.rows {
            if !self.met.contains(id) && !self.strangers.contains(id) {
                let reject = format!("r{id}-{}", edit.tag);
                self.refused.push(format!("{reject}: there is no such reject among those chosen"));
            }
        }
        if self.refused.is_empty() {
            return;
        }
        tally.not_replayed(self.refused.len() as u64);
        for why in self.refused.iter().take(TOLD_MAX) {
            tally.note(format!("not replayed: {why}"));
        }
        if self.refused.len() > TOLD_MAX {
            tally.note(format!("and {} more", self.refused.len() - TOLD_MAX));
        }
        if self.met.is_empty() {
            let message = "none of the edited rows has its reject in this ledger";
            tally.error(&Error::new(ErrorKind::NotFound, message).with_hint(
                "they were exported from another database, or the rows of their files were \
                 replaced since: export them again",
            ));
        }
    }
}
