//! Columns that are not there yet: a new table's, and those that are added.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::wanted::{
    Wanted, check_filter, check_rule_names, given_type, is_selected, is_trimmed, wanted_columns,
};
use super::{FitRules, NewColumn, added};
use crate::destination::Capabilities;
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::Evidence;
use crate::format::Sample;
use crate::schema::{Column, ColumnType, FILE_ID_COLUMN, RESCUED_COLUMN};
use crate::stream::ColumnRules;

/// The columns of a table to be created for these samples: the first
/// sample's in its order, what only later samples have, what is not in the
/// files, and `_rescued` where the rules rescue anything.
///
/// Files that have no name in common do not go into one table: those are
/// taken of which there are most.
///
/// # Errors
///
/// `InvalidConfig` when a rule names a column that no sample has;
/// `SchemaMismatch` when there is no column at all, or two of a file's
/// columns are one by the aliases.
pub fn new_table_columns(
    samples: &[Sample],
    fit: &FitRules,
    capabilities: &Capabilities,
    file_id: bool,
) -> Result<Vec<Column>> {
    let rules = &fit.columns;
    let headers: Vec<Vec<Wanted>> = samples
        .iter()
        .map(|sample| wanted_columns(&sample.columns, fit, capabilities.identifier_bytes_max))
        .collect::<Result<_>>()?;
    let views: Vec<&[Wanted]> = headers.iter().map(Vec::as_slice).collect();
    check_filter(fit, &views)?;
    let may_have_more = |sample: &Sample| sample.columns.may_grow() && !sample.complete;
    if !samples.iter().any(may_have_more) {
        check_rule_names(fit, &views, None)?;
    }
    let (headers, samples) = kin(headers, samples);
    let mut columns: Vec<Column> = Vec::new();
    for wanted in headers.iter().flatten().filter(|column| is_selected(column, rules)) {
        if columns.iter().any(|column| column.name == wanted.name) {
            continue;
        }
        let evidence = headers
            .iter()
            .zip(&samples)
            .flat_map(|(header, sample)| looks(header, sample, rules))
            .filter(|(column, _)| column.name == wanted.name)
            .fold(Evidence::Nothing, |joined, (_, evidence)| joined.join(evidence));
        columns.push(column_for(wanted, evidence, rules, capabilities));
    }
    if columns.is_empty() && headers.iter().any(|header| !header.is_empty()) {
        return Err(Error::new(
            ErrorKind::InvalidConfig,
            "`select` and `exclude` leave no column of the file",
        )
        .with_hint("a table has at least one column of its files"));
    }
    if columns.is_empty() {
        return Err(Error::new(
            ErrorKind::SchemaMismatch,
            "no columns are known to create the table with: the files looked at are empty",
        )
        .with_hint("create the table yourself, or wait for a file with a header"));
    }
    let own = own_columns(fit).into_iter();
    columns.extend(own.map(|(name, it)| Column::new(name, it)));
    if file_id {
        columns.push(Column::new(FILE_ID_COLUMN, ColumnType::Int64));
    }
    Ok(columns)
}

/// The headers and samples that are of one table. What has no names, or may
/// have more than were seen, is of any.
fn kin(headers: Vec<Vec<Wanted>>, samples: &[Sample]) -> (Vec<Vec<Wanted>>, Vec<&Sample>) {
    let is_of_any =
        |sample: &Sample| !sample.columns.named || sample.columns.may_grow() && !sample.complete;
    let mut families: Vec<(HashSet<String>, Vec<usize>)> = Vec::new();
    for (at, (header, _)) in
        headers.iter().zip(samples).enumerate().filter(|(_, (_, sample))| !is_of_any(sample))
    {
        let both = |column: &Wanted| [column.name.clone(), column.source.to_lowercase()];
        let mut names: HashSet<String> = header.iter().flat_map(both).collect();
        let mut members = vec![at];
        families.retain_mut(|(of_family, in_family)| {
            let is_apart = of_family.is_disjoint(&names);
            if !is_apart {
                names.extend(of_family.drain());
                members.append(in_family);
            }
            is_apart
        });
        families.push((names, members));
    }
    let size = |(names, members): &&(HashSet<String>, Vec<usize>)| {
        (members.len(), names.len(), Reverse(members.iter().min().copied()))
    };
    let largest = families.iter().max_by_key(size).map(|(_, members)| members.clone());
    let members: HashSet<usize> = largest.unwrap_or_default().into_iter().collect();
    let all = headers.into_iter().zip(samples).enumerate();
    all.filter(|(at, (_, sample))| is_of_any(sample) || members.contains(at))
        .map(|(_, pair)| pair)
        .unzip()
}

/// The columns to add to a table for what `sample` has, or the rules ask for,
/// and the table has not. Fewer than `new` where the sample lacks some.
///
/// # Errors
///
/// `SchemaMismatch` when two of the sample's columns are one by the aliases.
pub fn added_columns(
    sample: &Sample,
    new: &[NewColumn],
    fit: &FitRules,
    capabilities: &Capabilities,
) -> Result<Vec<Column>> {
    let wanted = wanted_columns(&sample.columns, fit, capabilities.identifier_bytes_max)?;
    let of_rules =
        new.iter().filter_map(|new| new.column_type.map(|it| Column::new(&new.name, it)));
    let of_file = looks(&wanted, sample, &fit.columns)
        .filter(|(column, _)| {
            new.iter().any(|new| new.column_type.is_none() && new.name == column.name)
        })
        .map(|(column, evidence)| column_for(column, evidence, &fit.columns, capabilities));
    Ok(of_file.chain(of_rules).collect())
}

/// The columns that decant fills itself, but for `_file_id`.
pub(super) fn own_columns(fit: &FitRules) -> Vec<(&str, ColumnType)> {
    let added = fit.columns.added.iter();
    let added = added.map(|it| (it.name.as_str(), added::created_type(it, &fit.columns)));
    added.chain(fit.rescues().then_some((RESCUED_COLUMN, ColumnType::Json))).collect()
}

/// What the values of each column look like, as the rules have them read.
fn looks<'a>(
    header: &'a [Wanted],
    sample: &'a Sample,
    rules: &'a ColumnRules,
) -> impl Iterator<Item = (&'a Wanted, Evidence)> {
    header.iter().zip(&sample.evidence).enumerate().map(|(index, (column, evidence))| {
        let trimmed = sample.trimmed_evidence.get(index).filter(|_| is_trimmed(column, rules));
        (column, *trimmed.unwrap_or(evidence))
    })
}

fn column_for(
    wanted: &Wanted,
    evidence: Evidence,
    rules: &ColumnRules,
    capabilities: &Capabilities,
) -> Column {
    let column_type = given_type(wanted, rules)
        .map(|given| given.column_type)
        .unwrap_or_else(|| evidence.column_type(capabilities.decimal, rules.decimals));
    Column::new(&wanted.name, column_type)
}
