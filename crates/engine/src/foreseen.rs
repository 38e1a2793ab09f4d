//! What loading files would change about a table, from bounded looks at them.
//! Changes nothing.

use std::collections::HashSet;

use decant_core::conform::{Conform, Drift, Mismatch, NewColumn, added_columns};
use decant_core::evidence::Evidence;
use decant_core::format::{Sample, Target};
use decant_core::stream::TypePolicy;
use decant_core::{Column, ColumnType, Error, Result};

use crate::tables::TablePlan;

/// What is foreseen of one table.
pub(crate) struct Foreseen {
    plan: TablePlan,
    /// Columns that it would be given.
    pub(crate) added: Vec<Column>,
    /// What would be done, and for which file.
    pub(crate) changes: Vec<String>,
    drift_seen: HashSet<Drift>,
    contradicted: HashSet<String>,
}

impl Foreseen {
    pub(crate) fn new(plan: TablePlan) -> Self {
        Self {
            plan,
            added: Vec::new(),
            changes: Vec::new(),
            drift_seen: HashSet::new(),
            contradicted: HashSet::new(),
        }
    }

    /// Takes a look at `file` into account.
    pub(crate) fn look(&mut self, file: &str, sample: &Sample) {
        if sample.columns.names.is_empty() {
            return;
        }
        if let Err(error) = self.compare(file, sample) {
            self.changes.push(format!("refused: {}", error.in_file(file).chain()));
        }
    }

    fn compare(&mut self, file: &str, sample: &Sample) -> Result<()> {
        let conform = match self.plan.conform(&sample.columns, None) {
            Ok(conform) => conform,
            Err(Mismatch::Refused(error)) => return Err(error),
            Err(Mismatch::NewColumns(new)) => {
                self.add(file, sample, &new)?;
                self.plan.conform(&sample.columns, None).map_err(|mismatch| match mismatch {
                    Mismatch::Refused(error) => error,
                    Mismatch::NewColumns(_) => Error::new(
                        decant_core::ErrorKind::Internal,
                        "columns are lacking that were just added",
                    ),
                })?
            }
        };
        for drift in &conform.drift {
            if self.drift_seen.insert(drift.clone()) {
                self.changes.push(drift.sentence(file));
            }
        }
        if sample.complete {
            self.plan.check_complete(&conform)?;
        }
        self.compare_types(file, sample, &conform);
        Ok(())
    }

    fn add(&mut self, file: &str, sample: &Sample, new: &[NewColumn]) -> Result<()> {
        if let Some(error) = self.plan.not_ours_to_add(new) {
            return Err(error);
        }
        let columns = added_columns(sample, new, &self.plan.fit, &self.plan.capabilities)?;
        let names: Vec<String> =
            columns.iter().map(|column| format!("`{}`", column.name)).collect();
        self.changes.push(format!("added: {} for {file}", names.join(", ")));
        if let Some(schema) = &mut self.plan.state.schema {
            schema.columns.extend(columns.iter().cloned());
        }
        self.added.extend(columns);
        Ok(())
    }

    fn compare_types(&mut self, file: &str, sample: &Sample, conform: &Conform) {
        let fit = &self.plan.fit;
        let (support, decimals) = (self.plan.capabilities.decimal, fit.columns.decimals);
        for (index, _) in conform.loaded_columns() {
            let (Some(target), Some(evidence), Some(name)) = (
                conform.targets[index].as_ref(),
                sample.evidence.get(index),
                sample.columns.names.get(index),
            ) else {
                continue;
            };
            let found = evidence.column_type(support, decimals);
            let is_new = *evidence != Evidence::Nothing && contradicts(found, target);
            if !is_new || !self.contradicted.insert(name.clone()) {
                continue;
            }
            let held = target.column_type;
            self.changes.push(match fit.types {
                TypePolicy::Widen if target.exact => {
                    format!("widened: `{name}` from {held}, to keep {found} of {file}")
                }
                _ => format!("in conflict: `{name}` is {held}, and {found} in {file}"),
            });
        }
    }
}

/// Whether values of the type `found` are of another kind than the column's.
fn contradicts(found: ColumnType, target: &Target) -> bool {
    use ColumnType::{Date, Int16, Int32, Int64, Timestamp, TimestampTz};
    if target.format.is_some() {
        return false;
    }
    let held = target.column_type;
    match (kind(found), kind(held)) {
        (_, Kind::Any) => false,
        // Text and documents may well spell lists.
        (Kind::Any, Kind::List) => false,
        (Kind::List, Kind::List) => !found.fits_into(held),
        (mine, theirs) if mine != theirs => true,
        (Kind::Number, _) => {
            matches!(held, Int16 | Int32 | Int64) && !matches!(found, Int16 | Int32 | Int64)
        }
        _ => held == Date && matches!(found, Timestamp | TimestampTz),
    }
}

/// Types whose values are alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Truth,
    Number,
    Day,
    Clock,
    Uuid,
    List,
}

fn kind(column_type: ColumnType) -> Kind {
    use ColumnType::*;
    match column_type {
        Text | Json | Binary => Kind::Any,
        Bool => Kind::Truth,
        Int16 | Int32 | Int64 | Float32 | Float64 | Decimal(_) => Kind::Number,
        Date | Timestamp | TimestampTz => Kind::Day,
        Time => Kind::Clock,
        Uuid => Kind::Uuid,
        List(_) => Kind::List,
    }
}

#[cfg(test)]
mod tests {
    use decant_core::list::ListElement;

    use super::*;

    #[test]
    fn only_other_kinds_of_values_contradict_a_column() {
        use ColumnType::{Int64, Json, List, Text};
        let (integers, longs) = (List(ListElement::Int32), List(ListElement::Int64));
        for (found, held, expected) in [
            (Int64, Text, false),
            (integers, longs, false),
            (longs, integers, true),
            (Json, longs, false),
            (Text, longs, false),
            (Int64, longs, true),
            (longs, Int64, true),
            (longs, Json, false),
        ] {
            let target = Target::new(held, true);
            assert_eq!(contradicts(found, &target), expected, "{found} in {held}");
        }
    }
}
