//! Which columns are widened for a file that contradicts them, and to what.

use decant_core::conform::Conform;
use decant_core::destination::TableChange;
use decant_core::evidence::Evidence;
use decant_core::format::Sample;
use decant_core::schema::ColumnType;
use decant_core::widen::{widened, widenings};
use decant_core::{Destination, Error, ErrorKind, Result, TableName};

use crate::file_progress::Contradiction;
use crate::tables::TablePlan;

/// A column on its way to a wider type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its name in the table.
    pub(crate) column: String,
    /// The type that it has.
    pub(crate) from: ColumnType,
    /// The types that would do, the narrowest first.
    candidates: Vec<ColumnType>,
}

impl Step {
    /// A step to a type that somebody asked for.
    pub(crate) fn asked(column: &str, from: ColumnType, to: ColumnType) -> Self {
        Self { column: column.to_owned(), from, candidates: vec![to] }
    }

    pub(crate) fn is_of(&self, column: &str) -> bool {
        self.column == column
    }

    /// The type that it gets.
    pub(crate) fn to(&self) -> ColumnType {
        self.candidates.first().copied().unwrap_or(ColumnType::Text)
    }
}

/// The steps that a file needs: those of the columns that a value of it
/// contradicts, and of the others that its values do not fit.
pub(crate) fn steps(
    plan: &TablePlan,
    conform: &Conform,
    sample: &Sample,
    contradicted: &[Contradiction],
) -> Vec<Step> {
    let (support, decimals) = (plan.capabilities.decimal, plan.fit.columns.decimals);
    let mut steps = Vec::new();
    for (index, column) in plan.exact_columns(conform) {
        let evidence = sample.evidence.get(index).copied().unwrap_or_default();
        let from = column.column_type;
        let is_contradicted = contradicted.contains(&column);
        // A file that knows its types says nothing of its values, and a
        // document may be a list.
        let says_nothing = matches!(evidence, Evidence::Known(_))
            || matches!((from, evidence), (ColumnType::List(_), Evidence::Json))
            || widened(from, evidence, support, decimals) == from;
        if says_nothing && !is_contradicted {
            continue;
        }
        // As text it would be compared letter by letter.
        let is_kept = conform.is_compared_as_it_is(index);
        let candidates: Vec<ColumnType> = widenings(from, evidence, support, decimals)
            .filter(|wider| *wider != ColumnType::Text || !is_kept)
            .collect();
        if !candidates.is_empty() {
            steps.push(Step { column: column.column, from, candidates });
        }
    }
    steps
}

/// Widens the columns in one change; where a value in the table would not
/// survive, to the next wider type. Answers the steps that were taken.
pub(crate) async fn apply(
    destination: &dyn Destination,
    table: &TableName,
    mut steps: Vec<Step>,
) -> Result<Vec<Step>> {
    loop {
        let columns = steps.iter().map(|step| (step.column.clone(), step.to())).collect();
        let change = TableChange::Widen { table: table.clone(), columns };
        let error = match destination.apply(&change, false).await {
            Ok(_) => return Ok(steps),
            Err(error) => error,
        };
        if !is_followed_by_another(&error, &mut steps) {
            return Err(error);
        }
    }
}

/// Whether the column that was refused has a wider type to try.
fn is_followed_by_another(error: &Error, steps: &mut [Step]) -> bool {
    let Some(column) = error.fact("column").filter(|_| error.kind() == ErrorKind::SchemaMismatch)
    else {
        return false;
    };
    match steps.iter_mut().find(|step| step.column == column) {
        Some(step) if step.candidates.len() > 1 => {
            step.candidates.remove(0);
            true
        }
        _ => false,
    }
}
