//! The names that a file's columns ask for in a table, and the rules that
//! name them.

use crate::error::{Error, ErrorKind, Result};
use crate::format::FileColumns;
use crate::names::{did_you_mean, settle_names};
use crate::schema::{ColumnType, TableSchema};
use crate::stream::ColumnRules;
use crate::value_format::GivenType;

/// A file's column with the name that it asks for in the table.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) source: String,
    pub(super) renamed: Option<String>,
    pub(super) name: String,
}

impl Wanted {
    /// The name to look for in a table that exists.
    pub(super) fn sought(&self) -> &str {
        self.renamed.as_deref().unwrap_or(&self.source)
    }

    /// Whether a rule that says `name` means this column.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.source == name || self.name == name || self.renamed.as_deref() == Some(name)
    }
}

pub(super) fn wanted_columns(
    file: &FileColumns,
    rules: &ColumnRules,
    bytes_max: usize,
) -> Vec<Wanted> {
    let asked: Vec<(String, String)> = file
        .names
        .iter()
        .map(|source| {
            let name = rename_of(source, rules).unwrap_or_else(|| rules.names.apply(source));
            (source.clone(), name)
        })
        .collect();
    settle_names(&asked, bytes_max)
        .into_iter()
        .zip(asked)
        .map(|(name, (source, _))| {
            let renamed = rename_of(&source, rules);
            Wanted { source, renamed, name }
        })
        .collect()
}

/// A rename names the column as the file does, or as the table would.
fn rename_of(source: &str, rules: &ColumnRules) -> Option<String> {
    rules.rename.get(source).or_else(|| rules.rename.get(&rules.names.apply(source))).cloned()
}

pub(super) fn given_type(column: &Wanted, rules: &ColumnRules) -> Option<GivenType> {
    let named = rules.types.iter().find(|(name, _)| column.is_called(name));
    named
        .map(|(_, given)| given.clone())
        .or_else(|| rules.all_text.then(|| ColumnType::Text.into()))
}

pub(super) fn is_selected(column: &Wanted, rules: &ColumnRules) -> bool {
    rules.select.is_empty() || rules.select.iter().any(|name| column.is_called(name))
}

/// Every column that a rule names must be in one of the headers or the table.
pub(super) fn check_rule_names(
    rules: &ColumnRules,
    headers: &[&[Wanted]],
    table: Option<&TableSchema>,
) -> Result<()> {
    let in_table = |name: &str| table.is_some_and(|schema| schema.position(name).is_some());
    let named = [
        ("types", rules.types.keys().collect::<Vec<_>>()),
        ("rename", rules.rename.keys().collect()),
        ("select", rules.select.iter().collect()),
    ];
    for (rule, names) in named {
        for name in names {
            let columns = || headers.iter().flat_map(|header| header.iter());
            let renames = rule == "rename" && in_table(&rules.rename[name]);
            if in_table(name)
                || renames
                || columns().any(|column| column.is_called(name))
                || columns().any(|column| rules.names.apply(&column.source) == *name)
            {
                continue;
            }
            let known: Vec<&str> = columns().map(|column| column.source.as_str()).collect();
            return Err(unknown_column(rule, name, &known));
        }
    }
    Ok(())
}

fn unknown_column(rule: &str, name: &str, known: &[&str]) -> Error {
    let hint = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the file has: {}", enumerate(known)),
    };
    Error::new(
        ErrorKind::InvalidConfig,
        format!("`{rule}` names a column `{name}`, which is not there"),
    )
    .with("rule", rule)
    .with_hint(hint)
}

/// `a`, `b` and 3 more.
pub(super) fn enumerate(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
