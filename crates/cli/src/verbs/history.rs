//! `decant history`: the ledger.

use decant::core::{LedgerEntry, Result};

use super::destination_of;
use crate::args::{GlobalArgs, HistoryArgs, OutputFormat};
use crate::exit::Exit;
use crate::output::{print, print_json};
use crate::progress::human_count;
use crate::table::lay_out;

const HEADING: [&str; 8] =
    ["processed", "status", "rows", "rejected", "seconds", "tries", "table", "file"];

/// Shows the ledger's rows, the latest first.
pub(crate) async fn run(args: &HistoryArgs, global: &GlobalArgs) -> Result<Exit> {
    let settings = destination_of(&args.overrides(global), global)?;
    let destination = decant::open_destination_of(&settings).await?;
    let entries = decant::history(&destination, &args.filter()).await?;
    match global.output {
        OutputFormat::Json => entries.iter().try_for_each(print_json)?,
        OutputFormat::Text => print(&describe(&entries))?,
    }
    Ok(Exit::Ok)
}

fn describe(entries: &[LedgerEntry]) -> String {
    if entries.is_empty() {
        return "the ledger has no such rows\n".into();
    }
    let rows: Vec<Vec<String>> = entries.iter().map(cells).collect();
    let mut text = lay_out(&HEADING, &rows);
    for entry in entries {
        if let Some(error) = &entry.error {
            text.push_str(&format!("\n{}: {error}\n", entry.file));
        }
    }
    text
}

fn cells(entry: &LedgerEntry) -> Vec<String> {
    vec![
        entry.processed_at.format("%Y-%m-%d %H:%M:%S").to_string(),
        entry.status.as_str().to_owned(),
        human_count(entry.rows_copied),
        human_count(entry.rows_rejected),
        format!("{:.2}", entry.processing_seconds),
        entry.attempts.to_string(),
        entry.target_table.clone(),
        entry.file.location(),
    ]
}
