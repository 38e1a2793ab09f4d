//! What a stream's listing brings: judged by the selection, given a table,
//! page by page.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use decant_core::selection::Exclusion;
use decant_core::{Arrival, Error, FileVersion, Result, Stream, TableName, Trigger};

use crate::archives::Shares;
use crate::early::Offers;
use crate::sampling::Candidates;
use crate::services::Services;
use crate::tables::Tables;

/// Arrivals that a survey keeps so that the loading need not list again.
const ARRIVALS_KEPT: usize = 10_000;

/// The arrivals of one stream.
pub(crate) struct Arrivals {
    services: Services,
    stream: Arc<Stream>,
    now: DateTime<Utc>,
    kept: VecDeque<Vec<Arrival>>,
    trigger: Option<Box<dyn Trigger>>,
    /// Receipts of archives, shared by their members.
    pub(crate) shares: Shares,
}

/// An arrival with what the stream's rules say of it.
pub(crate) struct Judged {
    pub(crate) arrival: Arrival,
    pub(crate) verdict: Verdict,
}

/// Where an arrival goes, if anywhere.
pub(crate) enum Verdict {
    Goes(TableName),
    Excluded(Exclusion),
    Refused(Error),
}

impl Arrivals {
    pub(crate) fn new(services: &Services, stream: &Arc<Stream>, now: DateTime<Utc>) -> Self {
        Self {
            services: services.clone(),
            stream: Arc::clone(stream),
            now,
            kept: VecDeque::new(),
            trigger: None,
            shares: Shares::default(),
        }
    }

    /// The next page, judged; `None` when there is no more.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Judged>>> {
        let page = match self.kept.pop_front() {
            Some(page) => Some(page),
            None => self.next_listed().await?,
        };
        Ok(page.map(|page| page.into_iter().map(|arrival| self.judge(arrival)).collect()))
    }

    /// Says that an arrival has been settled.
    pub(crate) async fn acknowledge(&mut self, receipt: &decant_core::Receipt) -> Result<()> {
        match &mut self.trigger {
            Some(trigger) => trigger.acknowledge(receipt).await,
            None => Ok(()),
        }
    }

    /// Looks through the whole listing for tables that are missing, and
    /// chooses the files to infer each from. Afterwards the pages come again;
    /// what will go to a missing table is offered to be fetched early.
    pub(crate) async fn survey(
        &mut self,
        tables: &mut Tables,
        mut early: Option<&mut Offers>,
    ) -> Result<BTreeMap<TableName, Candidates>> {
        let mut missing: BTreeMap<TableName, Candidates> = BTreeMap::new();
        if let Some(name) = self.stream.table.fixed()
            && tables.describe(&name).await?.is_some_and(|state| state.schema.is_some())
        {
            return Ok(missing);
        }
        let mut listed = 0;
        while let Some(page) = self.next_listed().await? {
            listed += page.len();
            for arrival in &page {
                let judged = self.judge(arrival.clone());
                let Verdict::Goes(name) = judged.verdict else { continue };
                let state = tables.describe(&name).await?;
                if state.is_some_and(|state| state.schema.is_none()) {
                    let file = &judged.arrival.file;
                    missing.entry(name).or_default().offer(file);
                    if let Some(early) = early.as_mut().filter(|_| self.is_plain(file)) {
                        early.offer(file);
                    }
                }
            }
            if listed <= ARRIVALS_KEPT {
                self.kept.push_back(page);
            }
        }
        if listed > ARRIVALS_KEPT {
            self.kept.clear();
            self.trigger = None;
        }
        Ok(missing)
    }

    async fn next_listed(&mut self) -> Result<Option<Vec<Arrival>>> {
        let trigger =
            self.trigger.get_or_insert_with(|| (self.services.list)(self.stream.selection.scans()));
        trigger.next().await
    }

    /// Whether it is no archive.
    fn is_plain(&self, file: &FileVersion) -> bool {
        matches!((self.services.archive)(file.name(), &self.stream.format), Ok(None))
    }

    fn judge(&self, arrival: Arrival) -> Judged {
        let file = &arrival.file;
        let selection = &self.stream.selection;
        let verdict = match selection.judge(&file.key, file.size, file.last_modified, self.now) {
            Some(exclusion) => Verdict::Excluded(exclusion),
            None => match self.stream.table.table_for(&file.key, selection.named_groups()) {
                Ok(table) => Verdict::Goes(table),
                Err(error) => Verdict::Refused(error),
            },
        };
        Judged { arrival, verdict }
    }
}
