//! The ledger row of an archive itself: no rows, and a checksum that says
//! which members it stands for.
//!
//! Written last, when all of its members are settled, so that later runs need
//! not open the archive. Under `on_change: replace` it displaces what only
//! older versions of the archive had.

use std::collections::HashSet;
use std::time::Instant;

use decant_core::archive::{Member, MemberKind, members_checksum};
use decant_core::decide::{Decision, DecisionRules};
use decant_core::destination::FileTotals;
use decant_core::ledger::KnownFile;
use decant_core::stream::OnChange;
use decant_core::{
    Arrival, Begun, Error, ErrorKind, FileId, Outcome, Receipt, Result, Status, Stream,
};

use super::shares::Sharing;
use crate::arrivals::Arrivals;
use crate::decisions::Known;
use crate::ingest::{Ingest, PlannedFile};
use crate::pipeline::Run;
use crate::retry::Retry;
use crate::tables::TablePlan;

/// How often the row is tried while the table changes.
const ROUNDS_MAX: usize = 8;

/// What the ledger says of an archive's members, in one table.
pub(super) struct SettledMembers {
    /// Members of this version that need nothing more.
    pub(super) count: u64,
    /// What the archive's row would have for a checksum.
    pub(super) checksum: i64,
}

/// The members of this version of an archive that the ledger has settled.
pub(super) fn settled_members(
    arrival: &Arrival,
    table: &str,
    known: &Known,
    stream: &Stream,
) -> SettledMembers {
    let ids: Vec<FileId> = known
        .of_key(&arrival.file.key)
        .filter(|known| *known.target_table == *table && !known.member.is_empty())
        .filter(|known| known.etag == arrival.file.etag && is_settled(known))
        .map(|known| known.id)
        .collect();
    SettledMembers {
        count: ids.len() as u64,
        checksum: members_checksum(ids, &stream.selection.member_rules()),
    }
}

fn is_settled(known: &KnownFile) -> bool {
    use Status::{Loaded, Skipped, Superseded, Undone};
    matches!(known.status, Loaded | Skipped | Superseded | Undone)
}

/// The archive's row as a file to be loaded; `None` where the ledger has it
/// just so, or the rules forbid it.
pub(super) fn row_of(
    arrival: &Arrival,
    (id, decision): (FileId, Decision),
    has_checksum: bool,
) -> Option<PlannedFile> {
    let (again, displaces, only_version) = match decision {
        Decision::Load { again, displaces, only_version, .. } => (again, displaces, only_version),
        Decision::Settled(Status::Loaded) if has_checksum => return None,
        Decision::Settled(status) => (status == Status::Loaded, Vec::new(), false),
        Decision::GaveUp { .. } | Decision::ChangeIgnored | Decision::Refused(_) => return None,
    };
    let file = arrival.file.clone();
    Some(PlannedFile {
        file,
        id,
        receipt: Receipt::None,
        displaces,
        only_version,
        again,
        upheld: Vec::new(),
        part: None,
    })
}

/// Loaded members of older versions that the archive has no more.
pub(super) fn vanished_members(
    arrival: &Arrival,
    plan: &TablePlan,
    known: &Known,
    is_present: impl Fn(&KnownFile) -> bool,
) -> Vec<FileId> {
    let DecisionRules { on_change, has_file_id, .. } = plan.rules;
    if on_change != OnChange::Replace || !has_file_id {
        return Vec::new();
    }
    let table = plan.name();
    known
        .of_key(&arrival.file.key)
        .filter(|known| *known.target_table == *table && !known.member.is_empty())
        .filter(|known| known.status == Status::Loaded && known.etag != arrival.file.etag)
        .filter(|known| !is_present(known))
        .map(|known| known.id)
        .collect()
}

/// Whether older versions have left members behind that this version, of
/// which the ledger has every member, must lack: a run that had seen an older
/// version was not done when this one was.
pub(super) fn has_left_overs(
    arrival: &Arrival,
    plan: &TablePlan,
    known: &Known,
    stream: &Stream,
) -> bool {
    let table = plan.name();
    let of_key = known.of_key(&arrival.file.key).filter(|known| *known.target_table == *table);
    let settled: HashSet<&str> = of_key
        .filter(|known| known.etag == arrival.file.etag)
        .map(|known| known.member.as_str())
        .collect();
    // What the rules leave out of this version may be in it.
    let is_left_out = |file: &KnownFile| {
        let member = Member { path: file.member.clone(), size: file.size, kind: MemberKind::File };
        stream.selection.judge_member(&file.key, &member).is_some()
    };
    let is_present = |file: &KnownFile| settled.contains(file.member.as_str()) || is_left_out(file);
    !vanished_members(arrival, plan, known, is_present).is_empty()
}

impl Run {
    /// Acknowledges what is settled. The last member of an archive settles
    /// the archive.
    pub(crate) async fn acknowledge(
        &self,
        stream: &std::sync::Arc<Stream>,
        arrivals: &mut Arrivals,
        receipts: &[Receipt],
    ) -> Result<()> {
        for receipt in receipts {
            match receipt {
                Receipt::None => {}
                Receipt::Handle(_) => arrivals.acknowledge(receipt).await?,
                Receipt::Share(number) => {
                    if let Some(whole) = arrivals.shares.take_back(*number) {
                        self.settle_archive(stream, arrivals, whole).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes the archive's row, and acknowledges its receipt; whether nothing
    /// went wrong with it.
    pub(super) async fn settle_archive(
        &self,
        stream: &std::sync::Arc<Stream>,
        arrivals: &mut Arrivals,
        whole: Sharing,
    ) -> Result<bool> {
        let Sharing { row, checksum, table, receipt, archive } = whole;
        drop(archive);
        if let Some(row) = row
            && let Err(error) = self.ingest(stream, &table).archive_row(&row, checksum).await
        {
            if error.kind() == ErrorKind::Unavailable {
                return Err(error);
            }
            self.tally.error(&error.in_file(row.file.location()));
            return Ok(false);
        }
        if receipt != Receipt::None {
            arrivals.acknowledge(&receipt).await?;
        }
        Ok(true)
    }
}

impl Ingest {
    async fn archive_row(&self, row: &PlannedFile, checksum: i64) -> Result<()> {
        let started = Instant::now();
        let mut retry = Retry::until(&self.decoder.stop);
        for _ in 0..ROUNDS_MAX {
            match self.archive_row_once(row, checksum, started).await {
                Ok(true) => return Ok(()),
                Ok(false) => self.table.look_again().await?,
                Err(error) => retry.pause(error).await?,
            }
        }
        Err(Error::new(ErrorKind::Conflict, "its table keeps changing"))
    }

    /// False when the table is not what it was.
    async fn archive_row_once(
        &self,
        row: &PlannedFile,
        checksum: i64,
        started: Instant,
    ) -> Result<bool> {
        let plan = self.table.plan().await;
        let begun = self.destination.begin(self.load_plan(&[row], &plan)).await?;
        let Begun::Ready { load, already_loaded, overtaken } = begun else { return Ok(false) };
        if already_loaded.contains(&row.id) || overtaken.contains(&row.id) {
            load.abort().await?;
            return Ok(true);
        }
        let totals = FileTotals {
            id: row.id,
            rows_read: 0,
            rows_loaded: 0,
            rows_rejected: 0,
            rows_checksum: checksum,
            processing_seconds: started.elapsed().as_secs_f64(),
            repairs_kept: 0,
            layout: None,
            settles: Vec::new(),
        };
        match load.commit(Vec::new(), vec![totals]).await?.pop() {
            Some(Outcome::SchemaChanged) => Ok(false),
            Some(Outcome::Failed(error)) => Err(error),
            // Whose archive another version is loaded of, the next run opens it.
            Some(Outcome::Committed | Outcome::AlreadyLoaded | Outcome::Overtaken) | None => {
                Ok(true)
            }
        }
    }
}
