//! Which streams of a run feed which tables.
//!
//! A table that one stream replaces belongs to it alone: whatever another one
//! brings would be gone with the next replace. The configuration refuses such
//! streams by the names that it has; here are the names that templates make,
//! and those that turn out to be one table's.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use decant_core::stream::WriteMode;
use decant_core::{Error, ErrorKind, Result, Stream, TableName};

/// The streams that feed each table, by its qualified name, and how.
#[derive(Debug, Default)]
pub(crate) struct Feeds(Mutex<HashMap<TableName, BTreeMap<String, WriteMode>>>);

impl Feeds {
    /// Says that a stream feeds a table. Refuses it where another does, and
    /// one of them replaces it.
    pub(crate) fn claim(&self, table: &TableName, stream: &Stream) -> Result<()> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = feeds.entry(table.clone()).or_default();
        let replaces = |mode: &WriteMode| *mode == WriteMode::Replace;
        let other = streams.iter().find(|(name, mode)| {
            **name != stream.name && (replaces(mode) || replaces(&stream.write_mode))
        });
        let Some((other, mode)) = other else {
            streams.insert(stream.name.clone(), stream.write_mode);
            return Ok(());
        };
        let (first, second) = match replaces(mode) {
            true => (other, &stream.name),
            false => (&stream.name, other),
        };
        Err(Error::new(
            ErrorKind::InvalidConfig,
            format!(
                "table `{table}` is replaced by stream `{first}`, and stream `{second}` feeds it \
                 as well"
            ),
        )
        .with_hint("give each its own table, or join them into one stream"))
    }
}
