//! The names that a file's columns ask for in a table, and the rules that
//! name them.

use super::{FitRules, added};
use crate::error::{Error, ErrorKind, Result};
use crate::format::FileColumns;
use crate::names::{did_you_mean, settle_names, snake_case};
use crate::schema::{ColumnType, RESCUED_COLUMN, TableSchema};
use crate::stream::{AddedValue, ColumnRules, Concealment, Trim};
use crate::value_format::GivenType;

/// A file's column with the name that it asks for in the table.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) source: String,
    /// The name that a rename or an alias gives it.
    pub(super) renamed: Option<String>,
    /// Whether it was an alias that did.
    pub(super) aliased: bool,
    /// The name that it would have if it were alone.
    pub(super) asked: String,
    /// The name of a column that is made for it.
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

/// # Errors
///
/// `SchemaMismatch` when two columns of the file are one by the aliases.
pub(super) fn wanted_columns(
    file: &FileColumns,
    fit: &FitRules,
    bytes_max: usize,
) -> Result<Vec<Wanted>> {
    let rules = &fit.columns;
    let given: Vec<Option<(String, bool)>> =
        file.names.iter().map(|source| given_name(source, rules)).collect();
    let asked: Vec<(String, String)> = file
        .names
        .iter()
        .zip(&given)
        .map(|(source, given)| {
            let name = given.as_ref().map(|(name, _)| name.clone());
            (source.clone(), name.unwrap_or_else(|| rules.names.apply(source)))
        })
        .collect();
    let reserved = reserved_names(fit);
    let wanted: Vec<Wanted> = settle_names(&asked, &reserved, bytes_max)
        .into_iter()
        .zip(asked)
        .zip(given)
        .map(|((name, (source, asked)), given)| Wanted {
            source,
            aliased: given.as_ref().is_some_and(|(_, aliased)| *aliased),
            renamed: given.map(|(name, _)| name),
            asked,
            name,
        })
        .collect();
    refuse_double_aliases(&wanted, rules)?;
    Ok(wanted)
}

/// Names that no column of a file may take.
fn reserved_names(fit: &FitRules) -> Vec<&str> {
    let rescued = fit.rescues().then_some(RESCUED_COLUMN);
    fit.columns.added.iter().map(|added| added.name.as_str()).chain(rescued).collect()
}

/// The name that a rename gives (it names the column as the file does, or as
/// the table would), or else an alias; and whether it is an alias.
fn given_name(source: &str, rules: &ColumnRules) -> Option<(String, bool)> {
    let renamed = |name: &str| {
        rules.rename.get(name).or_else(|| rules.rename.get(&rules.names.apply(name))).cloned()
    };
    if let Some(name) = renamed(source) {
        return Some((name, false));
    }
    let column = alias_of(source, rules)?;
    Some((renamed(column).unwrap_or_else(|| column.to_owned()), true))
}

/// The column that has this other name: exactly, then without case, then in
/// snake case.
fn alias_of<'a>(source: &str, rules: &'a ColumnRules) -> Option<&'a str> {
    if rules.aliases.is_empty() {
        return None;
    }
    let (lower, snake) = (source.to_lowercase(), snake_case(source));
    let alike: [&dyn Fn(&str) -> bool; 3] =
        [&|alias| alias == source, &|alias| alias.to_lowercase() == lower, &|alias| {
            snake_case(alias) == snake
        }];
    alike
        .into_iter()
        .find_map(|is_alike| {
            let mut aliases = rules.aliases.iter();
            aliases
                .find(|(_, others)| others.iter().any(|alias| is_alike(alias)))
                .map(|(name, _)| name)
        })
        .map(String::as_str)
}

fn refuse_double_aliases(wanted: &[Wanted], rules: &ColumnRules) -> Result<()> {
    for (index, column) in wanted.iter().enumerate() {
        if !column.aliased || !is_selected(column, rules) {
            continue;
        }
        let is_same = |other: &Wanted| snake_case(other.sought()) == snake_case(column.sought());
        let other = wanted
            .iter()
            .enumerate()
            .find(|(at, other)| *at != index && is_selected(other, rules) && is_same(other));
        if let Some((_, other)) = other {
            return Err(Error::new(
                ErrorKind::SchemaMismatch,
                format!(
                    "the file has two columns for `{}`: {}",
                    column.sought(),
                    enumerate(&[&column.source, &other.source])
                ),
            )
            .with_hint("leave one of them out with `exclude`, or give it a name with `rename`"));
        }
    }
    Ok(())
}

pub(super) fn given_type(column: &Wanted, rules: &ColumnRules) -> Option<GivenType> {
    if concealment(column, rules).is_some() {
        return Some(ColumnType::Text.into());
    }
    let named = rules.types.iter().find(|(name, _)| column.is_called(name));
    named
        .map(|(_, given)| given.clone())
        .or_else(|| rules.all_text.then(|| ColumnType::Text.into()))
}

pub(super) fn concealment<'a>(column: &Wanted, rules: &'a ColumnRules) -> Option<&'a Concealment> {
    rules.conceal.iter().find(|(name, _)| column.is_called(name)).map(|(_, how)| how)
}

pub(super) fn is_selected(column: &Wanted, rules: &ColumnRules) -> bool {
    let named = |names: &[String]| names.iter().any(|name| column.is_called(name));
    (rules.select.is_empty() || named(&rules.select)) && !named(&rules.exclude)
}

pub(super) fn is_trimmed(column: &Wanted, rules: &ColumnRules) -> bool {
    match &rules.trim {
        Trim::None => false,
        Trim::All => true,
        Trim::Columns(names) => names.iter().any(|name| column.is_called(name)),
    }
}

/// Every column that a rule names must be in one of the headers or the table.
/// What is excluded is in neither table nor, perhaps, this file, so that it
/// is only looked for while there is no table.
pub(super) fn check_rule_names(
    fit: &FitRules,
    headers: &[&[Wanted]],
    table: Option<&TableSchema>,
) -> Result<()> {
    let rules = &fit.columns;
    for (rule, name) in named_columns(fit, table.is_none()) {
        let columns = || headers.iter().flat_map(|header| header.iter());
        let known = is_in_table(name, rules, table)
            || added::find(rules, name).is_some()
            || columns().any(|column| column.is_called(name))
            || columns().any(|column| rules.names.apply(&column.source) == *name);
        if !known {
            let known: Vec<&str> = columns().map(|column| column.source.as_str()).collect();
            return Err(unknown_column(ErrorKind::InvalidConfig, rule, name, &known));
        }
    }
    Ok(())
}

/// A filter looks at rows as the file has them.
pub(super) fn check_filter(fit: &FitRules, headers: &[&[Wanted]]) -> Result<()> {
    let names = fit.filter.comparisons.iter().map(|comparison| &comparison.column);
    let mut columns = headers.iter().flat_map(|header| header.iter());
    for name in names.filter(|name| added::find(&fit.columns, name).is_some()) {
        if !columns.any(|column| column.is_called(name)) {
            let message = format!("`where` names column `{name}`, which decant adds itself");
            return Err(Error::new(ErrorKind::InvalidConfig, message)
                .with_hint("rows are chosen by the columns of their file"));
        }
    }
    Ok(())
}

/// The columns that rules name, with the rules' names.
fn named_columns(fit: &FitRules, with_excluded: bool) -> Vec<(&'static str, &String)> {
    let rules = &fit.columns;
    let mut named: Vec<(&'static str, &String)> = Vec::new();
    named.extend(rules.types.keys().map(|name| ("types", name)));
    named.extend(rules.rename.keys().map(|name| ("rename", name)));
    named.extend(rules.select.iter().map(|name| ("select", name)));
    named.extend(rules.conceal.iter().map(|(name, how)| match how {
        Concealment::Hash { .. } => ("hash", name),
        Concealment::Mask { .. } => ("mask", name),
    }));
    if let Trim::Columns(names) = &rules.trim {
        named.extend(names.iter().map(|name| ("trim", name)));
    }
    for added in &rules.added {
        if let AddedValue::RowHash { columns, .. } = &added.value {
            named.extend(columns.iter().map(|name| ("row_hash", name)));
        }
    }
    if with_excluded {
        named.extend(rules.exclude.iter().map(|name| ("exclude", name)));
        let filtered = fit.filter.comparisons.iter();
        named.extend(filtered.map(|comparison| ("where", &comparison.column)));
    }
    named
}

fn is_in_table(name: &str, rules: &ColumnRules, table: Option<&TableSchema>) -> bool {
    let Some(schema) = table else { return false };
    let renamed = rules.rename.get(name).map(String::as_str);
    let named = rules.names.apply(name);
    [Some(name), renamed, Some(named.as_str())]
        .into_iter()
        .flatten()
        .any(|name| schema.position(name).is_some())
}

pub(super) fn unknown_column(
    kind: ErrorKind,
    rule: &'static str,
    name: &str,
    known: &[&str],
) -> Error {
    let hint = match did_you_mean(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the file has: {}", enumerate(known)),
    };
    Error::new(kind, format!("`{rule}` names a column `{name}`, which is not there"))
        .with("rule", rule)
        .with_hint(hint)
}

/// `a`, `b` and 3 more.
pub(super) fn enumerate<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> =
        names.iter().take(SHOWN).map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
