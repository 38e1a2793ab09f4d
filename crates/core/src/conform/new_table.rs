//! Columns that are not there yet: a new table's, and those that are added.

use super::NewColumn;
use super::wanted::{Wanted, check_rule_names, given_type, is_selected, wanted_columns};
use crate::destination::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Evidence;
use crate::format::Sample;
use crate::schema::{Column, ColumnType, FILE_ID_COLUMN};
use crate::stream::ColumnRules;

/// The columns of a table to be created for these samples, in the first
/// sample's order, with what only later samples have behind.
///
/// # Errors
///
/// `InvalidConfig` when a rule names a column that no sample has;
/// `SchemaMismatch` when there is no column at all.
pub fn new_table_columns(
    samples: &[Sample],
    rules: &ColumnRules,
    capabilities: &Capabilities,
    file_id: bool,
) -> Result<Vec<Column>> {
    let headers: Vec<Vec<Wanted>> = samples
        .iter()
        .map(|sample| wanted_columns(&sample.columns, rules, capabilities.identifier_bytes_max))
        .collect();
    let views: Vec<&[Wanted]> = headers.iter().map(Vec::as_slice).collect();
    check_rule_names(rules, &views, None)?;
    let mut columns: Vec<Column> = Vec::new();
    for wanted in headers.iter().flatten().filter(|column| is_selected(column, rules)) {
        if columns.iter().any(|column| column.name == wanted.name) {
            continue;
        }
        let evidence = headers
            .iter()
            .zip(samples)
            .flat_map(|(header, sample)| header.iter().zip(&sample.evidence))
            .filter(|(column, _)| column.name == wanted.name)
            .fold(Evidence::Nothing, |joined, (_, evidence)| joined.join(*evidence));
        let column_type = given_type(wanted, rules)
            .map(|given| given.column_type)
            .unwrap_or_else(|| evidence.column_type(capabilities.decimal, rules.decimals));
        columns.push(Column::new(&wanted.name, stored_type(column_type, capabilities)));
    }
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            "no columns are known to create the table with: the files looked at are empty",
        )
        .with_hint("create the table yourself, or wait for a file with a header"));
    }
    if file_id {
        columns.push(Column::new(FILE_ID_COLUMN, ColumnType::Int64));
    }
    Ok(columns)
}

/// The columns to add to a table for what `sample` has and the table has not.
pub fn added_columns(
    sample: &Sample,
    new: &[NewColumn],
    rules: &ColumnRules,
    capabilities: &Capabilities,
) -> Vec<Column> {
    let wanted = wanted_columns(&sample.columns, rules, capabilities.identifier_bytes_max);
    wanted
        .iter()
        .zip(&sample.evidence)
        .filter(|(column, _)| new.iter().any(|new| new.name == column.name))
        .map(|(column, evidence)| {
            let column_type = given_type(column, rules)
                .map(|given| given.column_type)
                .unwrap_or_else(|| evidence.column_type(capabilities.decimal, rules.decimals));
            Column::new(&column.name, stored_type(column_type, capabilities))
        })
        .collect()
}

/// The type as the destination can keep it: a decimal without bounds is text
/// where there are no exact decimals.
fn stored_type(column_type: ColumnType, capabilities: &Capabilities) -> ColumnType {
    if capabilities.keeps(column_type) { column_type } else { ColumnType::Text }
}
