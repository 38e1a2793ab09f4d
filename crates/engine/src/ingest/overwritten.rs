//! Files whose key turns out to hold another version than was planned: the
//! object was overwritten before it was read, or somebody loaded another
//! version of it. Which one is right is neither told by clocks nor by who
//! came first: the key is looked at again.

use decant_core::ledger::Status;
use decant_core::{Arrival, Error, ErrorKind, Receipt, Result};

use super::{Ingest, PlannedFile};
use crate::decisions::{Known, carry_out, decide_on};
use crate::file_progress::FileFailure;
use crate::observer::Event;

impl Ingest {
    /// The object was overwritten while it was read: start again as what it
    /// is now.
    pub(super) async fn overwritten(
        &self,
        file: PlannedFile,
        failure: FileFailure,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let is_member = !file.file.member.is_empty();
        match self.decoder.services.present(&file.file).await? {
            Some(now) if now.file != file.file => self.decide_again(file, now, settled).await,
            None if !is_member => self.gone(file, settled).await,
            // The next run lists the archive as it is now.
            Some(_) | None => {
                self.settle(&file, failure, settled).await?;
                Ok(None)
            }
        }
    }

    /// Somebody loaded another version of the file's key since it was planned:
    /// plan it again, as what it is now.
    pub(super) async fn overtaken(
        &self,
        file: PlannedFile,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        tracing::info!(file = %file.file, "another version was loaded meanwhile");
        match self.decoder.services.present(&file.file).await? {
            Some(now) => self.decide_again(file, now, settled).await,
            None if file.file.member.is_empty() => self.gone(file, settled).await,
            // A member of an archive that is no more, and whose place another
            // has taken: the next run lists the archive as it is now.
            None => {
                self.tally.files(|files| files.already_loaded += 1);
                self.ended(file, settled);
                Ok(None)
            }
        }
    }

    async fn decide_again(
        &self,
        file: PlannedFile,
        now: Arrival,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let now = Arrival { receipt: file.receipt, ..now };
        let known = Known::of(&*self.destination.ledger(), std::iter::once(&now)).await?;
        let decision = decide_on(&*self.table.plan().await, &now, &known);
        let planned = carry_out(&self.tally, now, decision, settled);
        if planned.is_none() {
            self.decoder.services.observer.observe(Event::Settled { files: 1 });
        }
        Ok(planned)
    }

    async fn gone(
        &self,
        file: PlannedFile,
        settled: &mut Vec<Receipt>,
    ) -> Result<Option<PlannedFile>> {
        let gone = Error::new(ErrorKind::NotFound, "was deleted while it was read");
        let gone = gone.in_file(file.file.location()).into();
        self.settle_as(Status::Vanished, &file, gone, settled).await?;
        Ok(None)
    }

    fn ended(&self, file: PlannedFile, settled: &mut Vec<Receipt>) {
        self.decoder.services.observer.observe(Event::Settled { files: 1 });
        settled.push(file.receipt);
    }
}
