//! Rejects: shown, written down so that they can be edited, and replayed.

mod edited;
mod export;
mod replay;

use std::sync::Arc;

use decant_core::ledger::{RejectsFilter, StoredReject};
use decant_core::{Destination, Result, TableName};
pub use decant_engine::{Edit, Edits, Replay};

pub use self::edited::read_edited;
pub use self::export::Export;
pub use self::replay::replay;

/// The column, or key, of an export that holds the reject's id.
const ID_COLUMN: &str = "_reject_id";
/// What an id begins with in an export, so that no continued row looks like
/// a new one.
const ID_PREFIX: &str = "r";

/// Rejects that are asked for at once.
const PAGE: u64 = 1000;

/// What `decant rejects` and `decant replay` choose by.
#[derive(Clone, Debug, Default)]
pub struct RejectsChoice {
    /// Only of this table, by any of its names.
    pub table: Option<String>,
    /// Only of files whose location contains this.
    pub file: Option<String>,
    /// Only of files that this run loaded.
    pub run: Option<String>,
    /// Only with this reason.
    pub reason: Option<String>,
    /// Also those that are settled.
    pub settled: bool,
    /// At most so many.
    pub limit: Option<u64>,
}

impl RejectsChoice {
    /// The choice as the ledger takes it: the table by its qualified name.
    ///
    /// # Errors
    ///
    /// Those of the destination.
    pub async fn filter(&self, destination: &Arc<dyn Destination>) -> Result<RejectsFilter> {
        let table = match &self.table {
            Some(table) => {
                let state = destination.describe(&TableName::parse(table)).await?;
                Some(state.name.to_string())
            }
            None => None,
        };
        Ok(RejectsFilter {
            table,
            file: None,
            key_contains: self.file.as_deref().map(within_bucket),
            run_id: self.run.clone(),
            reason: self.reason.clone(),
            unsettled: !self.settled,
            after: None,
            limit: self.limit,
        })
    }
}

/// A location as it was printed, without what is not part of the key.
fn within_bucket(location: &str) -> String {
    let path = location.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    path.map_or(location, |(_, key)| key).to_owned()
}

/// Hands over the rejects that `filter` lets through, page by page.
///
/// # Errors
///
/// Those of the destination, and those of `take`.
pub async fn each_page(
    destination: &Arc<dyn Destination>,
    filter: &RejectsFilter,
    take: &mut (dyn FnMut(Vec<StoredReject>) -> Result<()> + Send),
) -> Result<()> {
    let ledger = destination.ledger();
    let mut left = filter.limit.unwrap_or(u64::MAX);
    let mut filter = filter.clone();
    while left > 0 {
        filter.limit = Some(PAGE.min(left));
        let page = ledger.stored_rejects(&filter).await?;
        let Some(last) = page.last() else { return Ok(()) };
        filter.after = Some((last.file.id, last.id));
        left = left.saturating_sub(page.len() as u64);
        take(page)?;
    }
    Ok(())
}
