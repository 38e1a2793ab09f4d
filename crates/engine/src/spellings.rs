//! How the names are spelled that a template makes one table of.
//!
//! Invariant: bounded for each table, whatever the number of files.

use std::collections::BTreeMap;

use decant_core::{Stream, TableName};

/// Spellings that are told of one table at most.
const SHOWN_MAX: usize = 5;

/// The spellings that became each table, in the order of their files.
#[derive(Debug, Default)]
pub(crate) struct Spellings(BTreeMap<TableName, Vec<String>>);

impl Spellings {
    /// Takes note of a file on its way to a table.
    pub(crate) fn see(&mut self, stream: &Stream, table: &TableName, key: &str) {
        let Some(spelling) = stream.table.spelling(key, stream.selection.named_groups()) else {
            return;
        };
        if !self.0.contains_key(table) {
            self.0.insert(table.clone(), vec![spelling]);
        } else if let Some(seen) = self.0.get_mut(table)
            && seen.len() <= SHOWN_MAX
            && !seen.contains(&spelling)
        {
            seen.push(spelling);
        }
    }

    /// A sentence for each table of which several spellings became one.
    pub(crate) fn sentences(&self, stream: &Stream) -> Vec<String> {
        self.0.keys().filter_map(|table| self.sentence(stream, table)).collect()
    }

    /// A sentence if several spellings became this table.
    pub(crate) fn sentence(&self, stream: &Stream, table: &TableName) -> Option<String> {
        let seen = self.0.get(table).filter(|seen| seen.len() > 1)?;
        let shown: Vec<String> =
            seen.iter().take(SHOWN_MAX).map(|one| format!("`{one}`")).collect();
        let more = if seen.len() > SHOWN_MAX { " and others" } else { "" };
        let what = stream.table.made_of();
        Some(format!("{what} {}{more} go into one table {table}", shown.join(", ")))
    }
}
