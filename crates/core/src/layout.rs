//! How the raw text of a file's rejects is read again.
//!
//! Kept as JSON beside the file's ledger row, so that a replay reads a mended
//! row as the load did, without the file and without the configuration. Keys
//! of hashes are never part of it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::format::FileColumns;
use crate::reject::{Reason, Reject};
use crate::stream::{AddedValue, ColumnRules, Concealment, FormatOptions, NewColumns, RowFilter};

/// What a load knew of a file's rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Layout {
    /// How the text is read.
    pub options: FormatOptions,
    /// The encoding of the raw text of rejects with reason `encoding`; `None`
    /// is the one of all others, UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The columns' names, in the file's order.
    pub names: Vec<String>,
    /// Whether the names stand in the file.
    pub named: bool,
    /// What became of the columns.
    pub columns: ColumnRules,
    /// Which rows were loaded.
    pub filter: RowFilter,
    /// What happened to columns that the table did not have.
    pub new_columns: Option<NewColumns>,
    /// Whether a hash had a key, which is not kept.
    pub keyed: bool,
}

impl Layout {
    /// The layout of a file with these columns, loaded by these rules.
    pub fn new(file: &FileColumns, columns: &ColumnRules, filter: &RowFilter) -> Self {
        Self {
            options: file.options.clone(),
            encoding: file.encoding.clone(),
            names: file.names.clone(),
            named: file.named,
            columns: columns.clone(),
            filter: filter.clone(),
            new_columns: None,
            keyed: has_key(columns),
        }
    }

    /// The encoding in which the raw text of `reject` stands, where that is
    /// not UTF-8.
    pub fn raw_encoding(&self, reject: &Reject) -> Option<&str> {
        self.encoding.as_deref().filter(|_| reject.reason == Reason::Encoding)
    }

    /// As a ledger keeps it.
    ///
    /// # Errors
    ///
    /// `Internal`, when it cannot be written as JSON.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Internal, "a layout cannot be written").caused_by(error)
        })
    }

    /// Reads what a ledger kept.
    ///
    /// # Errors
    ///
    /// `Unsupported`, when it is not understood.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            Error::new(ErrorKind::Unsupported, "the ledger's layout of the file is not understood")
                .caused_by(error)
                .with_hint("was the file loaded by a newer release? Load it again with --force")
        })
    }
}

fn has_key(columns: &ColumnRules) -> bool {
    let hashes = columns.conceal.values();
    let mut hashes = hashes.map(|rule| matches!(rule, Concealment::Hash { key: Some(_) }));
    let mut added = columns
        .added
        .iter()
        .map(|column| matches!(column.value, AddedValue::RowHash { key: Some(_), .. }));
    hashes.any(|keyed| keyed) || added.any(|keyed| keyed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::stream::Header;

    #[test]
    fn a_layout_survives_the_ledger_without_its_keys() {
        let file = FileColumns {
            names: vec!["id".into(), "e-mail".into()],
            named: true,
            options: FormatOptions {
                name: Some("csv".into()),
                header: Some(Header::Rows(2)),
                ..FormatOptions::default()
            },
            ..FileColumns::default()
        };
        let key = Some(Secret::new("hunter2"));
        let mut columns = ColumnRules::default();
        columns.rename.insert("id".into(), "number".into());
        columns.conceal.insert("e-mail".into(), Concealment::Hash { key });
        let filter = RowFilter::parse("id > 1").unwrap();
        let layout = Layout::new(&file, &columns, &filter);
        let text = layout.to_json().unwrap();
        assert!(!text.contains("hunter2"), "{text}");
        let read = Layout::parse(&text).unwrap();
        assert!(read.keyed);
        assert_eq!(read.columns.rename, columns.rename);
        assert_eq!((read.options, read.names, read.filter), (file.options, file.names, filter));
    }

    #[test]
    fn a_layout_of_another_making_is_refused_with_a_cure() {
        assert_eq!(Layout::parse("{}").unwrap(), Layout::default());
        let error = Layout::parse("{\"names\": 1}").unwrap_err();
        assert!(error.hint().unwrap().contains("--force"));
    }
}
