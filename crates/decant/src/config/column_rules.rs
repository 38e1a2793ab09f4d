//! What becomes of columns, and the ways in which rules for one column can
//! contradict each other.
//!
//! A rule may name a column before or after its renaming, and as the file or
//! as the new table spells it. Two rules of one kind that mean the same
//! column are refused, whichever names they use.

use std::collections::BTreeMap;

use decant_core::names::ColumnNames;
use decant_core::stream::ColumnRules;

use super::meaning::{Meant, Objection};
use super::stream_rules::Path;
use super::typed::{Columns, TypeName};

pub(super) fn column_rules(typed: Option<&Columns>, path: &Path<'_>) -> Meant<ColumnRules> {
    let Some(typed) = typed else { return Ok(ColumnRules::default()) };
    let names = typed.names.map(|names| names.meaning()).unwrap_or_default();
    refuse_bad_renames(&typed.rename, names, path)?;
    let renames = Renames { rename: &typed.rename, names };
    let select = typed.select.clone().unwrap_or_default().0;
    let rules =
        [("types", typed.types.keys().collect::<Vec<_>>()), ("select", select.iter().collect())];
    for (rule, columns) in rules {
        renames.refuse_twins(rule, &columns, path)?;
    }
    Ok(ColumnRules {
        rename: typed.rename.clone(),
        types: typed
            .types
            .iter()
            .map(|(column, TypeName(column_type))| (column.clone(), (*column_type).into()))
            .collect(),
        select,
        all_text: typed.text.unwrap_or(false),
        names,
        decimals: typed.decimals.map(|decimals| decimals.meaning()).unwrap_or_default(),
        ..ColumnRules::default()
    })
}

fn refuse_bad_renames(
    rename: &BTreeMap<String, String>,
    names: ColumnNames,
    path: &Path<'_>,
) -> Meant<()> {
    let setting = |old: &str| path.to(&format!("columns.rename.{old}"));
    let pairs: Vec<_> = rename.iter().collect();
    for (index, (old, new)) in pairs.iter().enumerate() {
        if new.trim().is_empty() || old.is_empty() {
            return Err(Objection::new(setting(old), "a column's name is empty"));
        }
        for (other_old, other_new) in &pairs[..index] {
            if new.to_lowercase() == other_new.to_lowercase() {
                let message =
                    format!("columns `{other_old}` and `{old}` are both renamed to `{new}`");
                return Err(Objection::new(setting(old), message));
            }
            if names.apply(old) == names.apply(other_old) {
                let message = format!("`{other_old}` and `{old}` name the same column");
                return Err(Objection::new(setting(old), message).hint("keep one of the two"));
            }
        }
    }
    Ok(())
}

struct Renames<'a> {
    rename: &'a BTreeMap<String, String>,
    names: ColumnNames,
}

impl Renames<'_> {
    fn refuse_twins(&self, rule: &str, columns: &[&String], path: &Path<'_>) -> Meant<()> {
        for (index, column) in columns.iter().enumerate() {
            let setting = path.to(&format!("columns.{rule}.{column}"));
            if column.is_empty() {
                return Err(Objection::new(setting, "a column's name is empty"));
            }
            let twin = columns[..index].iter().find(|other| self.are_one(column, other));
            if let Some(twin) = twin {
                let message = format!("`{twin}` and `{column}` name the same column in `{rule}`");
                return Err(Objection::new(setting, message).hint("keep one of the two"));
            }
        }
        Ok(())
    }

    /// Whether two names mean one column: they are spelled alike, or one is
    /// what the other is renamed to.
    fn are_one(&self, one: &str, other: &str) -> bool {
        let spelled = |name: &str| self.names.apply(name);
        spelled(one) == spelled(other)
            || self.rename.iter().any(|(old, new)| {
                let pair = (spelled(old), spelled(new));
                pair == (spelled(one), spelled(other)) || pair == (spelled(other), spelled(one))
            })
    }
}
