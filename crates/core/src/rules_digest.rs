//! A mark of the rules by which a stream reads its files, by which a later
//! run knows whether what it would load is what is there.
//!
//! Not here: which files were read; the ledger has them one by one.
//!
//! Invariant: the same mark means the same rules, read by the same version.
//! Another mark means nothing: it costs a load that need not have been.

use xxhash_rust::xxh3::xxh3_64;

use crate::stream::{AddedValue, Concealment, FormatOptions, Stream};

impl Stream {
    /// The mark of its rules, in sixteen letters; `None` where a secret takes
    /// part in them, of which nothing is told anywhere.
    pub fn rules_digest(&self) -> Option<String> {
        if self.has_secret() {
            return None;
        }
        // Neither memory nor what other files are like changes a value.
        let format = FormatOptions { memory_bytes: None, habits: None, ..self.format.clone() };
        let reading = (format, &self.columns, &self.filter, &self.name);
        let settling = (self.on_error, self.max_rejects, self.on_conflict, self.types);
        let paths = self.selection.named_groups().map(regex::Regex::as_str);
        let columns = (self.new_columns, self.missing_columns, self.file_id, paths);
        let rules = format!("{:?}", (env!("CARGO_PKG_VERSION"), reading, settling, columns));
        Some(format!("{:016x}", xxh3_64(rules.as_bytes())))
    }

    fn has_secret(&self) -> bool {
        let conceals = self.columns.conceal.values();
        let mut conceals = conceals.map(|it| matches!(it, Concealment::Hash { key: Some(_) }));
        let added = self.columns.added.iter().map(|added| &added.value);
        let mut added = added.map(|it| matches!(it, AddedValue::RowHash { key: Some(_), .. }));
        conceals.any(|is_keyed| is_keyed) || added.any(|is_keyed| is_keyed)
    }
}
