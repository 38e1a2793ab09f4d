//! Types that a replay is given: they say how values are read, and make a
//! column of ours wider where it could not hold them.
//!
//! The change is made once rows are there that need it, in a transaction of
//! its own before theirs, as loads do it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decant_core::conform::Mismatch;
use decant_core::destination::{DecimalSupport, TableChange};
use decant_core::ledger::RejectsFilter;
use decant_core::stream::TypePolicy;
use decant_core::value_format::GivenType;
use decant_core::widen::can_widen;
use decant_core::{ColumnType, Error, ErrorKind, FileId, FileVersion, LedgerEntry, Result};

use super::{PAGE, Reading, Replay, ReplayDoors, is_open, reading};
use crate::pipeline::Run;
use crate::tables::{Table, TablePlan};
use crate::widening::{self, Step};

type Given = BTreeMap<String, GivenType>;

/// Columns that must become wider.
pub(super) struct Wider(Vec<Step>);

impl Wider {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The table as it is going to be.
    pub(super) fn plan(&self, plan: &Arc<TablePlan>) -> Arc<TablePlan> {
        if self.is_empty() {
            return Arc::clone(plan);
        }
        let mut plan = (**plan).clone();
        for step in &self.0 {
            if let Some(position) = plan.schema.position(&step.column) {
                plan.schema.columns[position].column_type = Some(step.to());
            }
        }
        plan.state.schema = Some(plan.schema.clone());
        Arc::new(plan)
    }
}

impl Run {
    /// Refuses a type for a column that none of the files has.
    pub(super) async fn check_types(&self, replay: &Replay, doors: &ReplayDoors) -> Result<()> {
        if replay.types.is_empty() {
            return Ok(());
        }
        let ledger = self.services.destination.ledger();
        let mut filter =
            RejectsFilter { unsettled: true, limit: Some(PAGE), ..replay.filter.clone() };
        let mut last: Option<FileId> = None;
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut columns: Vec<String> = Vec::new();
        loop {
            let page = ledger.stored_rejects(&filter).await?;
            let Some(end) = page.last() else { break };
            filter.after = Some((end.file.id, end.id));
            for stored in page.iter().filter(|stored| is_open(stored)) {
                if last.replace(stored.file.id) == Some(stored.file.id) {
                    continue;
                }
                let Ok(reading) = reading(&stored.file, replay, doors) else { continue };
                known.extend(self.known_types(&reading, &stored.file, replay).await?.into_keys());
                columns = reading.layout.names;
            }
            if known.len() == replay.types.len() {
                return Ok(());
            }
        }
        match replay.types.keys().find(|name| !known.contains(*name)) {
            // Files that cannot be read again say why themselves.
            Some(name) if !columns.is_empty() => Err(unknown(name, &columns)),
            _ => Ok(()),
        }
    }

    /// Adds the types that the file has columns for to its rules, and answers
    /// them.
    pub(super) async fn give_types(
        &self,
        reading: &mut Reading,
        entry: &LedgerEntry,
        replay: &Replay,
    ) -> Result<Given> {
        if replay.types.is_empty() {
            return Ok(Given::new());
        }
        let given = self.known_types(reading, entry, replay).await?;
        let mut stream = (*reading.stream).clone();
        stream.columns.types.extend(given.clone());
        reading.stream = Arc::new(stream);
        Ok(given)
    }

    async fn known_types(
        &self,
        reading: &Reading,
        entry: &LedgerEntry,
        replay: &Replay,
    ) -> Result<Given> {
        let plan = self.table_of(reading, entry).await?.plan().await;
        let is_known = |name: &String, given: &GivenType| {
            let mut plan = (*plan).clone();
            plan.fit.columns.types.insert(name.clone(), given.clone());
            let conform = plan.conform(&reading.columns(), None);
            !matches!(conform, Err(Mismatch::Refused(error)) if error.kind() == ErrorKind::InvalidConfig)
        };
        let known = replay.types.iter().filter(|(name, given)| is_known(name, given));
        Ok(known.map(|(name, given)| (name.clone(), given.clone())).collect())
    }

    /// The columns that are narrower than the types given for them.
    ///
    /// # Errors
    ///
    /// `SchemaMismatch` where one may not, or cannot, become wider.
    pub(super) async fn wider(
        &self,
        plan: &TablePlan,
        reading: &Reading,
        given: &Given,
    ) -> Result<Wider> {
        let mut as_it_is = plan.clone();
        as_it_is.fit.columns.types.retain(|name, _| !given.contains_key(name));
        let mut steps = Vec::new();
        let Ok(conform) = as_it_is.conform(&reading.columns(), None) else {
            return Ok(Wider(steps));
        };
        for (index, position) in conform.loaded_columns() {
            let column = &plan.schema.columns[position];
            let source = &reading.layout.names[index];
            let rules = &plan.fit.columns;
            let is_meant = |name: &String| {
                let renamed = rules.rename.get(source);
                name == source
                    || *name == column.name
                    || Some(name) == renamed
                    || *name == rules.names.apply(source)
            };
            let named = given.iter().find(|(name, _)| is_meant(name));
            let (Some((_, given)), Some(from)) = (named, column.column_type) else { continue };
            let to = given.column_type;
            if !to.fits_into(from) {
                let step = Step::asked(&column.name, from, to);
                self.check_step(plan, reading, &step).await?;
                steps.push(step);
            }
        }
        Ok(Wider(steps))
    }

    /// Refuses to widen what is not ours to widen, or cannot become so.
    async fn check_step(&self, plan: &TablePlan, reading: &Reading, step: &Step) -> Result<()> {
        let (table, column, from, to) = (&plan.state.name, &step.column, step.from, step.to());
        let message = format!("column `{column}` of {table} is {from}, which does not hold {to}");
        let error = Error::new(ErrorKind::SchemaMismatch, message);
        let has_no_decimals = plan.capabilities.decimal == DecimalSupport::None;
        let is_there = to != ColumnType::Decimal(None) || !has_no_decimals;
        if !can_widen(from, to) || !is_there {
            return Err(error.with_hint(format!("`--type {column}=text` would hold both")));
        }
        let may_widen = match reading.policy {
            Some(policy) => policy == TypePolicy::Widen,
            None => plan.state.created_by_decant,
        };
        if may_widen {
            return Ok(());
        }
        if plan.state.created_by_decant {
            return Err(error.with_hint(format!(
                "its stream says `types: frozen`: mend the values and leave the type out, or \
                 let the stream widen (`types: widen`) and give `--type {column}={to}` again"
            )));
        }
        let columns = vec![(column.clone(), to)];
        let change = TableChange::Widen { table: table.clone(), columns };
        let statements = self.services.destination.apply(&change, true).await?;
        Err(error.with_hint(format!(
            "this table's types are not decant's to change: leave the type out and mend the \
             values, or widen the column yourself: {}",
            statements.join("; ")
        )))
    }

    /// Gives the table the wider columns.
    pub(super) async fn widen_as_given(
        &self,
        table: &Table,
        wider: Wider,
        file: &FileVersion,
    ) -> Result<()> {
        let name = table.plan().await.state.name.clone();
        let destination = self.services.destination.as_ref();
        let widened = widening::apply(destination, &name, wider.0).await?;
        table.look_again().await?;
        self.tally.columns_widened(&name, &widened, &file.location());
        Ok(())
    }
}

fn unknown(name: &str, columns: &[String]) -> Error {
    let columns: Vec<String> = columns.iter().map(|column| format!("`{column}`")).collect();
    let message = format!("none of the files has the column `{name}` that a type was given for");
    Error::new(ErrorKind::InvalidConfig, message)
        .with_hint(format!("the columns are {}", columns.join(", ")))
}
